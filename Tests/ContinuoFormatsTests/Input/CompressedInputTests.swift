// Compressed files: several members and frames, cut anywhere, damaged anywhere.
// Invariant: what comes out of a damaged file is a prefix of what the whole one gives, and the failure is told.
// Not here: the formats themselves (zlib and liblz4 keep them).

import Continuo
import ContinuoBytes
import ContinuoFormats
import Testing

/// The committed files of Tests/Fixtures/input.
enum InputFixture {
  static func path(_ name: String) -> String {
    let tests = #filePath.split(separator: "/", omittingEmptySubsequences: false).dropLast(3).joined(separator: "/")
    return "\(tests)/Fixtures/input/\(name)"
  }

  static func bytes(_ name: String) throws -> [UInt8] {
    let file = try DescriptorHandle(reading: path(name))
    var bytes: [UInt8] = []
    while try file.read(into: &bytes, atMost: 65_536) > 0 {}
    return bytes
  }
}

/// Rule 10.2: `.gz` of several members and `.lz4`; a corrupt file fails, its rows before that stay.
@Suite("Compressed input")
struct CompressedInputTests {
  private static let compressed = ["trades-members.csv.gz", "trades-frames.csv.lz4"]

  private func plain() -> Reading {
    let reading = Reading(path: InputFixture.path("trades.csv"))
    #expect(reading.rows.count == 300 && reading.failure == nil)
    return reading.content
  }

  @Test("Members and frames behind each other read as one file, in any blocks", arguments: compressed)
  func whole(name: String) throws {
    let plain = plain()
    let bytes = try InputFixture.bytes(name)
    for blockBytes in [1, 2, 7, 100, 4_096, 65_536] {
      #expect(Reading(path: InputFixture.path(name), blockBytes: blockBytes).content == plain)
      #expect(Reading(bytes: bytes, name: name, blockBytes: blockBytes).content == plain)
      // Standard input tells by its first bytes, compression and format.
      #expect(Reading(bytes: bytes, name: "-", blockBytes: blockBytes).content == plain)
    }
  }

  @Test("Cut anywhere but between members: the rows before, then a failure", arguments: compressed)
  func cut(name: String) throws {
    let plain = plain()
    let bytes = try InputFixture.bytes(name)
    var complete: [Int] = []
    for count in 0..<bytes.count {
      let reading = Reading(bytes: Array(bytes[..<count]), name: name)
      #expect(plain.rows.starts(with: reading.rows))
      if let failure = reading.failure {
        #expect(failure.what.contains("ends in the middle, after \(count) bytes"), "\(failure)")
        #expect(!failure.isMissing && failure.file == name)
      } else {
        complete.append(count)
      }
    }
    // Nothing at all, and behind each member or frame but the last.
    #expect(complete.count == (name.hasSuffix(".gz") ? 3 : 2) && complete[0] == 0)
  }

  @Test("A flipped bit: told, or without any effect", arguments: compressed)
  func flipped(name: String) throws {
    let plain = plain()
    let bytes = try InputFixture.bytes(name)
    var told = 0
    for index in bytes.indices {
      var damaged = bytes
      damaged[index] ^= 0x10
      let reading = Reading(bytes: damaged, name: name)
      if reading.failure != nil {
        told += 1
      } else {
        // gzip's header holds a time stamp and flags that no checksum covers.
        #expect(reading.content == plain, "byte \(index)")
      }
    }
    #expect(told > bytes.count - 40)
  }

  @Test("Garbage behind the last member", arguments: compressed)
  func garbage(name: String) throws {
    let plain = plain()
    for tail in [[0], [0x1f], [UInt8](repeating: 0xAA, count: 100)] {
      let reading = Reading(bytes: try InputFixture.bytes(name) + tail, name: name)
      #expect(reading.rows == plain.rows && reading.failure != nil)
    }
  }

  @Test("An empty file has no events, compressed or not")
  func empty() throws {
    for name in ["empty-member.csv.gz", "empty-frame.csv.lz4"] {
      let reading = Reading(path: InputFixture.path(name))
      #expect(reading.failure == nil && reading.offered == 0)
    }
    for name in ["a.csv", "a.ndjson", "a.csv.gz", "a.jsonl.lz4", "-"] {
      let reading = Reading(bytes: [], name: name)
      #expect(reading.failure == nil && reading.offered == 0, "\(name)")
    }
  }

  @Test("A name that promises compression, and one that does not")
  func wrongSuffix() throws {
    let text = "block,timestamp,token,amount_usd,price_usd\n1,1,A,1,1\n"
    for name in ["a.csv.gz", "a.csv.lz4"] {
      let failure = try #require(Reading(text, name: name).failure)
      #expect(failure.what.contains("damaged at about byte") && failure.remedy.contains("fetch the file again"))
    }
    let failure = try #require(
      Reading(bytes: try InputFixture.bytes("trades-members.csv.gz"), name: "trades.csv").failure)
    #expect(
      failure.description == "trades.csv: the file is gzip data, but its suffix does not say so; "
        + "rename it to end in .gz, or give it to standard input (-)")
  }

  @Test("A failure is thrown once the rows before it were handed out, and again on every later call")
  func failureStays() throws {
    let bytes = try InputFixture.bytes("trades-members.csv.gz")
    var options = InputOptions()
    options.batchRows = 10
    var file = try InputFile(bytes: bytes.dropLast(2), name: "a.csv.gz", options: options, blockBytes: 512)
    var batch = EventBatch()
    var rows = 0
    var failures = 0
    for _ in 0..<60 {
      do throws(InputFailure) {
        guard try file.nextBatch(into: &batch) else { break }
        rows += batch.offered
      } catch {
        failures += 1
        #expect(batch.offered == 0)
      }
    }
    #expect(rows == 300 && failures == 30)
  }

  @Test("Progress counts the bytes of the file, and knows their sum")
  func progress() throws {
    for name in ["trades.csv", "trades-members.csv.gz", "trades-frames.csv.lz4"] {
      let size = Int64(try InputFixture.bytes(name).count)
      var file = try InputFile(path: InputFixture.path(name), options: InputOptions(), blockBytes: 256)
      var batch = EventBatch()
      #expect(file.bytesRead == 0 && file.bytesTotal == size)
      while try file.nextBatch(into: &batch) {}
      #expect(file.bytesRead == size)
    }
  }
}
