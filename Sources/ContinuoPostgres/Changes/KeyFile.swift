// The map of keys in a file: what each batch changes of it, in a frame that is synced before the batch is taken.
// Invariant: a frame whose batch was not taken counts for nothing, and what a crash cut off neither; so file and directory are never
// of two moments. The file is bounded by the rows that it knows: a crash while it is written anew leaves the old one or the new one.
// Not here: the map (KeyMap), when a frame is written (ChangeStream), frames one by one (KeyFrames).

package import Continuo
internal import ContinuoBytes
package import ContinuoStorage

#if canImport(Glibc)
  internal import Glibc
#else
  internal import Darwin
#endif

/// A file of frames: length, checksum, position, changes. The first one, of position 0, says what all others are of.
package final class KeyFile {
  /// What was found when it was opened.
  package enum Opening: Equatable, Sendable {
    /// The map is as the directory's last batch left it.
    case inStep
    /// The file does not end where the directory does: one of both is of another moment, or the file is gone.
    case outOfStep(file: UInt128?, directory: UInt128?)
  }

  /// What it is called in its directory.
  static let name = FollowedDirectory.keysName
  private static let magic = Array("continuo keys 2\n".utf8)
  /// So many bytes of rows make a frame where the file is written anew.
  private static let frameBytes = 4 << 20

  private let disk: any Disk
  private let directory: String
  private var path: String { directory + "/" + Self.name }
  private var tail: KeyFrameTail
  /// What stands in front of all frames.
  private var head = KeyFileHead()
  /// Which server it is of; nil before its first snapshot has ended.
  package private(set) var system: UInt64?
  /// How long it would be with nothing in it but rows that are known.
  private var liveBytes: Int64 = 0
  /// It is written anew once it is longer than twice that and so much.
  package var growthBytes: Int64 = 16 << 20

  private init(_ disk: any Disk, _ directory: String, _ tail: KeyFrameTail) {
    (self.disk, self.directory, self.tail) = (disk, directory, tail)
  }

  /// What its rows are of; nil where that was not said.
  package var shape: FollowedShape? { head.shape }
  /// The chains that its rows have or ever had.
  package var chains: Set<UInt32> { head.chains }
  /// The kinds that its tables have or ever had.
  package var kinds: Set<EventKind> { head.kinds }

  /// Opens the file of a directory, and reads what of it belongs to the batches up to a position. O(bytes).
  ///
  /// - Parameter position: how far the directory is; nil where nothing of the source was taken.
  package static func open(
    _ disk: any Disk = RealDisk(), directory: String, tables: Int, at position: UInt128?
  ) throws(StorageFailure) -> (file: KeyFile, map: KeyMap, opening: Opening) {
    do throws(DiskFailure) {
      let path = directory + "/" + name
      var map = KeyMap(tables: tables)
      if try disk.names(in: directory)?.contains(name) == true, let position {
        let file = try disk.open(path, forWriting: true)
        let keys = KeyFile(disk, directory, KeyFrameTail(file))
        let last = try keys.read(upTo: position, &map, tables: tables)
        keys.noteLive(map)
        return (keys, map, last == position ? .inStep : .outOfStep(file: last, directory: position))
      }
      let keys = KeyFile(disk, directory, try KeyFrameTail(disk, path + ".new", magic))
      try keys.replace(with: nil, at: 0)
      return (keys, map, position == nil ? .inStep : .outOfStep(file: nil, directory: position))
    } catch { throw .disk(error) }
  }

  /// Begins anew without rows; chains and kinds that were known stay so.
  package func reset(_ shape: FollowedShape, kinds: Set<EventKind>) throws(StorageFailure) {
    do throws(DiskFailure) {
      (system, head.shape) = (nil, shape)
      head.kinds.formUnion(kinds)
      try replace(with: nil, at: 0)
    } catch { throw .disk(error) }
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
      var payload = KeyFrameTail.payload(at: position)
      if let system { KeyFileHead.append(system: system, to: &payload) }
      for change in changes {
        if case .put(_, _, let event) = change { head.note(chain: event.chain) }
        Self.append(change, to: &payload)
      }
      try tail.append(payload)
      if isSynced { try tail.file.sync() }
    } catch { throw .disk(error) }
  }

  // MARK: bounds

  /// Says which rows are known, for who asks whether the file is long. O(rows).
  package func noteLive(_ map: KeyMap) { liveBytes = map.encodedBytes }

  /// Whether it is much longer than the rows that it knows. O(1).
  package var isLong: Bool { tail.end > 2 * liveBytes + growthBytes }

  /// Forgets rows whose events can be retracted no more, and writes the file anew. O(rows).
  ///
  /// - Parameter position: how far the directory is, synced.
  package func compact(_ map: inout KeyMap, horizon: Timestamp?, at position: UInt128) throws(StorageFailure) {
    if let horizon { map.forget(before: horizon) }
    do throws(DiskFailure) {
      try replace(with: map, at: position)
      noteLive(map)
    } catch {
      // Without room the old one goes on; it is tried again when that has grown once more.
      guard error.code == ENOSPC else { throw .disk(error) }
      try? disk.remove(path + ".new")
      liveBytes = tail.end
    }
  }

  /// Writes another file, and gives it the name of this one once it is on the disk.
  private func replace(with map: KeyMap?, at position: UInt128) throws(DiskFailure) {
    var new = try KeyFrameTail(disk, path + ".new", Self.magic)
    try new.append(head.payload)
    if let map {
      var payload = KeyFrameTail.payload(at: position)
      for table in map.tableNumbers {
        for (key, event) in map.events(table) {
          Self.append(.put(table: table, key, event), to: &payload)
          guard payload.count >= Self.frameBytes else { continue }
          try new.append(payload)
          payload = KeyFrameTail.payload(at: position)
        }
      }
      if let system { KeyFileHead.append(system: system, to: &payload) }
      try new.append(payload)
    }
    try new.file.sync()
    try disk.rename(path + ".new", to: path)
    try disk.syncDirectory(directory)
    tail = new
  }

  // MARK: reading

  /// Reads frames up to a position, and forgets those behind it; the last position that there is up to it.
  private func read(upTo position: UInt128, _ map: inout KeyMap, tables: Int) throws(DiskFailure) -> UInt128? {
    var frames = try KeyFrames(tail.file)
    guard try frames.begins(with: Self.magic) else { return nil }
    var last: UInt128?
    tail.end = frames.offset
    while let payload = try frames.next(), let at: UInt128 = BigEndian.value(payload), at <= position {
      guard let changes = changes(payload, tables: tables) else { break }
      for change in changes { map.apply(change) }
      (tail.end, last) = (frames.offset, at)
    }
    // So that nothing of what is behind can be taken for a frame later: a length of zero ends what is read.
    try tail.clearRest()
    return last
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
  private func changes(_ payload: [UInt8], tables: Int) -> [KeyChange]? {
    var (changes, offset): ([KeyChange], Int) = ([], 16)
    while offset < payload.count {
      if let read = head.read(payload, &offset, &system) {
        guard read else { return nil }
        continue
      }
      guard payload.count - offset >= 2, Int(payload[offset + 1]) < tables else { return nil }
      let (kind, table) = (payload[offset], Int(payload[offset + 1]))
      offset += 2
      if kind == 3 {
        changes.append(.clear(table: table))
        continue
      }
      guard let key = Self.key(payload, &offset) else { return nil }
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
      head.note(chain: chain)
      let event = KeyedEvent(chain: chain, block: block, logIndex: logIndex, timestamp: Timestamp(microseconds: time))
      changes.append(.put(table: table, key, event))
    }
    return changes
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
