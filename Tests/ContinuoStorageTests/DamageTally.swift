// What became of directories that were damaged: each is opened both ways, and held against what it may say.
// Invariant: a directory gives a state that it has had, or is refused by the name of a file and left as it was.
// Not here: the damage (DirectoryDamageTests, ForgedDirectoryDamageTests).

import Continuo
import ContinuoStorage
import ContinuoTestSupport
import Testing

/// How a damaged directory was taken.
enum DamageVerdict: Equatable {
  case exact
  /// As it was behind that step.
  case earlier(Int)
  case refused(file: String)
  case wrong(String)
}

/// Counts verdicts, and records those that must not be.
struct DamageTally {
  let directory: FullDirectory
  private(set) var exact = 0
  private(set) var earlier = 0
  private(set) var refused = 0
  var tried: Int { exact + earlier + refused }

  /// What is asked of parts of a directory, and its answer when nothing is damaged; none where only all of it is asked for.
  private var questions: [(question: CandleQuestion, rows: [CandleRow])] = []

  /// - Parameter asksParts: candles are asked of a part of each directory too.
  init(_ directory: FullDirectory, asksParts: Bool = false) throws {
    self.directory = directory
    for (token, query) in asksParts ? Self.queries : [] {
      let question = CandleQuestion([token], query)
      let whole = try ReadDirectory(SimulatedDisk(directory.image), path: FullDirectory.path, Engine.Settings())
      questions.append((question, Self.rows(whole.engine, question)))
      let part = try ReadDirectory(
        SimulatedDisk(directory.image), path: FullDirectory.path, Engine.Settings(), for: question)
      let isPart = part.isPart
      #expect(isPart)
    }
  }

  private static let queries: [(ByteString, CandleQuery)] = [
    ("ART", CandleQuery(.oneHour, limit: 2)), ("BEE", CandleQuery(.fourHours)),
  ]

  private static func rows(_ engine: borrowing Engine, _ question: CandleQuestion) -> [CandleRow] {
    var rows: [CandleRow] = []
    for token in question.tokens.compactMap({ engine.token($0) }) {
      engine.forEachCandle(of: token, question.query) { rows.append($0) }
    }
    return rows
  }

  /// What a part of a damaged directory answers that it must not; nil where it is right, or refuses.
  private func partAnswer(_ image: DiskState, _ read: DamageVerdict) -> String? {
    if case .earlier = read { return nil }
    for (question, rows) in questions {
      guard
        let part = try? ReadDirectory(
          SimulatedDisk(image), path: FullDirectory.path, Engine.Settings(), for: question)
      else { continue }
      let found = Self.rows(part.engine, question)
      if found != rows { return "\(question.query): \(found.count) rows that are not the \(rows.count)" }
    }
    return nil
  }

  var description: String { "\(tried) tried: \(refused) refused, \(exact) exact, \(earlier) without the last frames" }

  /// Opens a damaged directory.
  ///
  /// - Parameters:
  ///   - earlier: behind which steps it may be besides the last one.
  ///   - file: the file that has to be named; nil for any of the directory.
  mutating func take(_ image: DiskState, earlier allowed: [Int] = [], naming file: String? = nil, _ what: String) {
    let verdict = verdict(image)
    switch verdict {
    case .exact: exact += 1
    case .earlier(let step) where allowed.contains(step): self.earlier += 1
    case .refused(let named) where file == nil || file == named: refused += 1
    case .earlier, .refused, .wrong: Issue.record("\(what): \(verdict)")
    }
  }

  /// What is brought back, both by who only reads and by who writes.
  func verdict(_ image: DiskState) -> DamageVerdict {
    let read = reading(image)
    if case .wrong = read { return read }
    if let fault = partAnswer(image, read) { return .wrong("read as \(read), a part of it: \(fault)") }
    // Whether it is sound is asked of some: that takes as long as the rest.
    if tried % 8 == 0, let fault = verification(image, read) { return .wrong(fault) }
    let disk = SimulatedDisk(image)
    do throws(StorageFailure) {
      _ = try Ledger(disk, path: FullDirectory.path, FullDirectory.options)
    } catch {
      if let changed = change(disk.image, image) { return .wrong("refused, but \(changed) was changed") }
      let own = Self.named(error, image)
      return own == read ? own : .wrong("read as \(read), opened for writing as \(own)")
    }
    let again = reading(disk.image)
    return again == read ? again : .wrong("read as \(read), opened for writing as \(again)")
  }

  /// Whether 'verify' says something else of a directory than who reads it; nil if it says the same.
  private func verification(_ image: DiskState, _ read: DamageVerdict) -> String? {
    guard let found = try? Verification(SimulatedDisk(image), path: FullDirectory.path) else { return "not verified" }
    guard case .refused(let file) = read else { return found.isSound ? nil : "verified: \(found.failures)" }
    let isNamed = found.failures.contains { Self.named($0, image) == .refused(file: file) }
    return isNamed ? nil : "read as \(read), verified: \(found.failures)"
  }

  private func reading(_ image: DiskState) -> DamageVerdict {
    let state: DirectoryState
    do {
      let read = try ReadDirectory(SimulatedDisk(image), path: FullDirectory.path, Engine.Settings())
      state = try DirectoryState(read.engine)
      let wrong = read.engine.checkInvariants()
      if !wrong.isEmpty { return .wrong("invariants: \(wrong.prefix(3))") }
    } catch let failure as StorageFailure {
      return Self.named(failure, image)
    } catch { return .wrong("\(error)") }
    if state == directory.state { return .exact }
    let step = directory.moments.lastIndex { $0.state == state }
    return step.map { .earlier($0) } ?? .wrong("another state")
  }

  /// Which file a refusal names.
  private static func named(_ failure: StorageFailure, _ image: DiskState) -> DamageVerdict {
    switch failure {
    case .damaged(let file, let byte, _, _):
      let isThere = file.hasPrefix(FullDirectory.path + "/") && byte >= 0
      return isThere ? .refused(file: file) : .wrong("\(failure)")
    case .newer(let file, _), .otherPrice(let file, _, _): return .refused(file: file)
    default: return .wrong("\(failure)")
    }
  }

  /// What differs besides the text of the lock; nil if nothing does.
  private func change(_ found: DiskState, _ image: DiskState) -> String? {
    if found.names != image.names { return "a name" }
    return found.names.first {
      $0.key != FullDirectory.path + "/lock" && found.files[$0.value] != image.files[$0.value]
    }?
    .key
  }
}
