// The file of keys: what is read of it at any position, and of what a crash has left of it.
// Invariant: a map that is said to be in step is that of its position; nothing else is.
// Not here: what a key stands for (FollowerTests).

import Continuo
import ContinuoPostgres
import ContinuoTestSupport
import Foundation
import Testing

@Suite("What a deleted row was, in a file")
struct KeyFileTests {
  /// A folder that is gone with the value.
  private final class Place {
    let path: String

    init() throws {
      let url = FileManager.default.temporaryDirectory.appending(path: "continuo-\(UUID().uuidString)")
      try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
      path = url.path
    }

    var file: URL { URL(filePath: path + "/postgres.keys") }

    deinit { try? FileManager.default.removeItem(atPath: path) }
  }

  private static func change(_ random: inout SeededGenerator) -> KeyChange {
    let table = Int.random(in: 0..<2, using: &random)
    let number = Int64.random(in: -3...20, using: &random)
    let key = random.chance(80) ? RowKey.number(number) : .bytes([UInt8(truncatingIfNeeded: number), 7])
    switch Int.random(in: 0..<20, using: &random) {
    case 0: return .clear(table: table)
    case 1..<6: return .drop(table: table, key)
    default:
      let event = KeyedEvent(
        chain: .random(in: .min ... .max, using: &random), block: .random(in: .min ... .max, using: &random),
        logIndex: 3,
        timestamp: Timestamp(microseconds: .random(in: -5...5, using: &random)))
      return .put(table: table, key, event)
    }
  }

  /// Rules 20.3, 20.11: at each position the map is what it was there, and what was written behind it counts for nothing.
  @Test("At every position, and cut off at every byte", arguments: Seeds.thisRun(6))
  func everywhere(seed: UInt64) throws {
    var random = SeededGenerator(seed: seed)
    let place = try Place()
    let (file, empty, opening) = try KeyFile.open(directory: place.path, tables: 2, at: nil)
    #expect(opening == .inStep && empty.count == 0)
    var maps: [UInt128: KeyMap] = [:]
    var (map, position, lengths): (KeyMap, UInt128, [Int]) = (empty, 0, [])
    for step in 0..<12 {
      position += UInt128.random(in: 1...(1 << 100), using: &random)
      let changes = (0..<Int.random(in: 0...6, using: &random)).map { _ in Self.change(&random) }
      for change in changes { map.apply(change) }
      try file.append(changes, system: step == 3 ? 77 : nil, at: position)
      maps[position] = map
      lengths.append(try Data(contentsOf: place.file).count)
    }
    let whole = try Data(contentsOf: place.file)
    var found = 0
    for (at, expected) in maps {
      try whole.write(to: place.file)
      let (again, read, step) = try KeyFile.open(directory: place.path, tables: 2, at: at)
      #expect(step == .inStep && read == expected)
      // What is written from there on is found, and nothing of what was behind it.
      try again.append(
        [.put(table: 0, .number(99), KeyedEvent(chain: 1, block: 2, logIndex: 3, timestamp: .first))], at: at + 1)
      let (_, next, after) = try KeyFile.open(directory: place.path, tables: 2, at: at + 1)
      #expect(
        after == .inStep && next.event(0, .number(99))?.block == 2
          && next.event(1, .number(1)) == expected.event(1, .number(1)))
    }
    for length in 0..<whole.count {
      try whole.prefix(length).write(to: place.file)
      let (_, read, step) = try KeyFile.open(directory: place.path, tables: 2, at: position)
      if step == .inStep {
        found += 1
        #expect(read == maps[position])
      }
    }
    // Only the whole file has the last frame.
    #expect(found == 0)
    try whole.write(to: place.file)
    #expect(
      try KeyFile.open(directory: place.path, tables: 2, at: position + 1).opening
        == .outOfStep(file: position, directory: position + 1))
    try whole.write(to: place.file)
    #expect(try KeyFile.open(directory: place.path, tables: 2, at: position).file.system == 77)
    try FileManager.default.removeItem(at: place.file)
    #expect(
      try KeyFile.open(directory: place.path, tables: 2, at: position).opening
        == .outOfStep(file: nil, directory: position))
  }
}
