// An engine, brought back from the kept files that a manifest names; and what a checkpoint that was cut off has left.
// Invariant: every byte is checked before it is taken; files that do not fit together are refused.
// Not here: writing them (Checkpoint), what is in the files (SegmentFile, NamesFile, BasesFile), the journal behind (Restored).

internal import Continuo

/// Brings an engine back from kept files.
enum KeptRestore {
  /// Gives an engine all that is kept, and checks every byte on the way. O(events).
  ///
  /// - Returns: how many events that were.
  static func restore(
    _ disk: any Disk, _ directory: DataDirectory, _ manifest: Manifest, _ engine: inout Engine
  ) throws(StorageFailure) -> Int {
    let open = try opener(disk, directory)
    try forEachNames(directory, manifest, open) { (names) throws(StorageFailure) in
      try NamesFile.adopt(names, into: &engine)
    }
    try forEachBase(manifest, open) { (base) throws(PackedBatchFault) in try engine.adopt(base) }
    var events = 0
    let entries = try segments(manifest, open)
    try SegmentsAhead.forEachGroup(entries, open) { (segment, group) throws(StorageFailure) in
      try fitting(segment) { () throws(PackedBatchFault) in
        try engine.adopt(byToken: group.swaps.span, group.swapTokens.span, group.keys.span, group.tokens.span)
        try engine.adopt(group.transfers.span)
      }
      events += group.swaps.count + group.transfers.count
    }
    try adopt(manifest.marks, directory, &engine)
    return events
  }

  /// Gives an engine a selection of what is kept, and checks every byte of that. Numbers of names are the engine's own, and
  /// what is of none of the selected tokens is of one without a name that a batch could have. O(events of its time).
  ///
  /// - Returns: how many events that were; nil where no such part can be taken (``KeptSelection/Part/hasTransfers``, ``PartBounds``).
  static func restore(
    _ selection: KeptSelection, _ disk: any Disk, _ directory: DataDirectory, _ manifest: Manifest,
    _ engine: inout Engine
  ) throws(StorageFailure) -> Int? {
    let open = try opener(disk, directory)
    var own: [UInt32: UInt32] = [:]
    try forEachNames(directory, manifest, open) { (names) throws(StorageFailure) in
      for (token, number) in try NamesFile.numbers(of: selection.tokens, names) {
        own[number] = engine.adoptToken(selection.tokens[token])
      }
    }
    try forEachBase(manifest, open) { (base) throws(PackedBatchFault) in
      guard let token = own[base.token] else { return }
      var part = base
      // Without names nobody can have a balance.
      (part.token, part.balances) = (token, [])
      try engine.adopt(part)
    }
    var events = 0
    let needed = try segments(manifest, open).filter {
      selection.reaches($0.header.first) || selection.identities.mayReach($0)
    }
    guard let parts = try selection.parts.parts(of: needed, selection, own.keys.map { Int($0) }, open) else {
      return nil
    }
    for (entry, part) in parts {
      if part.hasTransfers { return nil }
      var swaps = part.swaps
      for place in swaps.indices { swaps[place].token = own[swaps[place].token] ?? engine.adoptToken(nobody) }
      do throws(PackedBatchFault) { try engine.adopt(swaps.span) } catch {
        throw try open(entry).damaged(0, error.what)
      }
      events += swaps.count
    }
    var marks = manifest.marks
    marks.incomplete = []
    try adopt(marks, directory, &engine)
    return events
  }

  /// Opens every file that the manifest names, which checks its length, header and footer, and looks whether they fit together. O(files).
  static func check(_ disk: any Disk, _ directory: DataDirectory, _ manifest: Manifest) throws(StorageFailure) {
    let open = try opener(disk, directory)
    try forEachNames(directory, manifest, open) { (_) throws(StorageFailure) in }
    for entry in try segments(manifest, open) { _ = try SegmentFile.footer(try open(entry)) }
    for entry in manifest.kept where entry.header.kind == .bases { _ = try open(entry) }
  }

  /// A name that no event has.
  private static let nobody: ByteString = "\u{1}"

  /// What opens a file that the manifest names; threads may share it.
  private static func opener(_ disk: any Disk, _ directory: DataDirectory) throws(StorageFailure)
    -> @Sendable (KeptEntry) throws(StorageFailure) -> KeptReader
  {
    let names = try names(disk, directory)
    return { (entry: KeptEntry) throws(StorageFailure) in try Self.reader(disk, directory, names, entry) }
  }

  private static func forEachNames(
    _ directory: DataDirectory, _ manifest: Manifest, _ open: (KeptEntry) throws(StorageFailure) -> KeptReader,
    _ body: (KeptReader) throws(StorageFailure) -> Void
  ) throws(StorageFailure) {
    var (tokens, addresses) = (0, 1)
    for entry in manifest.kept where entry.header.kind == .names {
      let names = try open(entry)
      guard entry.header.first == tokens, entry.header.second == addresses else {
        throw .damaged(
          file: names.path, byte: 24, found: "names from \(entry.header.first) and \(entry.header.second) on",
          expected: "from \(tokens) and \(addresses) on")
      }
      let counts = try NamesFile.counts(names)
      try body(names)
      (tokens, addresses) = (tokens + counts.tokens, addresses + counts.addresses)
    }
    guard tokens == Int(manifest.keptTokens), addresses == Int(manifest.keptAddresses) else {
      throw .damaged(
        file: directory.manifest, byte: 0, found: "\(tokens) tokens and \(addresses) addresses",
        expected: "\(manifest.keptTokens) and \(manifest.keptAddresses)")
    }
  }

  private static func forEachBase(
    _ manifest: Manifest, _ open: (KeptEntry) throws(StorageFailure) -> KeptReader,
    _ body: (TokenBase) throws(PackedBatchFault) -> Void
  ) throws(StorageFailure) {
    for (index, entry) in manifest.kept.filter({ $0.header.kind == .bases }).enumerated() {
      let bases = try open(entry)
      guard index == 0, entry.header.first == manifest.marks.horizon?.microseconds else {
        throw .damaged(
          file: bases.path, byte: 24, found: "what was dropped below another horizon",
          expected: "one such file, of the manifest's")
      }
      for base in try BasesFile.bases(bases) {
        try fitting(bases) { () throws(PackedBatchFault) in try body(base) }
      }
    }
  }

  private static func adopt(
    _ marks: EngineMarks, _ directory: DataDirectory, _ engine: inout Engine
  ) throws(StorageFailure) {
    do throws(PackedBatchFault) { try engine.adopt(marks) } catch {
      throw .damaged(
        file: directory.manifest, byte: 0, found: "other bytes with a right checksum", expected: error.what)
    }
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
