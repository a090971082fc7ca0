// A directory of format version 1, as it was written once: every later program reads it.
// Invariant: the files of Tests/Fixtures/directory-1 never change, nor does what they say.
// Not here: what today's program writes (the other tests of this folder).

import Continuo
import ContinuoStorage
import ContinuoTestSupport
import Foundation
import Testing

@Suite("Golden directory")
struct GoldenDirectoryTests {
  private static let fixture = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .appending(path: "../Fixtures/directory-1").standardizedFileURL

  /// What is in it: that of `FullDirectory` on 2026-11-26.
  private static let digest = "76bc31e1148b4be393e6ea4545dfeac1d44ce792c6978439eda8281e1a21afd2"

  private static func image() throws -> DiskState {
    var state = DiskState()
    let root = fixture.path
    state.directories = [FullDirectory.path, FullDirectory.path + "/journal", FullDirectory.path + "/kept"]
    for name in try FileManager.default.subpathsOfDirectory(atPath: root).sorted() {
      guard let bytes = FileManager.default.contents(atPath: root + "/" + name) else { continue }
      state = state.with(FullDirectory.path + "/" + name, Array(bytes))
    }
    // A lock is empty, and no file that anybody keeps.
    return state.with(FullDirectory.path + "/lock", [])
  }

  /// Rule 7.4: every older version stays readable, and can be written on.
  @Test("Version 1 is read, is sound, and is gone on with")
  func versionOne() throws {
    let image = try Self.image()
    let read = try ReadDirectory(SimulatedDisk(image), path: FullDirectory.path, Engine.Settings())
    let state = try DirectoryState(read.engine)
    #expect(state.digest == Self.digest)
    #expect(state.inspection.swaps == 31)
    #expect(read.formatVersion == 1)
    let found = try Verification(SimulatedDisk(image), path: FullDirectory.path)
    #expect(found.isSound)
    let disk = SimulatedDisk(image)
    do {
      let ledger = try Ledger(disk, path: FullDirectory.path, FullDirectory.options)
      #expect(try ledger.take(.oneSwap(block: 5000), wallClock: nil).rejections.count == 1)
      _ = try ledger.checkpoint()
    }
    let again = try ReadDirectory(disk, path: FullDirectory.path, Engine.Settings())
    let after = try DirectoryState(again.engine)
    #expect(after.digest == Self.digest)
    let today = try FullDirectory().state
    #expect(today.digest == Self.digest)
  }

  /// Writes a directory of the newest version: `CONTINUO_EXAMPLE=1 swift test --filter GoldenDirectoryTests`. Those of older
  /// versions stay as they are.
  @Test(
    "The directory's files, for who begins a new version",
    .enabled(if: ProcessInfo.processInfo.environment["CONTINUO_EXAMPLE"] != nil))
  func write() throws {
    let directory = try FullDirectory()
    for file in directory.files {
      let url = Self.fixture.appending(path: String(file.dropFirst(FullDirectory.path.count + 1)))
      try FileManager.default.createDirectory(at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
      try Data(directory.bytes(file)).write(to: url)
    }
    print("EXAMPLE \(directory.state.digest) \(directory.state.inspection.swaps)")
  }
}
