// An engine, brought back from the kept files that a manifest names; and what a checkpoint that was cut off has left.
// Invariant: every byte is checked before it is taken; files that do not fit together are refused.
// Not here: writing them (Checkpoint), what is in the files (SegmentFile, NamesFile, BasesFile), the journal behind (Restored).

internal import Continuo

/// Brings an engine back from kept files.
enum KeptRestore {
  /// Gives an engine all that is kept, or a selection of it, and checks every byte on the way. O(events).
  ///
  /// - Returns: how many events that were; nil where no such part can be taken (``KeptSelection/take(_:_:_:into:)``).
  static func restore(
    _ disk: any Disk, _ directory: DataDirectory, _ manifest: Manifest, _ selection: KeptSelection? = nil,
    _ engine: inout Engine
  ) throws(StorageFailure) -> Int? {
    let names = try names(disk, directory)
    let reader = { @Sendable (entry: KeptEntry) throws(StorageFailure) in
      try Self.reader(disk, directory, names, entry)
    }
    var (tokens, addresses) = (0, 1)
    for entry in manifest.kept where entry.header.kind == .names {
      let names = try reader(entry)
      guard entry.header.first == tokens, entry.header.second == addresses else {
        throw .damaged(
          file: names.path, byte: 24, found: "names from \(entry.header.first) and \(entry.header.second) on",
          expected: "from \(tokens) and \(addresses) on")
      }
      let counts = try NamesFile.counts(names)
      try NamesFile.adopt(names, areTokensEnough: selection != nil, into: &engine)
      (tokens, addresses) = (tokens + counts.tokens, addresses + counts.addresses)
    }
    guard tokens == Int(manifest.keptTokens), addresses == Int(manifest.keptAddresses) else {
      throw .damaged(
        file: directory.manifest, byte: 0, found: "\(tokens) tokens and \(addresses) addresses",
        expected: "\(manifest.keptTokens) and \(manifest.keptAddresses)")
    }
    let wanted = selection?.tokens.compactMap { engine.number(ofToken: $0) } ?? []
    let horizon = manifest.marks.horizon?.microseconds
    for (index, entry) in manifest.kept.filter({ $0.header.kind == .bases }).enumerated() {
      let bases = try reader(entry)
      guard index == 0, entry.header.first == horizon else {
        throw .damaged(
          file: bases.path, byte: 24, found: "what was dropped below another horizon",
          expected: "one such file, of the manifest's")
      }
      for var base in try BasesFile.bases(bases) where selection == nil || wanted.contains(Int(base.token)) {
        // Without names nobody can have a balance.
        if selection != nil { base.balances = [] }
        try fitting(bases) { () throws(PackedBatchFault) in try engine.adopt(base) }
      }
    }
    guard let events = try adoptSegments(manifest, selection, wanted, reader, &engine) else { return nil }
    do throws(PackedBatchFault) { try engine.adopt(manifest.marks) } catch {
      throw .damaged(
        file: directory.manifest, byte: 0, found: "other bytes with a right checksum", expected: error.what)
    }
    return events
  }

  private static func adoptSegments(
    _ manifest: Manifest, _ selection: KeptSelection?, _ wanted: [Int],
    _ reader: @escaping @Sendable (KeptEntry) throws(StorageFailure) -> KeptReader, _ engine: inout Engine
  ) throws(StorageFailure) -> Int? {
    var (events, scratch) = (0, SegmentScratch())
    let entries = try segments(manifest, reader)
    guard let selection else {
      try SegmentsAhead.forEachGroup(entries, reader) { (segment, swaps, transfers) throws(StorageFailure) in
        try fitting(segment) { () throws(PackedBatchFault) in
          try engine.adopt(swaps)
          try engine.adopt(transfers)
        }
        events += swaps.count + transfers.count
      }
      return events
    }
    for entry in entries where selection.reaches(entry.header.first) || !selection.identities.isEmpty {
      guard let count = try selection.take(try reader(entry), wanted, &scratch, into: &engine) else { return nil }
      events += count
    }
    return events
  }

  /// The segments that a manifest names, by time. O(n log n).
  private static func segments(
    _ manifest: Manifest, _ reader: (KeptEntry) throws(StorageFailure) -> KeptReader
  ) throws(StorageFailure) -> [KeptEntry] {
    let entries = manifest.kept.filter { $0.header.kind == .segment }.sorted { $0.header.first < $1.header.first }
    var earliest = manifest.marks.horizon?.microseconds ?? .min
    for entry in entries {
      guard entry.header.first >= earliest else {
        throw .damaged(
          file: try reader(entry).path, byte: 24, found: "a time that another one has, or that was dropped",
          expected: "each time once")
      }
      let (end, isOver) = entry.header.first.addingReportingOverflow(ChangedTimes.length)
      earliest = isOver ? .max : end
    }
    return entries
  }

  /// The names of the files that are there. O(files).
  static func names(_ disk: any Disk, _ directory: DataDirectory) throws(StorageFailure) -> Set<String> {
    Set(try onDisk { () throws(DiskFailure) in try disk.names(in: directory.kept) ?? [] })
  }

  /// Opens a file that the manifest names.
  ///
  /// - Parameter names: those that are there.
  static func reader(
    _ disk: any Disk, _ directory: DataDirectory, _ names: Set<String>, _ entry: KeptEntry
  ) throws(StorageFailure) -> KeptReader {
    let path = directory.keptFile(entry.header)
    guard names.contains(String(path.dropFirst(directory.kept.count + 1))) else {
      throw .damaged(file: path, byte: 0, found: "no file", expected: "one that the manifest names")
    }
    let file = try onDisk { () throws(DiskFailure) in try disk.open(path, forWriting: false) }
    return try KeptReader(file, path: path, entry)
  }

  /// What does not fit to the rest, of a file that is sound in itself.
  private static func fitting(
    _ reader: KeptReader, _ body: () throws(PackedBatchFault) -> Void
  ) throws(StorageFailure) {
    do throws(PackedBatchFault) { try body() } catch { throw reader.damaged(0, error.what) }
  }

  /// Removes files that no manifest names: what a checkpoint that was cut off has left. O(files).
  static func removeUnnamed(_ disk: any Disk, _ directory: DataDirectory, _ manifest: Manifest) throws(DiskFailure)
    -> Bool
  {
    let named = Set(manifest.kept.map { directory.keptFile($0.header) })
    var hasRemoved = false
    for name in try disk.names(in: directory.kept) ?? []
    where DataDirectory.isKept(name) && !named.contains(directory.kept + "/" + name) {
      try disk.remove(directory.kept + "/" + name)
      hasRemoved = true
    }
    for number in try disk.names(in: directory.journal)?.compactMap(DataDirectory.journalNumber) ?? []
    where number < manifest.journalStart.file {
      try disk.remove(directory.journalFile(number))
      hasRemoved = true
    }
    return hasRemoved
  }
}
