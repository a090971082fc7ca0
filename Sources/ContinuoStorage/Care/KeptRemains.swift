// What is left of a kept file: its blocks, as far as they can be told.
// Invariant: a block is lent only if all of it is sound; a file that is sound in itself and another one than the manifest
// names has none of ours.
// Not here: what is in the blocks (SegmentRemains, KeptSalvage).

internal import Continuo

/// A kept file that may be damaged.
struct KeptRemains {
  let entry: KeptEntry
  let path: String
  /// What is wrong with its length, header or footer; nil: nothing is, so the blocks are where the footer says.
  let fault: StorageFailure?
  /// Reads its blocks; nil: there are none of ours.
  let reader: KeptReader?
  /// Where there is no sound footer: what the blocks say of themselves, from the first on, up to one that is not sound.
  private let walked: [KeptBlock]
  private let end: Int64
  private let checksums: [UInt32]
  private let places: [UInt64]

  /// Opens a file. O(blocks), O(bytes) where its footer is not sound.
  ///
  /// - Throws: ``StorageFailure`` where the disk fails, or a newer version has written it.
  init(
    _ disk: any Disk, _ directory: DataDirectory, _ names: Set<String>, _ entry: KeptEntry
  ) throws(StorageFailure) {
    self.entry = entry
    path = directory.keptFile(entry.header)
    do throws(StorageFailure) {
      reader = try KeptRestore.reader(disk, directory, names, entry)
      (fault, walked, end, checksums, places) = (nil, [], 0, [], [])
      return
    } catch {
      guard case .damaged = error else { throw error }
      fault = error
    }
    var walk = Walk()
    if names.contains(String(path.dropFirst(directory.kept.count + 1))) {
      let path = path
      let file = try onDisk { () throws(DiskFailure) in try disk.open(path, forWriting: false) }
      try onDisk { () throws(DiskFailure) in try walk.go(file, entry) }
      // A sound footer that the manifest does not name: it was another one's, or of another day.
      reader =
        walk.footer.map { $0 == entry.checksum } ?? true
        ? KeptReader(remainsOf: file, path, entry.header, walk.places, walk.checksums, end: walk.end) : nil
    } else {
      reader = nil
    }
    (walked, end, checksums) = (reader == nil ? [] : walk.blocks, walk.end, walk.checksums)
    places = walk.places.map { UInt64($0) }
  }

  /// Goes from block to block by what each says of its length.
  private struct Walk {
    var blocks: [KeptBlock] = []
    var places: [Int64] = []
    var checksums: [UInt32] = []
    var end = Int64(KeptHeader.bytes)
    /// The checksum of the footer, where one was reached that is sound.
    var footer: UInt32?

    mutating func go(_ file: any DiskFile, _ entry: KeptEntry) throws(DiskFailure) {
      let length = try file.bytes()
      var bytes: [UInt8] = []
      while footer == nil, length - end >= Int64(KeptBlock.headBytes) {
        bytes.removeAll(keepingCapacity: true)
        try file.read(KeptBlock.headBytes, at: end, into: &bytes)
        guard bytes.count == KeptBlock.headBytes else { return }
        let size = KeptBlock.bytes(Int(bytes.span.word(4, UInt32.self)))
        guard Int64(size) <= length - end else { return }
        try file.read(size - bytes.count, at: end + Int64(bytes.count), into: &bytes)
        guard let block = KeptBlock(bytes.span, at: 0, startingAt: end, of: entry.header) else { return }
        if block.kind == KeptBlock.footerKind {
          footer = block.checksum
          return
        }
        blocks.append(block)
        places.append(end)
        checksums.append(block.checksum)
        end += Int64(size)
      }
    }
  }

  /// How many blocks there are that may be sound.
  var blockCount: Int { reader?.blockCount ?? 0 }

  /// What a block says it is, where there is no sound footer to say so. O(1).
  func walkedBlock(_ index: Int) -> KeptBlock { walked[index] }

  /// Whether the blocks are all that the file had: the footer of such blocks is the one that the manifest names. O(blocks).
  ///
  /// - Parameter footer: what the file would say of itself.
  func isComplete(_ footer: [UInt8]) -> Bool {
    if fault == nil { return reader?.footer == footer }
    guard reader != nil else { return false }
    let payload = KeptWriter.footer(places, checksums, footer)
    var bytes: [UInt8] = []
    let checksum = KeptBlock.append(
      kind: KeptBlock.footerKind, column: 0, group: 0, payload, to: &bytes, startingAt: end, of: entry.header)
    return checksum == entry.checksum
  }

  /// Where the first damage is that is known before blocks are read.
  var faultByte: Int64 {
    if case .damaged(_, let byte, _, _) = fault { return byte }
    return 0
  }

  /// Does what reads blocks; nil where these are not sound.
  static func ifSound<Answer>(_ body: () throws(StorageFailure) -> Answer) throws(StorageFailure) -> Answer? {
    do throws(StorageFailure) { return try body() } catch {
      guard case .damaged = error else { throw error }
      return nil
    }
  }
}
