// Readers beside a writer: every answer within a call is that of one whole batch, and stays so as long as the call lasts.
// Invariant: a failing seed is printed with what to type to see it again.
// Not here: what the answers should be (the model, RecordedMarket), memory (ReadingMemoryTests).

import Continuo
import ContinuoTestSupport
import Foundation
import Synchronization
import Testing

@Suite("Reading while writing")
struct ReadingProperties {
  /// Rules 1.1, 8: versions are held over any part of what happens, within each other, and let go again.
  @Test("A version stays to the bit what it was, whatever is done meanwhile", arguments: Seeds.thisRun(120))
  func versionsStay(seed: UInt64) throws {
    var random = SeededGenerator(seed: seed)
    let shape = MarketShape.versions(using: &random)
    let recorded = try RecordedMarket(shape, seed: seed, isLarge: shape.events > 240)
    var held = HeldVersions(recorded, seed: seed)
    held.run(0..<recorded.market.operations.count, depth: 0)
    if let wrong = held.wrong { Issue.record("\(wrong)\n\(Seeds.replay(seed, "versionsStay"))") }
  }

  /// Rules 1.1, 8: readers on threads of their own, a writer that does not wait for them.
  @Test(
    "Readers see whole batches, each the newest when its call began, and never go back", arguments: Seeds.thisRun(40))
  func readersSeeWholeBatches(seed: UInt64) throws {
    var random = SeededGenerator(seed: seed)
    let shape = MarketShape.versions(using: &random)
    let recorded = try RecordedMarket(shape, seed: seed, isLarge: shape.events > 240)
    let race = Race(recorded, seed: seed)
    for wrong in race.run() { Issue.record("\(wrong)\n\(Seeds.replay(seed, "readersSeeWholeBatches"))") }
  }
}

/// One thread: operations of a market, with versions held open over parts of them.
private struct HeldVersions: ~Copyable {
  private let recorded: RecordedMarket
  private var engine: Engine
  private let publication: Publication
  private var random: SeededGenerator
  var wrong: String?

  init(_ recorded: RecordedMarket, seed: UInt64) {
    self.recorded = recorded
    random = SeededGenerator(seed: seed ^ 0x4EAD)
    engine = Engine(recorded.market.settings)
    publication = engine.publication()
  }

  /// Does some operations; now and then a version is held open over a part of them.
  mutating func run(_ operations: Range<Int>, depth: Int) {
    var next = operations.lowerBound
    while next < operations.upperBound, wrong == nil {
      if depth < 12, random.chance(30) {
        let end = Int.random(in: next + 1...operations.upperBound, using: &random)
        var reader = publication.reader()
        reader.read { version in
          check(version, behind: next, "when it was taken")
          run(next..<end, depth: depth + 1)
          check(version, behind: next, "held over operations \(next)..<\(end)")
        }
        next = end
      } else {
        recorded.perform(next, on: &engine)
        next += 1
      }
    }
  }

  private mutating func check(_ version: borrowing Snapshot, behind index: Int, _ when: String) {
    guard wrong == nil else { return }
    var answers: [MarketAnswer] = []
    for question in recorded.questions { answers.append(version.answer(question)) }
    wrong = recorded.difference(answers, behind: index).map { "version \(index), \(when): \($0)" }
  }
}

/// A writer and readers on threads of their own.
private final class Race: Sendable {
  private let recorded: RecordedMarket
  private let seed: UInt64
  private static let readers = 3
  /// How many operations the writer began, and how many it was done with.
  private let begun = Atomic<Int>(0)
  private let done = Atomic<Int>(0)
  /// How many calls readers were done with.
  private let reads = Atomic<Int>(0)
  private let isOver = Atomic<Bool>(false)

  init(_ recorded: RecordedMarket, seed: UInt64) { (self.recorded, self.seed) = (recorded, seed) }

  /// What went wrong.
  func run() -> [String] {
    var engine = Engine(recorded.market.settings)
    let publication = engine.publication()
    let found: [String?] = Threads.run(Self.readers) {
      self.read(publication, $0)
    } while: {
      var random = SeededGenerator(seed: seed ^ 0x3417)
      waitForReads(Self.readers)
      for index in recorded.market.operations.indices {
        begun.store(index + 1, ordering: .sequentiallyConsistent)
        recorded.perform(index, on: &engine)
        done.store(index + 1, ordering: .sequentiallyConsistent)
        // Mostly the writer goes on at once: calls are longer than batches, so that many batches pass within one.
        if random.chance(20) { waitForReads(Int.random(in: 1...2, using: &random)) }
      }
      waitForReads(Self.readers)
      isOver.store(true, ordering: .sequentiallyConsistent)
    }
    return found.compactMap { $0 }
  }

  /// Lets readers finish some more calls.
  private func waitForReads(_ count: Int) {
    let enough = reads.load(ordering: .relaxed) + count
    while reads.load(ordering: .relaxed) < enough { usleep(20) }
  }

  /// Reads until all is over; the first thing that is wrong.
  private func read(_ publication: Publication, _ number: Int) -> String? {
    var random = SeededGenerator(seed: seed ^ UInt64(number + 1) << 32)
    var last = 0
    var wrong: String?
    var reader = publication.reader()
    while !isOver.load(ordering: .sequentiallyConsistent) {
      // Readers come and go.
      if random.chance(10) { reader = publication.reader() }
      if wrong == nil { wrong = readOnce(&reader, &last, &random) }
      reads.add(1, ordering: .relaxed)
    }
    return wrong.map { "reader \(number): \($0)" }
  }

  private func readOnce(_ reader: inout Reader, _ last: inout Int, _ random: inout SeededGenerator) -> String? {
    let first = max(last, done.load(ordering: .sequentiallyConsistent))
    var answers: [MarketAnswer] = []
    let mayDawdle = random.chance(30)
    let isSteady = reader.read { version in
      for question in recorded.questions {
        answers.append(version.answer(question))
        if mayDawdle, random.chance(10) { usleep(100) }
      }
      let again = Int.random(in: 0..<answers.count, using: &random)
      return version.answer(recorded.questions[again]) == answers[again]
    }
    guard isSteady else { return "one question has two answers in one call" }
    let newest = begun.load(ordering: .sequentiallyConsistent)
    for index in first...newest where recorded.answers[index] == answers {
      last = index
      return nil
    }
    let differences = (first...newest).map { "behind \($0): \(recorded.difference(answers, behind: $0) ?? "")" }
    return "a call saw no whole batch of \(first)...\(newest)\n\(differences.joined(separator: "\n"))"
  }
}
