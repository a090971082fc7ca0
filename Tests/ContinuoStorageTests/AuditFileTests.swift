// The audit log on a disk that fails, and behind a crash.
// Invariant: nothing was done of which no line is on the disk.
// Not here: what a line says, who writes it (ContinuoServerTests, ContinuoToolTests).

import ContinuoStorage
import ContinuoTestSupport
import Foundation
import Testing

@Suite("The audit log")
struct AuditFileTests {
  private static func lines(_ disk: SimulatedDisk) -> [String] {
    guard let file = disk.image.names["/audit"], let bytes = disk.image.files[file] else { return [] }
    return String(decoding: bytes, as: UTF8.self).components(separatedBy: "\n")
  }

  private static func line(_ number: Int64, _ stage: AuditFile.Stage<Int>) -> [UInt8] {
    switch stage {
    case .begun: Array("\(number) begun\n".utf8)
    case .done(let answer): Array("\(number) done \(answer)\n".utf8)
    case .failed: Array("\(number) failed\n".utf8)
    }
  }

  private struct Refused: Error {}

  /// A line before and one behind, with one number.
  @Test("Acts that succeed, fail, and follow each other")
  func acts() throws {
    let disk = SimulatedDisk()
    let audit = try AuditFile(disk, path: "/audit")
    #expect(try audit.record(Self.line) { 7 } == 7)
    #expect(throws: Refused.self) { try audit.record(Self.line) { throw Refused() } }
    #expect(Self.lines(disk) == ["0 begun", "0 done 7", "17 begun", "17 failed", ""])
    #expect(throws: StorageFailure.self) { try AuditFile(disk, path: "/audit") }
  }

  /// Rule 7.5: what a crash cut off is a line of its own, and the next one is whole.
  @Test("A line that was cut off")
  func cut() throws {
    let disk = SimulatedDisk()
    let file = try disk.create("/audit")
    try file.write(Array("0 begun\n0 do".utf8).span, at: 0)
    let audit = try AuditFile(disk, path: "/audit")
    _ = try audit.record(Self.line) { 1 }
    #expect(Self.lines(disk) == ["0 begun", "0 do", "13 begun", "13 done 1", ""])
  }

  /// Every call of the disk fails once, and the machine goes down behind it: what was done has its line.
  @Test("No act without a line on the disk")
  func failures() throws {
    var (refused, random) = (0, SeededGenerator(seed: 1))
    for step in 0..<20 {
      let disk = SimulatedDisk()
      disk.fail(after: step, times: 1)
      var done = 0
      do {
        let audit = try AuditFile(disk, path: "/audit")
        for _ in 0..<2 {
          _ = try audit.record(Self.line) {
            done += 1
            return done
          }
        }
      } catch is StorageFailure { refused += 1 }
      let image = CrashImages(disk.operations[...]).image(keepsNames: false, using: &random) { _ in .dropped }
      let bytes = image.names["/audit"].flatMap { image.files[$0] } ?? []
      let begun = String(decoding: bytes, as: UTF8.self).components(separatedBy: "begun").count - 1
      #expect(begun >= done, "call \(step): \(done) acts, \(begun) lines")
      if !disk.hasFailed {
        #expect(done == 2 && refused > 4)
        return
      }
    }
    Issue.record("the fault never stops firing")
  }
}
