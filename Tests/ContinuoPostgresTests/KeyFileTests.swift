// The file of keys: what is read of it at any position, and of what a crash has left of it.
// Invariant: a map that is said to be in step is that of its position; nothing else is.
// Not here: what a key stands for (FollowerTests).

import Continuo
import ContinuoPostgres
import ContinuoStorage
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

  /// Rules 20.3, 20.11: whatever a crash leaves of a file that is written anew, it has the rows that the directory's position has.
  @Test("Written anew and cut off behind every call of the disk", arguments: Seeds.thisRun(3))
  func compacted(seed: UInt64) throws {
    var random = SeededGenerator(seed: seed)
    var before = DiskState()
    before.directories = ["/d"]
    let disk = SimulatedDisk(before)
    let shape = FollowedShape(mapping: "m", tables: "t", publication: "p")
    var (file, map, _) = try KeyFile.open(disk, directory: "/d", tables: 2, at: nil)
    try file.reset(shape, kinds: [.swap])
    file.growthBytes = 200
    var (whole, bound, compactions) = (map, Timestamp(microseconds: -6), 0)
    /// From how many calls on the directory has which position, and which rows it has then.
    var taken: [(calls: Int, position: UInt128, map: KeyMap)] = []
    for step in 1...30 {
      let changes = (0..<Int.random(in: 0...6, using: &random)).map { _ in Self.change(&random) }
      for change in changes {
        map.apply(change)
        whole.apply(change)
      }
      try file.append(changes, system: step == 2 ? 77 : nil, at: UInt128(step))
      if step % 8 == 0 { bound = Timestamp(microseconds: bound.microseconds + 2) }
      whole.forget(before: bound)
      taken.append((disk.operations.count, UInt128(step), whole))
      guard file.isLong else { continue }
      compactions += 1
      try file.compact(&map, horizon: bound, at: UInt128(step))
      #expect(map == whole)
    }
    #expect(compactions > 1)
    let operations = disk.operations
    for count in taken[1].calls...operations.count {
      let now = try #require(taken.last { $0.calls <= count })
      for fate in UnsyncedWrite.allCases {
        let images = CrashImages(operations[..<count], on: before)
        let image = images.image(keepsNames: random.chance(50), using: &random) { _ in fate }
        let (again, found, opening) = try KeyFile.open(
          SimulatedDisk(image), directory: "/d", tables: 2, at: now.position)
        var (read, expected) = (found, now.map)
        read.forget(before: bound)
        expected.forget(before: bound)
        // A write that went astray may have hit anything: then the file is found out, and not believed.
        if fate == .elsewhere, opening != .inStep { continue }
        #expect(
          opening == .inStep && read == expected, "behind call \(count) of \(operations.count), \(fate), seed \(seed)")
        #expect(again.system == 77 && again.shape == shape && again.kinds == [.swap])
        #expect(
          again.chains.isSuperset(of: Set(now.map.tableNumbers.flatMap { now.map.events($0).values.map(\.chain) })))
        // Begun anew it still knows whose chains were its own.
        let (chains, other) = (again.chains, FollowedShape(mapping: "n", tables: "t", publication: "p"))
        guard fate == .kept else { continue }
        try again.reset(other, kinds: [.transfer])
        #expect(again.chains == chains && again.kinds == [.swap, .transfer] && again.system == nil)
        #expect(other.difference(from: shape)?.contains("mapping") == true && shape.difference(from: shape) == nil)
      }
    }
  }

  /// Rule 20.3: without room for another file the old one goes on; a disk that fails is told.
  @Test("A disk that is full, and one that fails, while it is written anew")
  func noRoom() throws {
    for (code, isTold) in [(Int32(28), false), (5, true)] {
      let disk = SimulatedDisk()
      try disk.makeDirectory("/d")
      var (file, map, _) = try KeyFile.open(disk, directory: "/d", tables: 1, at: nil)
      let change = KeyChange.put(table: 0, .number(1), KeyedEvent(chain: 1, block: 2, logIndex: 3, timestamp: .first))
      map.apply(change)
      try file.append([change], at: 1)
      disk.fail(after: 2, times: 1, code: code)
      if isTold {
        #expect(throws: StorageFailure.self) { try file.compact(&map, horizon: nil, at: 1) }
      } else {
        try file.compact(&map, horizon: nil, at: 1)
      }
      #expect(disk.hasFailed)
      try file.append([.drop(table: 0, .number(1))], at: 2)
      let (_, read, opening) = try KeyFile.open(disk, directory: "/d", tables: 1, at: 2)
      #expect(opening == .inStep && read.count == 0)
    }
  }

  /// Rule 20.11: lines that could not be written down are kept, and stand in front of the next ones.
  @Test("Rejected rows on a disk that is full for a while")
  func letters() throws {
    let disk = SimulatedDisk()
    try disk.makeDirectory("/d")
    let letters = try DeadLetters(disk, directory: "/d", bytesMax: 10)
    disk.fail(after: 0, times: 2, code: 28)
    #expect(throws: DiskFailure.self) { try letters.append(Array("one\n".utf8)) }
    #expect(throws: DiskFailure.self) { try letters.settle() }
    try letters.settle()
    try letters.append(Array("two\nthree\n".utf8))
    #expect(throws: DeadLetters.Full.self) { try letters.settle() }
    let file = try disk.open("/d/postgres.rejected.ndjson", forWriting: false)
    var bytes: [UInt8] = []
    try file.read(100, at: 0, into: &bytes)
    #expect(String(decoding: bytes, as: UTF8.self) == "one\ntwo\nthree\n")
  }
}
