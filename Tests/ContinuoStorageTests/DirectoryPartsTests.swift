// Parts of a directory that is being opened: when they can be read, and what waits for that.
// Invariant: what is wrong with the files themselves is found before anybody reads a part.
// Not here: what a part answers (CandleQuestionTests), who asks meanwhile (ContinuoServerTests).

import Continuo
import ContinuoBytes
import ContinuoStorage
import ContinuoTestSupport
import Testing

@Suite("Parts of a directory that is being opened")
struct DirectoryPartsTests {
  private static let path = FullDirectory.path

  /// Two stretches in kept files, and a batch in the journal behind.
  private static func disk() throws -> SimulatedDisk {
    let disk = SimulatedDisk()
    var options = FullDirectory.options
    options.durability = .os
    let ledger = try Ledger(disk, path: path, options)
    _ = try ledger.take(FullDirectory.batch(0, hour: 1, block: 100, names: 0..<9), wallClock: nil)
    _ = try ledger.take(FullDirectory.batch(3, hour: 1, block: 300, names: 0..<7), wallClock: nil)
    _ = try ledger.checkpoint()
    _ = try ledger.take(FullDirectory.batch(3, hour: 9, block: 500, names: 0..<3), wallClock: nil)
    return SimulatedDisk(disk.image)
  }

  private static func options(_ checked: (@Sendable (DirectoryParts) -> Void)?) -> Ledger.Options {
    var options = FullDirectory.options
    options.onChecked = checked
    return options
  }

  private static func question(_ disk: SimulatedDisk) throws -> (CandleQuestion, rows: Int) {
    let whole = try ReadDirectory(SimulatedDisk(disk.image), path: path, FullDirectory.options.engine)
    let token = try #require(whole.engine.tokens().first)
    let question = CandleQuestion([whole.engine.name(of: token)], CandleQuery(.oneHour))
    var rows = 0
    whole.engine.forEachCandle(of: token, question.query) { _ in rows += 1 }
    return (question, rows)
  }

  private static func rows(_ publication: Publication, _ question: CandleQuestion) -> Int {
    var rows = 0
    var reader = publication.reader()
    reader.read { market in
      guard let token = market.token(question.tokens[0]) else { return }
      market.forEachCandle(of: token, question.query) { _ in rows += 1 }
    }
    return rows
  }

  /// Rule 7.5: nothing is written while a part is read, and none is read once anything may be.
  @Test("Writing waits for who reads a part")
  func closing() throws {
    let disk = try Self.disk()
    let (question, expected) = try Self.question(disk)
    #expect(expected > 0)
    struct Course {
      var parts: DirectoryParts?
      var isReading = false
      var mayEnd = false
      var isOpen = false
      var rows = 0
      var operations = 0
    }
    let course = MonitorHandle(Course())
    let opener = ThreadHandle {
      let options = Self.options { parts in
        course.locked { ($0.operations, $0.parts) = (disk.operations.count, parts) }
        course.locked(when: { $0.isReading }, { _ in })
      }
      let ledger = try? Ledger(disk, path: Self.path, options)
      #expect(ledger != nil)
      course.locked { $0.isOpen = true }
      withExtendedLifetime(ledger) {}
    }
    let parts = try #require(course.locked(when: { $0.parts != nil }, { $0.parts }))
    // Not by who opens: a thread is waited for where its handle goes.
    let reader = ThreadHandle {
      _ = try? parts.read(question) { publication in
        course.locked { $0.isReading = true }
        course.locked(when: { $0.mayEnd }) { $0.rows = Self.rows(publication, question) }
      }
      course.locked { $0.isReading = true }
    }
    #expect(reader != nil)
    let isEarly = course.locked(when: { $0.isOpen }, withinMicroseconds: 200_000, { $0.isOpen })
    #expect(!isEarly)
    #expect(disk.operations.count == course.locked { $0.operations })
    course.locked { $0.mayEnd = true }
    opener?.join()
    reader?.join()
    #expect(course.locked { $0.rows } == expected)
    let late = try parts.read(question) { Self.rows($0, question) }
    #expect(late == nil)
    // Nobody but the ledger held the directory, and that is gone.
    let again = try Ledger(disk, path: Self.path, FullDirectory.options)
    withExtendedLifetime(again) {}
  }

