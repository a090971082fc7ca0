// The map of keys in a file: what each batch changes of it, in a frame that is synced before the batch is taken.
// Invariant: a frame whose batch was not taken counts for nothing, and what a crash cut off neither; so file and directory are never
// of two moments.
// Not here: the map (KeyMap), when a frame is written (Follower), how its bytes look for others: nobody else reads it.

internal import Continuo
internal import ContinuoBytes
package import ContinuoStorage

/// A file of frames: length, checksum, position, changes.
package final class KeyFile {
  /// What was found when it was opened.
  package enum Opening: Equatable, Sendable {
    /// The map is as the directory's last batch left it.
    case inStep
    /// The file does not end where the directory does: one of both is of another moment, or the file is gone.
    case outOfStep(file: UInt128?, directory: UInt128?)
  }

  private let disk: any Disk
  private let path: String
  private var file: any DiskFile
  private var end: Int64 = 0
  /// Which server it is of; nil before its first snapshot has ended.
  package private(set) var system: UInt64?
  /// How long it was when it was last written anew.
  private var compactBytes: Int64 = 0
  /// Rows are written anew when there is so much more than then.
  private static let growthBytes: Int64 = 64 << 20
  private static let magic = Array("continuo keys 1\n".utf8)
  private static let headBytes = 8

  private init(_ disk: any Disk, _ path: String, _ file: any DiskFile) {
    (self.disk, self.path, self.file) = (disk, path, file)
  }

  /// Opens the file of a directory, and reads what of it belongs to the batches up to a position. O(bytes).
  ///
  /// - Parameter position: how far the directory is; nil where nothing of the source was taken.
  /// What it is called in its directory.
  static let name = "postgres.keys"

  package static func open(
    directory: String, tables: Int, at position: UInt128?
  ) throws(StorageFailure) -> (file: KeyFile, map: KeyMap, opening: Opening) {
    try open(RealDisk(), directory: directory, tables: tables, at: position)
  }

  package static func open(
    _ disk: any Disk, directory: String, tables: Int, at position: UInt128?
  ) throws(StorageFailure) -> (file: KeyFile, map: KeyMap, opening: Opening) {
    do throws(DiskFailure) {
      let path = directory + "/" + name
      let isThere = try disk.names(in: directory)?.contains(name) ?? false
      guard isThere, let position else {
        let keys = KeyFile(disk, path, try disk.create(path))
        try keys.begin(directory)
        let opening: Opening = position == nil ? .inStep : .outOfStep(file: nil, directory: position)
        return (keys, KeyMap(tables: tables), opening)
      }
      let keys = KeyFile(disk, path, try disk.open(path, forWriting: true))
      var map = KeyMap(tables: tables)
      let last = try keys.read(upTo: position, &map, tables: tables)
      let opening: Opening = last == position ? .inStep : .outOfStep(file: last, directory: position)
      if last == position { try keys.compact(map, position, directory) }
      return (keys, map, opening)
    } catch { throw .disk(error) }
  }

  /// Begins anew, empty.
  package func reset(directory: String) throws(StorageFailure) {
    do throws(DiskFailure) {
      file = try disk.create(path)
      system = nil
      try begin(directory)
    } catch { throw .disk(error) }
  }

  private func begin(_ directory: String) throws(DiskFailure) {
    try file.write(Self.magic.span, at: 0)
    try file.sync()
    try disk.syncDirectory(directory)
    end = Int64(Self.magic.count)
    compactBytes = end
  }

  /// Puts the changes of a batch on the disk, in front of the batch. O(changes) and a sync.
  ///
  /// - Parameters:
  ///   - system: which server all of this is of, where that is to be noted.
  ///   - isSynced: whether it waits for the disk; else the next one that does is behind this one too.
  package func append(
    _ changes: [KeyChange], system: UInt64? = nil, isSynced: Bool = true, at position: UInt128
  ) throws(StorageFailure) {
    do throws(DiskFailure) {
      if let system { self.system = system }
      try write(changes, system: system, at: position)
      if isSynced { try file.sync() }
    } catch { throw .disk(error) }
  }

  private func write(_ changes: [KeyChange], system: UInt64?, at position: UInt128) throws(DiskFailure) {
    var payload: [UInt8] = []
    BigEndian.append(position, to: &payload)
    if let system {
      payload += [4, 0]
      BigEndian.append(system, to: &payload)
    }
    for change in changes { Self.append(change, to: &payload) }
    var frame: [UInt8] = []
    BigEndian.append(UInt32(payload.count), to: &frame)
    BigEndian.append(CRC32C.sum(payload.span), to: &frame)
    frame += payload
    try file.write(frame.span, at: end)
    end += Int64(frame.count)
  }

  /// Writes all rows anew where much has been written since the last time.
  private func compact(_ map: KeyMap, _ position: UInt128, _ directory: String) throws(DiskFailure) {
    guard end > 2 * compactBytes + Self.growthBytes else { return }
    let new = KeyFile(disk, path + ".new", try disk.create(path + ".new"))
    try new.begin(directory)
    var changes: [KeyChange] = []
    for table in map.tableNumbers {
      for (key, event) in map.events(table) {
        changes.append(.put(table: table, key, event))
        if changes.count == 100_000 {
          try new.write(changes, system: nil, at: position)
          changes = []
        }
      }
    }
    try new.write(changes, system: system, at: position)
    try new.file.sync()
    try disk.rename(path + ".new", to: path)
    try disk.syncDirectory(directory)
    (file, end, compactBytes) = (new.file, new.end, new.end)
  }

  // MARK: reading

  /// Reads frames up to a position, and forgets those behind it; the last position that there is up to it.
  private func read(upTo position: UInt128, _ map: inout KeyMap, tables: Int) throws(DiskFailure) -> UInt128? {
    var bytes: [UInt8] = []
    let length = try file.bytes()
    try file.read(Int(length), at: 0, into: &bytes)
    guard bytes.starts(with: Self.magic) else { return nil }
    var (offset, last): (Int, UInt128?) = (Self.magic.count, nil)
    while let (payload, next) = Self.frame(bytes, at: offset), let at: UInt128 = BigEndian.value(payload),
      at <= position
    {
      guard let (changes, system) = Self.changes(payload, tables: tables) else { break }
      if let system { self.system = system }
      for change in changes { map.apply(change) }
      (offset, last) = (next, at)
    }
    end = Int64(offset)
    compactBytes = end
    // So that nothing of what is behind can be taken for a frame later: a length of zero ends what is read.
    if Int64(offset) < length {
      var (zeros, at) = ([UInt8](repeating: 0, count: 1 << 16), Int64(offset))
      while at < length {
        if length - at < Int64(zeros.count) { zeros.removeLast(zeros.count - Int(length - at)) }
        try file.write(zeros.span, at: at)
        at += Int64(zeros.count)
      }
      try file.sync()
    }
    return last
  }

  private static func frame(_ bytes: [UInt8], at offset: Int) -> (payload: [UInt8], next: Int)? {
    guard let length: UInt32 = BigEndian.value(bytes, at: offset),
      let sum: UInt32 = BigEndian.value(bytes, at: offset + 4),
      length >= 16, Int(length) <= bytes.count - offset - headBytes
    else { return nil }
    let next = offset + headBytes + Int(length)
    let payload = Array(bytes[(offset + headBytes)..<next])
    return CRC32C.sum(payload.span) == sum ? (payload, next) : nil
  }

  private static func append(_ change: KeyChange, to bytes: inout [UInt8]) {
    switch change {
    case .put(let table, let key, let event):
      bytes += [1, UInt8(table)]
      append(key, to: &bytes)
      BigEndian.append(event.chain, to: &bytes)
      BigEndian.append(event.block, to: &bytes)
      BigEndian.append(event.logIndex, to: &bytes)
      BigEndian.append(event.timestamp.microseconds, to: &bytes)
    case .drop(let table, let key):
      bytes += [2, UInt8(table)]
      append(key, to: &bytes)
    case .clear(let table): bytes += [3, UInt8(table)]
    }
  }

  private static func append(_ key: RowKey, to bytes: inout [UInt8]) {
    switch key {
    case .number(let number):
      bytes.append(1)
      BigEndian.append(number, to: &bytes)
    case .bytes(let value):
      bytes.append(2)
      BigEndian.append(UInt32(value.count), to: &bytes)
      bytes += value
    }
  }

  /// The changes of a frame; nil where it is none of ours, or of other tables.
  private static func changes(_ payload: [UInt8], tables: Int) -> (changes: [KeyChange], system: UInt64?)? {
    var (changes, offset, system): ([KeyChange], Int, UInt64?) = ([], 16, nil)
    while offset < payload.count {
      guard payload.count - offset >= 2, Int(payload[offset + 1]) < tables else { return nil }
      let (kind, table) = (payload[offset], Int(payload[offset + 1]))
      offset += 2
      if kind == 3 {
        changes.append(.clear(table: table))
        continue
      }
      if kind == 4 {
        guard let number: UInt64 = BigEndian.value(payload, at: offset) else { return nil }
        (system, offset) = (number, offset + 8)
        continue
      }
      guard let key = key(payload, &offset) else { return nil }
      guard kind == 1 else {
        changes.append(.drop(table: table, key))
        continue
      }
      guard let chain: UInt32 = BigEndian.value(payload, at: offset),
        let block: UInt64 = BigEndian.value(payload, at: offset + 4),
        let logIndex: UInt32 = BigEndian.value(payload, at: offset + 12),
        let time: Int64 = BigEndian.value(payload, at: offset + 16)
      else { return nil }
      offset += 24
      let event = KeyedEvent(chain: chain, block: block, logIndex: logIndex, timestamp: Timestamp(microseconds: time))
      changes.append(.put(table: table, key, event))
    }
    return (changes, system)
  }

  private static func key(_ payload: [UInt8], _ offset: inout Int) -> RowKey? {
    guard let kind: UInt8 = BigEndian.value(payload, at: offset) else { return nil }
    offset += 1
    if kind == 1 {
      guard let number: Int64 = BigEndian.value(payload, at: offset) else { return nil }
      offset += 8
      return .number(number)
    }
    guard let count: UInt32 = BigEndian.value(payload, at: offset), Int(count) <= payload.count - offset - 4 else {
      return nil
    }
    offset += 4 + Int(count)
    return .bytes(Array(payload[(offset - Int(count))..<offset]))
  }
}
