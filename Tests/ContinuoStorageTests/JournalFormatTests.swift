// The examples of docs/format/manifest.md and journal.md, decoded: the pages and the program mean the same bytes.
// Invariant: the bytes stand in the pages alone.
// Not here: damage (JournalEndTests).

import Continuo
import ContinuoBytes
import ContinuoStorage
import ContinuoTestSupport
import Foundation
import Testing

@Suite("Journal format")
struct JournalFormatTests {
  private static let pages = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().appending(path: "docs/format")

  /// The lines `offset: bytes` of a page's example, zeros between them.
  private static func bytes(of page: String, count: Int) throws -> [UInt8] {
    let text = try String(contentsOf: pages.appending(path: page), encoding: .utf8)
    var file = [UInt8](repeating: 0, count: count)
    let parts = text.components(separatedBy: "```hex\n")
    guard parts.count == 2 else { return file }
    for line in parts[1].components(separatedBy: "```")[0].split(separator: "\n") {
      let sides = line.split(separator: ":", maxSplits: 1)
      guard sides.count == 2, let start = Int(sides[0], radix: 16) else { return [] }
      let values = sides[1].split(separator: "|")[0].split(separator: " ")
      for index in values.indices { file[start + index] = UInt8(values[index], radix: 16) ?? 0xFF }
    }
    return file
  }

  /// Rule 7.4: described byte by byte.
  @Test("The pages' example is a directory with what the pages say, in every field")
  func example() throws {
    var state = DiskState()
    state.directories = ["/data", "/data/journal"]
    state.names = ["/data/lock": 1, "/data/manifest": 2, "/data/journal/00000001.journal": 3]
    state.files = [
      1: [], 2: try Self.bytes(of: "manifest.md", count: 200), 3: try Self.bytes(of: "journal.md", count: 3 * 4096),
    ]
    let read = try ReadDirectory(SimulatedDisk(state), path: "/data", Engine.Settings())
    #expect(read.restored.records == 2)
    #expect(read.restored.tornTailBytes == 0)
    #expect(read.engine.settings.retention == .standard)
    let tokens = read.engine.tokens()
    let names = tokens.map { read.engine.name(of: $0) }
    #expect(names == ["ART"])
    #expect(read.engine.inspection().swaps == 1)
    #expect(read.engine.newest == Timestamp(microseconds: 1_730_419_200_000_000))
    // The same steps make the same bytes, but for the random identities.
    let expected = try Self.directory().image
    for path in ["/data/manifest", "/data/journal/00000001.journal"] {
      var (found, made) = (try #require(state.bytes(path)), try #require(expected.bytes(path)))
      #expect(found.count == made.count)
      let isManifest = path == "/data/manifest"
      var masked = isManifest ? [16..<24, 196..<200] : [16..<24, 48..<56, 60..<64]
      // A frame repeats the file's identity; its checksum, and the next one's chain, follow from it.
      for frame in [4096, 8192] where !isManifest {
        masked += [frame + 8..<frame + 16, frame + 36..<frame + 40, frame + 60..<frame + 64]
      }
      for range in masked {
        for place in range { (found[place], made[place]) = (0, 0) }
      }
      let differing = found.indices.filter { found[$0] != made[$0] }
      #expect(differing == [], "\(path)")
    }
  }

  /// RFC 3720, section B.4, and a slow sum of other lengths.
  @Test("CRC-32C")
  func checksum() {
    func sum(_ bytes: [UInt8]) -> UInt32 { CRC32C.sum(bytes.span) }
    #expect(sum([UInt8](repeating: 0, count: 32)) == 0x8A91_36AA)
    #expect(sum([UInt8](repeating: 0xFF, count: 32)) == 0x62A8_AB43)
    #expect(sum((0..<32).map { UInt8($0) }) == 0x46DD_794E)
    var random = SeededGenerator(seed: 1)
    for count in 0..<70 {
      let bytes = (0..<count).map { _ in UInt8.random(in: 0...255, using: &random) }
      let slow = CRC32C.slowSum(bytes.span)
      #expect(sum(bytes) == slow)
    }
  }

  /// Writes the example anew: `CONTINUO_EXAMPLE=1 swift test --filter JournalFormatTests`.
  @Test(
    "The example's bytes, for who changes the format",
    .enabled(if: ProcessInfo.processInfo.environment["CONTINUO_EXAMPLE"] != nil))
  func write() throws {
    let image = try Self.directory().image
    for path in ["/data/manifest", "/data/journal/00000001.journal"] {
      let file = image.bytes(path) ?? []
      print("EXAMPLE " + path)
      for start in stride(from: 0, to: file.count, by: 16) {
        let row = Array(file[start..<min(start + 16, file.count)])
        if row.allSatisfy({ $0 == 0 }) { continue }
        let text = row.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined(separator: " ")
        print("EXAMPLE " + String(start, radix: 16) + ": " + text)
      }
    }
  }

  /// The directory of the example.
  private static func directory() throws -> SimulatedDisk {
    let disk = SimulatedDisk()
    var options = Ledger.Options()
    options.journalFileBytes = 3 * 4096
    let ledger = try Ledger(disk, path: "/data", options)
    var batch = EventBatch()
    batch.append(
      Swap(
        chain: 8453, block: 20_000_000, logIndex: 7, timestamp: Timestamp(microseconds: 1_730_419_200_000_000),
        token: "ART", side: .buy, amountUSD: Decimal18(units: 12_500_000_000_000_000_000),
        tokenAmount: Decimal18(whole: 5), wallet: "0x00112233445566778899aabbccddeeff01234567"))
    _ = try ledger.take(batch, wallClock: Timestamp(microseconds: 1_730_419_200_500_000))
    _ = try ledger.rollback(chain: 8453, above: 20_000_000)
    return disk
  }
}

extension DiskState {
  fileprivate func bytes(_ path: String) -> [UInt8]? { files[names[path] ?? 0] }
}