  /// Rule 8: what a failed sync left can be read and is on no disk: it is written once more before anybody is shown it.
  @Test("What is read of the journal is on the disk")
  func durable() throws {
    let disk = try Self.disk()
    let before = disk.image
    do {
      let ledger = try Ledger(disk, path: Self.path, FullDirectory.options)
      disk.loseSync(after: 0)
      #expect(throws: StorageFailure.self) {
        try ledger.take(FullDirectory.batch(3, hour: 11, block: 700, names: 0..<3), wallClock: nil)
      }
    }
    let (question, expected) = try Self.question(disk)
    let outcome = MonitorHandle<(shown: Int?, kept: Int)?>(nil)
    let options = Self.options { parts in
      let shown = try? parts.read(question) { Self.rows($0, question) }
      var random = SeededGenerator(seed: 1)
      // The machine goes down here, and what no sync was for is gone.
      let image = CrashImages(disk.operations[...], on: before).image(keepsNames: true, using: &random) { _ in .dropped
      }
      let kept = try? Self.question(SimulatedDisk(image)).rows
      outcome.locked { $0 = (shown ?? nil, kept ?? -1) }
    }
    let ledger = try Ledger(disk, path: Self.path, options)
    let (shown, kept) = try #require(outcome.locked { $0 })
    #expect(shown == expected && kept == expected, "\(expected)")
    withExtendedLifetime(ledger) {}
  }

  /// Expects that an opening that was refused has left events and retention, but for a file that was damaged.
  private static func expectUntouched(_ image: DiskState, _ name: String, _ whole: DiskState) throws {
    var image = image
    guard !name.contains("/journal/"), let number = image.names[name], let before = whole.names[name] else { return }
    image.files[number] = whole.files[before]
    func held(_ image: DiskState) throws -> (Inspection, RetentionPolicy?) {
      let directory = try ReadDirectory(SimulatedDisk(image), path: path, Engine.Settings())
      return (directory.engine.inspection(), directory.engine.settings.retention)
    }
    let (found, expected) = (try held(image), try held(whole))
    #expect(found == expected, "\(name)")
  }

  /// Rule 7.5: headers, footers and the end of the journal are looked at first; blocks when they are read.
  @Test("What is found before anybody reads, and what behind")
  func damage() throws {
    let whole = try Self.disk().image
    let longer = try RetentionPolicy("raw=9d")
    func open(_ name: String, byte: Int) throws -> (isChecked: Bool, failure: StorageFailure?) {
      var image = whole
      guard let number = image.names[name], var bytes = image.files[number] else { return (false, nil) }
      bytes[byte < 0 ? bytes.count + byte : byte] ^= 1
      image.files[number] = bytes
      let (isChecked, disk) = (MonitorHandle(false), SimulatedDisk(image))
      var options = Self.options { _ in isChecked.locked { $0 = true } }
      options.engine.retention = longer
      do throws(StorageFailure) {
        _ = try Ledger(disk, path: Self.path, options)
        return (isChecked.locked { $0 }, nil)
      } catch {
        // Whatever was settled: who opens it with the bytes that were there finds what was there.
        try Self.expectUntouched(disk.image, name, whole)
        return (isChecked.locked { $0 }, error)
      }
    }
    let kept = whole.names.keys.filter { $0.hasPrefix(Self.path + "/kept/") }.sorted()
    #expect(kept.count >= 3)
    for name in kept {
      for byte in [5, 30, -1, -10, -20] {
        let outcome = try open(name, byte: byte)
        #expect(!outcome.isChecked && outcome.failure != nil, "\(name) \(byte)")
      }
      let block = try open(name, byte: 100)
      #expect(block.isChecked && block.failure != nil, "\(name)")
    }
    let manifest = try open(Self.path + "/manifest", byte: 40)
    #expect(!manifest.isChecked && manifest.failure != nil)
    for name in whole.names.keys where name.hasPrefix(Self.path + "/journal/") {
      let outcome = try open(name, byte: 20)
      #expect(!outcome.isChecked && outcome.failure != nil, "\(name)")
    }
    let journal = try #require(whole.names.keys.first { $0.hasPrefix(Self.path + "/journal/") })
    let behind = try #require(whole.files[whole.names[journal] ?? 0]?.count)
    // The last byte of a file that ends with zeros: what a crash leaves, and is cut.
    let sound = try open(journal, byte: behind - 1)
    #expect(sound.isChecked && sound.failure == nil, "\(String(describing: sound.failure))")
  }

  /// Rule 7.5: a question that takes more than a part may waits for the whole, and so does one that nobody waits for any more.
  @Test("A part has bounds")
  func bounds() throws {
    let disk = try Self.disk()
    let (question, expected) = try Self.question(disk)
    let image = disk.image
    for (bounds, isRead) in [
      (PartBounds(), true), (PartBounds(swapsMax: 1), false), (PartBounds(isWanted: { false }), false),
    ] {
      let part = try ReadDirectory(
        SimulatedDisk(image), path: Self.path, FullDirectory.options.engine, for: question, within: bounds)
      #expect(part.isPart == isRead)
      var rows = 0
      if let token = part.engine.token(question.tokens[0]) {
        part.engine.forEachCandle(of: token, question.query) { _ in rows += 1 }
      }
      #expect(rows == expected)
    }
  }

  /// Rule 14.3: near a limit of names a part does not tell what a batch was; a token counts once, however many rows it has.
  @Test("The tokens of a journal are counted, not its rows", arguments: [(5, true), (4, false)])
  func limits(tokensMax: Int, isPart: Bool) throws {
    let disk = SimulatedDisk()
    var options = FullDirectory.options
    options.engine = Engine.Settings()
    options.engine.tokensMax = tokensMax
    let ledger = try Ledger(disk, path: Self.path, options)
    for part in 0..<3 {
      var batch = EventBatch()
      for row in 0..<100 {
        // Two in kept files, and one more behind them.
        let name: ByteString = row % 3 == 2 && part > 0 ? "CEE" : row % 2 == 0 ? "ART" : "BEE"
        batch.append(
          Swap(
            block: UInt64(part * 100 + row), timestamp: FullDirectory.start + Int64(part * 100 + row) * 60_000_000,
            token: name, amountUSD: .one, priceUSD: .one))
      }
      _ = try ledger.take(batch, wallClock: nil)
      if part == 0 { _ = try ledger.checkpoint() }
    }
    let question = CandleQuestion(["ART"], CandleQuery(.oneMinute))
    let part = try ReadDirectory(SimulatedDisk(disk.image), path: Self.path, options.engine, for: question)
    #expect(part.isPart == isPart)
  }

  /// Rule 2.5: the ends of time as bounds.
  @Test("Bounds at the ends of time, of a market before 1970")
  func ends() throws {
    let disk = SimulatedDisk()
    var options = FullDirectory.options
    options.engine = Engine.Settings()
    let ledger = try Ledger(disk, path: Self.path, options)
    var batch = EventBatch()
    let old = Timestamp(microseconds: -86_400_000_000 * 365)
    batch.append(Swap(block: 1, timestamp: old, token: "ART", amountUSD: .one, priceUSD: .one))
    batch.append(Swap(block: 2, timestamp: old + 3_600_000_000, token: "BEE", amountUSD: .one, priceUSD: .one))
    _ = try ledger.take(batch, wallClock: nil)
    _ = try ledger.checkpoint()
    let bounds = [Timestamp(microseconds: .min), old, Timestamp(microseconds: .max), nil]
    for from in bounds {
      for to in bounds {
        for limit in [nil, 1, 500, Int.max] {
          for name: ByteString in ["ART", "BEE", "nobody"] {
            let query = CandleQuery(.oneHour, from: from, to: to, limit: limit)
            _ = try ReadDirectory(
              SimulatedDisk(disk.image), path: Self.path, options.engine, for: CandleQuestion([name], query))
          }
        }
      }
    }
  }

  /// Rule 7.5: who wants all of it looked at first waits for that, and a new directory has no parts.
  @Test("Where there are none")
  func none() throws {
    let told = MonitorHandle(0)
    var options = Self.options { _ in told.locked { $0 += 1 } }
    _ = try Ledger(SimulatedDisk(), path: Self.path, options)
    #expect(told.locked { $0 } == 0)
    options.verifiesOnStart = true
    _ = try Ledger(try Self.disk(), path: Self.path, options)
    #expect(told.locked { $0 } == 0)
    options.verifiesOnStart = false
    _ = try Ledger(try Self.disk(), path: Self.path, options)
    #expect(told.locked { $0 } == 1)
  }
}
