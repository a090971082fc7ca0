// What may be on a disk after a crash: everything that was synced, and any part of what was not.
// Invariant: the same operations, place and choice give the same image.
// Not here: the calls (SimulatedDisk), what must come back (CrashPointTests).

/// What becomes of a write that was not synced.
package enum UnsyncedWrite: CaseIterable, Sendable {
  case kept, dropped, torn, garbage, zeros, lengthOnly, elsewhere
}

/// The images that a crash behind some operations may leave.
package struct CrashImages: Sendable {
  private static let sectorBytes = 512
  private var durable = DiskState()
  /// Changes of names that no sync of their directory has made last, by directory.
  private var names: [String: [DiskOperation]] = [:]
  private var writes: [(file: Int, offset: Int, bytes: [UInt8])] = []

  /// - Parameters:
  ///   - before: what was there before the first of them, all of it durable.
  package init(_ operations: ArraySlice<DiskOperation>, on before: DiskState = DiskState()) {
    durable = before
    for operation in operations { take(operation) }
  }

  private mutating func take(_ operation: DiskOperation) {
    switch operation {
    case .makeDirectory(let path), .create(let path, _), .rename(_, let path), .remove(let path):
      names[SimulatedDisk.parent(path), default: []].append(operation)
    case .write(let file, let offset, let bytes): writes.append((file, offset, bytes))
    case .sync(let file):
      for write in writes where write.file == file {
        DiskState.write(write.bytes, at: write.offset, to: &durable.files[file, default: []])
      }
      writes.removeAll { $0.file == file }
    case .lostSync(let file): writes.removeAll { $0.file == file }
    case .syncDirectory(let path):
      for operation in names.removeValue(forKey: path) ?? [] { Self.name(operation, &durable) }
    }
  }

  /// A name that comes to be says nothing of what is in the file.
  private static func name(_ operation: DiskOperation, _ state: inout DiskState) {
    if case .create(let path, let file) = operation {
      state.names[path] = file
      if state.files[file] == nil { state.files[file] = [] }
    } else {
      state.perform(operation)
    }
  }

  /// How many writes were not synced.
  package var unsynced: Int { writes.count }

  /// An image: each unsynced write as `fate` says, of the unsynced names a part that `random` picks, or all.
  package func image(
    keepsNames: Bool, using random: inout SeededGenerator, _ fate: (Int) -> UnsyncedWrite
  ) -> DiskState {
    var state = durable
    for (_, operations) in names.sorted(by: { $0.key < $1.key }) {
      let kept = keepsNames ? operations.count : Int.random(in: 0...operations.count, using: &random)
      for operation in operations.prefix(kept) { Self.name(operation, &state) }
    }
    for (index, write) in writes.enumerated() {
      var file = state.files[write.file, default: []]
      let before = file + [UInt8](repeating: 0, count: max(0, write.offset + write.bytes.count - file.count))
      var bytes = write.bytes
      var offset = write.offset
      switch fate(index) {
      case .kept: break
      case .dropped: continue
      case .zeros: bytes = [UInt8](repeating: 0, count: bytes.count)
      case .lengthOnly: bytes = Array(before[offset..<offset + bytes.count])
      case .elsewhere:
        let blocks = max(1, before.count / 4096)
        offset = min(Int.random(in: 0..<blocks, using: &random) * 4096, max(0, before.count - bytes.count))
      case .torn, .garbage:
        let isGarbage = fate(index) == .garbage
        for sector in stride(from: 0, to: bytes.count, by: Self.sectorBytes) where random.chance(50) {
          for place in sector..<min(sector + Self.sectorBytes, bytes.count) {
            bytes[place] = isGarbage ? UInt8.random(in: 0...255, using: &random) : before[offset + place]
          }
        }
      }
      DiskState.write(bytes, at: offset, to: &file)
      state.files[write.file] = file
    }
    // Only where a directory's own name was lost.
    if state.directories.count < 2 || !keepsNames { Self.removeUnreached(&state) }
    return state
  }

  /// Below a directory whose name was lost there is nothing any more.
  private static func removeUnreached(_ state: inout DiskState) {
    func isReached(_ path: String) -> Bool {
      let parent = SimulatedDisk.parent(path)
      return parent == "/" || state.directories.contains(parent) && isReached(parent)
    }
    state.names = state.names.filter { isReached($0.key) }
    state.directories = state.directories.filter { isReached($0) }
  }
}
