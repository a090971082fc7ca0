// A data directory on the machine's own disk: who may open it, and with which modes it is made.
// Invariant: directories are removed with the test.
// Not here: crashes (CrashPointTests), processes that are killed (ProcessTests).

import Continuo
import ContinuoStorage
import ContinuoTestSupport
import Foundation
import Synchronization
import Testing

@Suite("Data directory")
struct DataDirectoryTests {
  private static func withDirectory(_ body: (String) throws -> Void) throws {
    let path = FileManager.default.temporaryDirectory.path + "/continuo-\(UInt64.random(in: .min ... .max))"
    defer { try? FileManager.default.removeItem(atPath: path) }
    try body(path)
  }

  private static func mode(_ path: String) throws -> Int {
    let attributes = try FileManager.default.attributesOfItem(atPath: path)
    return (attributes[.posixPermissions] as? NSNumber)?.intValue ?? (attributes[.posixPermissions] as? Int) ?? 0
  }

  /// Rules 7.8, 7.9: one writer, said to be who it is; 0700 and 0600; readers share.
  @Test("One writer, its process number, modes")
  func oneWriter() throws {
    try Self.withDirectory { path in
      do {
        let ledger = try Ledger(path: path)
        #expect(try ledger.take(.oneSwap(block: 1), wallClock: nil).accepted == 1)
        let own = "\(ProcessInfo.processInfo.processIdentifier)"
        #expect(throws: StorageFailure.locked(path: path, holder: own)) { try Ledger(path: path) }
        #expect(throws: StorageFailure.locked(path: path, holder: own)) { _ = try ReadDirectory(path: path) }
        #expect(try Self.mode(path) == 0o700)
        #expect(try Self.mode(path + "/journal") == 0o700)
        #expect(try Self.mode(path + "/journal/00000001.journal") == 0o600)
        #expect(try Self.mode(path + "/lock") == 0o600)
        #expect(try Self.mode(path + "/manifest") == 0o600)
      }
      let one = try ReadDirectory(path: path)
      let other = try ReadDirectory(path: path)
      #expect(one.engine.inspection().swaps == 1)
      #expect(other.journalBytes > 16 << 20)
      let ledger = try Ledger(path: path)
      #expect(ledger.opening.rows == 1)
    }
  }

  /// Rule 7.8: a lock ends with its ledger, whoever else has the descriptor by then: a process that is being started.
  @Test("A directory is free as soon as its ledger is gone, also while processes are started")
  func freeAtOnce() throws {
    try Self.withDirectory { path in
      let isDone = Mutex(false)
      let started = Threads.run(
        1,
        { _ -> Int in
          var started = 0
          while !isDone.withLock({ $0 }) {
            let process = Process()
            process.executableURL = URL(filePath: "/bin/true")
            guard (try? process.start()) != nil else { continue }
            process.waitUntilExit()
            started += 1
          }
          return started
        },
        while: {
          for round in 0..<200 {
            do {
              _ = try Ledger(path: path, Self.small)
              _ = try ReadDirectory(path: path)
            } catch { Issue.record("round \(round): \(error)") }
          }
          isDone.withLock { $0 = true }
        })
      #expect((started.first ?? 0) > 0)
    }
  }

  private static var small: Ledger.Options {
    var options = Ledger.Options()
    options.journalFileBytes = 4 * 4096
    return options
  }

  @Test("A directory that is not there, whose parent is not there, that is a file, behind a link")
  func odd() throws {
    try Self.withDirectory { path in
      #expect(throws: StorageFailure.missing(path: path)) { _ = try ReadDirectory(path: path) }
      #expect(throws: StorageFailure.self) { try Ledger(path: path + "/no/such") }
      _ = try Ledger(path: path)
      try FileManager.default.createSymbolicLink(atPath: path + "-link", withDestinationPath: path)
      defer { try? FileManager.default.removeItem(atPath: path + "-link") }
      let ledger = try Ledger(path: path + "-link")
      #expect(ledger.opening.records == 0)
    }
    try Self.withDirectory { path in
      #expect(FileManager.default.createFile(atPath: path, contents: nil))
      #expect(throws: StorageFailure.self) { try Ledger(path: path) }
    }
  }

