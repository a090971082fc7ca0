// A file read on another thread says what it says when it is read by itself.
// Invariant: batches, rejections, warnings and failures are compared, in their order.
// Not here: what the rows should be (CSVTests, NDJSONTests).

import Continuo
import ContinuoFormats
import Foundation
import Testing

/// Rule 10.2, and 3.6 for lines and their order.
@Suite("Reading ahead")
struct ReadAheadTests {
  private static func withFile(_ name: String, _ bytes: [UInt8], _ body: (String) throws -> Void) throws {
    let folder = FileManager.default.temporaryDirectory.appending(path: "continuo-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let path = folder.appending(path: name).path
    try Data(bytes).write(to: URL(filePath: path))
    try body(path)
  }

  private static func rows(_ count: Int) -> String {
    (0..<count).reduce(into: "block,timestamp,token,amount_usd,price_usd,stranger\n") { text, row in
      text += row % 7 == 3 ? "\(row),x,T,1,1,\n" : "\(row),\(row),T\(row % 9),1.5,2,\n"
    }
  }

  @Test("The same batches, rejections and warnings", arguments: [0, 1, 9, 10, 11, 2_345])
  func sameReading(count: Int) throws {
    try Self.withFile("a.csv", Array(Self.rows(count).utf8)) { path in
      let ahead = Reading(ahead: path) { $0.batchRows = 10 }
      #expect(ahead == Reading(path: path) { $0.batchRows = 10 })
      #expect(ahead.warnings.count == 1 && ahead.offered == count)
    }
  }

  @Test("A failure comes after the rows before it, and again")
  func failures() throws {
    #expect(Reading(ahead: "no-such-file.csv") == Reading(path: "no-such-file.csv"))
    let broken = Array(Self.rows(100).utf8)
    try Self.withFile("a.csv.gz", broken) { path in
      #expect(Reading(ahead: path) == Reading(path: path))
      #expect(Reading(ahead: path).failure != nil)
      var file = try ReadAhead(path: path, options: InputOptions())
      var batch = EventBatch()
      for _ in 0..<3 {
        #expect(throws: InputFailure.self) { try file.nextBatch(into: &batch) }
      }
    }
  }

  @Test("Who stops early is not kept waiting")
  func stopsEarly() throws {
    try Self.withFile("a.csv", Array(Self.rows(5_000).utf8)) { path in
      for batches in 0..<5 {
        var options = InputOptions()
        options.batchRows = 10
        var file = try ReadAhead(path: path, options: options)
        var batch = EventBatch()
        for _ in 0..<batches { #expect(try file.nextBatch(into: &batch)) }
      }
    }
  }
}
