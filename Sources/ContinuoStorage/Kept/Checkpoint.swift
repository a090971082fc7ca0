// A checkpoint: what has changed since the last one goes into kept files, and the journal before it is not needed any more.
// Invariant: what a manifest names is on the disk, bytes and names, before the manifest is; what it names no more is removed
// behind it; a checkpoint that fails changes nothing.
// Not here: when one is due (Checkpointer), what is in the files (SegmentFile, NamesFile, BasesFile), bringing back (KeptRestore).
// Rules 7.3.

internal import Continuo

/// What a checkpoint did.
public struct CheckpointReceipt: Equatable, Sendable {
  /// The frame up to which everything is in kept files.
  public internal(set) var sequence: UInt64 = 0
  /// How many files were written, and how many bytes they have.
  public internal(set) var files = 0
  public internal(set) var bytes: Int64 = 0
}

/// Writes one checkpoint.
struct Checkpoint {
  private let disk: any Disk
  private let directory: DataDirectory
  private let keeper: ManifestKeeper
  /// Room that stays free; nil: all of it may be taken.
  private let room: ReservedRoom?
  /// The manifest that is to be.
  private var next: Manifest
  private var fresh: [KeptEntry] = []

  init(_ disk: any Disk, _ directory: DataDirectory, _ keeper: ManifestKeeper, leaving room: ReservedRoom? = nil) {
    (self.disk, self.directory, self.keeper, self.room) = (disk, directory, keeper, room)
    next = keeper.current
  }

  /// Keeps a version. O(what has changed), and where the horizon has moved what is left of dropped events.
  ///
  /// - Parameters:
  ///   - frame: the last frame that is in the version; it is synced.
  ///   - start: where the journal begins that is still needed then.
  ///   - prepare: is called when all that the manifest is to name is on the disk, and it does not yet, with the kept files
  ///     that it will name.
  mutating func keep(
    _ version: borrowing KeptVersion, _ frame: JournalFrame, start: JournalStart, droppedTailBytes: Int64,
    preparing prepare: ([KeptEntry]) throws(DiskFailure) -> Void = { _ in }
  ) throws(DiskFailure) -> CheckpointReceipt {
    let before = next.kept
    do throws(DiskFailure) {
      try keepSegments(version)
      try keepNames(version)
      try keepBases(version)
      if !fresh.isEmpty { try disk.syncDirectory(directory.kept) }
      next.marks = version.marks
      let kept = next
      try prepare(kept.kept)
      try keeper.update { manifest in
        // The journal goes on meanwhile, and has its own part of it.
        (manifest.kept, manifest.marks, manifest.nextNumber) = (kept.kept, kept.marks, kept.nextNumber)
        (manifest.keptTokens, manifest.keptAddresses) = (kept.keptTokens, kept.keptAddresses)
        (manifest.keptSequence, manifest.keptChain) = (frame.sequence, frame.chain)
        (manifest.journalStart, manifest.droppedTailBytes) = (start, droppedTailBytes)
        manifest.newestJournalFile = max(manifest.newestJournalFile, start.file)
      }
    } catch {
      // Unless the manifest may name them: what cannot be removed now the next writer removes.
      if keeper.uncertainty == nil {
        for entry in fresh { try? disk.remove(directory.keptFile(entry.header)) }
      }
      throw error
    }
    let numbers = Set(next.kept.map(\.header.number))
    // What is not removed now the next writer removes.
    for entry in before where !numbers.contains(entry.header.number) {
      try? disk.remove(directory.keptFile(entry.header))
    }
    return CheckpointReceipt(sequence: frame.sequence, files: fresh.count, bytes: fresh.reduce(0) { $0 + $1.bytes })
  }

  /// Why nobody knows which manifest is on the disk (``ManifestKeeper/uncertainty``).
  var uncertainty: DiskFailure? { keeper.uncertainty }

  /// Writes a file, and notes it in the manifest that is to be.
  private mutating func write(
    _ kind: KeptKind, first: Int64, second: Int64,
    _ body: (any DiskFile, KeptHeader) throws(DiskFailure) -> KeptEntry
  ) throws(DiskFailure) {
    let header = KeptHeader(
      kind: kind, directory: next.identity, number: next.nextNumber, first: first, second: second)
    next.nextNumber += 1
    let path = directory.keptFile(header)
    let entry: KeptEntry
    do throws(DiskFailure) {
      let file = if let room { try room.file(path, disk) } else { try disk.create(path) }
      entry = try body(file, header)
    } catch {
      try? disk.remove(path)
      throw error
    }
    fresh.append(entry)
    next.kept.append(entry)
  }

  // MARK: segments

  private mutating func keepSegments(_ version: borrowing KeptVersion) throws(DiskFailure) {
    let horizon = version.marks.horizon ?? Timestamp(microseconds: .min)
    let changed = version.changed.filter { ChangedTimes.start($0) >= horizon }.sorted()
    next.kept.removeAll { entry in
      let start = Timestamp(microseconds: entry.header.first)
      return entry.header.kind == .segment && (start < horizon || version.changed.contains(ChangedTimes.stretch(start)))
    }
    guard !changed.isEmpty else { return }
    var (swaps, transfers): ([HeldSwap], [HeldTransfer]) = ([], [])
    var scratch = SegmentScratch()
    var events = HeldEvents(version.snapshot)
    for stretch in changed {
      let (from, before) = (ChangedTimes.start(stretch), ChangedTimes.start(stretch + 1))
      events.take(from: from, before: before, &swaps, &transfers)
      if swaps.isEmpty, transfers.isEmpty { continue }
      try write(.segment, first: from.microseconds, second: ChangedTimes.length) {
        (file, header) throws(DiskFailure) in
        try SegmentFile.write(file, header, swaps[...], transfers[...], &scratch)
      }
    }
  }

  // MARK: names and bases

  /// Writes the names that are new, with those of younger files that are not much larger: there are few files at any time.
  private mutating func keepNames(_ version: borrowing KeptVersion) throws(DiskFailure) {
    let (tokens, addresses) = (version.tokenCount, version.addressCount)
    var (token, address) = (Int(next.keptTokens), Int(next.keptAddresses))
    guard token < tokens || address < addresses else { return }
    while let entry = next.kept.last(where: { $0.header.kind == .names }) {
      let (first, second) = (Int(entry.header.first), Int(entry.header.second))
      guard token - first + address - second <= 2 * (tokens - token + addresses - address) else { break }
      (token, address) = (first, second)
      next.kept.removeAll { $0 == entry }
    }
    try write(.names, first: Int64(token), second: Int64(address)) { (file, header) throws(DiskFailure) in
      try NamesFile.write(file, header, version, tokens: token..<tokens, addresses: address..<addresses)
    }
    (next.keptTokens, next.keptAddresses) = (UInt32(tokens), UInt32(addresses))
  }

  private mutating func keepBases(_ version: borrowing KeptVersion) throws(DiskFailure) {
    guard let horizon = version.marks.horizon, version.areBasesChanged || horizon != next.marks.horizon else { return }
    next.kept.removeAll { $0.header.kind == .bases }
    let bases = version.snapshot.bases()
    guard !bases.isEmpty else { return }
    try write(.bases, first: horizon.microseconds, second: 0) { (file, header) throws(DiskFailure) in
      try BasesFile.write(file, header, bases)
    }
  }
}