  /// Rule 6: how long events are kept is kept in the directory, and changed by who opens it for writing.
  @Test("Retention is the directory's")
  func retention() throws {
    func policy(_ path: String) throws -> RetentionPolicy? {
      let read = try ReadDirectory(path: path)
      return read.engine.settings.retention
    }
    try Self.withDirectory { path in
      _ = try Ledger(path: path, Self.small)
      #expect(try policy(path) == .standard)
      var options = Self.small
      options.engine.retention = try RetentionPolicy("raw=7d,1m=2d")
      _ = try Ledger(path: path, options)
      #expect(try policy(path) == options.engine.retention)
      let day: Int64 = 86_400_000_000
      func swap(_ block: UInt64, day number: Int64) -> EventBatch {
        var batch = EventBatch()
        batch.append(
          Swap(
            block: block, timestamp: Timestamp(microseconds: 1_700_000_000_000_000 + number * day), token: "ART",
            amountUSD: .one, priceUSD: .one))
        return batch
      }
      do {
        // Nobody says what is kept: eight days later the first one goes.
        let ledger = try Ledger(path: path, Self.small)
        for number in [Int64(0), 4, 8] { _ = try ledger.take(swap(UInt64(number) + 1, day: number), wallClock: nil) }
        #expect(try ledger.moveHorizon() == 1)
      }
      let asked = try ReadDirectory(path: path, Engine.Settings(retention: .standard))
      #expect(asked.engine.settings.retention == .standard)
      #expect(asked.engine.inspection().swaps == 2)
      #expect(try policy(path) == options.engine.retention)
    }
  }

  /// Rule 3.3: what a price is belongs to the directory; another mode is refused, in the files and in a batch.
  @Test("One price mode")
  func price() throws {
    try Self.withDirectory { path in
      let file = path + "/journal/00000001.journal"
      var options = Ledger.Options()
      options.price = .amountUSD
      do {
        let ledger = try Ledger(path: path, options)
        #expect(ledger.price == .amountUSD)
        #expect(throws: StorageFailure.otherPrice(file: path, found: .amountUSD, expected: .quoted)) {
          _ = try ledger.take(EventBatch(), wallClock: nil)
        }
        #expect(try ledger.take(EventBatch(price: .amountUSD), wallClock: nil) == Receipt())
      }
      #expect(throws: StorageFailure.otherPrice(file: file, found: .amountUSD, expected: .quoted)) {
        _ = try Ledger(path: path)
      }
      options.price = nil
      #expect(try Ledger(path: path, options).price == .amountUSD)
      #expect(try ReadDirectory(path: path).restored.records == 1)
    }
  }

  /// Rule 7.8: a directory is made only where that was asked for; whoever reads keeps writers out, and is not taken for one.
  @Test("No directory is made unawares; readers keep writers out")
  func others() throws {
    try Self.withDirectory { path in
      var options = Ledger.Options()
      options.makesDirectory = false
      #expect(throws: StorageFailure.missing(path: path)) { _ = try Ledger(path: path, options) }
      #expect(!FileManager.default.fileExists(atPath: path))
      _ = try Ledger(path: path)
      let shared = try RealDisk().lock(path + "/lock", shared: true)
      #expect(shared != nil)
      #expect(throws: StorageFailure.beingRead(path: path)) { _ = try Ledger(path: path, options) }
      withExtendedLifetime(shared) {}
    }
  }

  /// Rule 8: a hundred writers of single events at once: each is answered, and what they see was synced.
  @Test("Many threads take their steps together")
  func manyThreads() throws {
    try Self.withDirectory { path in
      do {
        let ledger = try Ledger(path: path)
        let wrong = Threads.run(
          16,
          { thread -> Int in
            var wrong = 0
            for index in 0..<20 {
              let receipt = try? ledger.take(.oneSwap(block: UInt64(thread), logIndex: UInt32(index)), wallClock: nil)
              if receipt?.accepted != 1 { wrong += 1 }
            }
            return wrong
          }, while: {})
        #expect(wrong == [Int](repeating: 0, count: 16))
      }
      let read = try ReadDirectory(path: path)
      #expect(read.engine.inspection().swaps == 320)
    }
  }
}
