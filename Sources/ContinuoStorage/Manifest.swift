// What a data directory says of itself: whose it is, which files there are, how long events are kept.
// Invariant: a manifest is replaced as a whole, by a rename, once all that it names is on the disk; what it names is there.
// Not here: the files that it names (Journal, Kept), when a new one is needed (Ledger, JournalWriter, Checkpoint).
// Format: docs/format/manifest.md.

internal import Continuo
internal import ContinuoBytes
internal import Synchronization

/// What stands in the file `manifest`.
struct Manifest: Equatable {
  /// A number that no other directory has, repeated in the header of every file.
  var identity: UInt64
  /// How many manifests there were before, and this one.
  var generation: UInt64
  /// The newest journal file that frames may be in; 0 before the first one. One more may be there, begun and never used.
  var newestJournalFile: UInt32
  /// Where the journal begins that is still needed.
  var journalStart = JournalStart(file: 1, sequence: 1, chain: 0)
  /// How long events and candles are kept.
  var retention: RetentionPolicy
  /// Frames up to this one are in the kept files.
  var keptSequence: UInt64 = 0
  /// The checksum of the header of that frame; 0 before the first one.
  var keptChain: UInt32 = 0
  /// The names in kept files have numbers below these.
  var keptTokens: UInt32 = 0
  var keptAddresses: UInt32 = 1
  /// The number that the next kept file gets.
  var nextNumber: UInt32 = 1
  /// What was cut off journals that are not there any more.
  var droppedTailBytes: Int64 = 0
  /// What the engine was besides what is in the kept files.
  var marks = EngineMarks()
  /// The kept files, by number.
  var kept: [KeptEntry] = []

  static let version: UInt8 = 1
  /// How long what stands before the sections is.
  static let headBytes = 128
  /// "CONTMANI", lowest byte first.
  private static let magic: UInt64 = 0x494E_414D_544E_4F43

  private enum Section: UInt32 {
    case marks = 1
    case kept = 2
    // Left out where there is nothing of them.
    case ranges = 3
    case inputs = 4
  }

  /// The file's bytes. O(files).
  var encoded: [UInt8] {
    var sections: [UInt8] = []
    Self.append(.marks, marksBytes, to: &sections)
    var entries: [UInt8] = []
    for entry in kept { entry.append(to: &entries) }
    Self.append(.kept, entries, to: &sections)
    let ranges = rangesBytes
    if !ranges.isEmpty { Self.append(.ranges, ranges, to: &sections) }
    let inputs = marks.inputs.encoded
    if !inputs.isEmpty { Self.append(.inputs, inputs, to: &sections) }
    var bytes: [UInt8] = []
    bytes.appendWord(Self.magic)
    bytes.append(contentsOf: [Self.version, 0, 0, 0])
    bytes.appendWord(newestJournalFile)
    bytes.appendWord(identity)
    bytes.appendWord(generation)
    for length in retention.lengths { bytes.appendWord(length) }
    bytes.appendWord(journalStart.file)
    bytes.appendWord(journalStart.chain)
    bytes.appendWord(journalStart.sequence)
    bytes.appendWord(keptSequence)
    bytes.appendWord(nextNumber)
    bytes.appendWord(UInt32(sections.count))
    bytes += sections
    bytes.appendWord(CRC32C.sum(bytes.span))
    return bytes
  }

  private static func append(_ section: Section, _ payload: [UInt8], to bytes: inout [UInt8]) {
    bytes.appendWord(section.rawValue)
    bytes.appendWord(UInt32(payload.count))
    bytes += payload
  }

  private var marksBytes: [UInt8] {
    var bytes: [UInt8] = []
    for instant in [marks.newest, marks.clock, marks.horizon] { bytes.appendWord(instant?.microseconds ?? .min) }
    bytes.appendWord(droppedTailBytes)
    bytes.appendWord(keptTokens)
    bytes.appendWord(keptAddresses)
    bytes.appendWord(UInt32(marks.hasDropped ? 1 : 0))
    bytes.appendWord(UInt32(marks.droppedBlocks.count))
    bytes.appendWord(keptChain)
    for (chain, block) in marks.droppedBlocks.sorted(by: { $0.key < $1.key }) {
      bytes.appendWord(chain)
      bytes.appendWord(block)
    }
    for token in marks.incomplete { bytes.appendWord(token) }
    return bytes
  }

  private mutating func takeMarks(_ bytes: Span<UInt8>) -> Bool {
    let start = 52
    guard bytes.count >= start, bytes.word(40, UInt32.self) <= 1 else { return false }
    let chains = Int(bytes.word(44, UInt32.self))
    guard chains <= (bytes.count - start) / 12, (bytes.count - start - 12 * chains) % 4 == 0 else { return false }
    func instant(_ place: Int) -> Timestamp? {
      let microseconds = bytes.word(place, Int64.self)
      return microseconds == .min ? nil : Timestamp(microseconds: microseconds)
    }
    (marks.newest, marks.clock, marks.horizon) = (instant(0), instant(8), instant(16))
    droppedTailBytes = bytes.word(24, Int64.self)
    (keptTokens, keptAddresses) = (bytes.word(32, UInt32.self), bytes.word(36, UInt32.self))
    marks.hasDropped = bytes.word(40, UInt32.self) == 1
    keptChain = bytes.word(48, UInt32.self)
    for index in 0..<chains {
      let place = start + 12 * index
      marks.droppedBlocks[bytes.word(place, UInt32.self)] = bytes.word(place + 4, UInt64.self)
    }
    for place in stride(from: start + 12 * chains, to: bytes.count, by: 4) {
      marks.incomplete.append(bytes.word(place, UInt32.self))
    }
    return true
  }

  /// The blocks that each segment has events of.
  private var rangesBytes: [UInt8] {
    var bytes: [UInt8] = []
    for entry in kept {
      guard let ranges = entry.ranges else { continue }
      bytes.appendWord(entry.header.number)
      bytes.appendWord(UInt32(ranges.count))
      for range in ranges { range.append(to: &bytes) }
    }
    return bytes
  }

  private mutating func takeRanges(_ bytes: Span<UInt8>) -> Bool {
    var (place, next) = (0, 0)
    while place < bytes.count {
      guard bytes.count - place >= 8 else { return false }
      let (number, count) = (bytes.word(place, UInt32.self), Int(bytes.word(place + 4, UInt32.self)))
      while next < kept.count, kept[next].header.number < number { next += 1 }
      guard next < kept.count, kept[next].header.number == number, kept[next].header.kind == .segment,
        kept[next].ranges == nil, count <= (bytes.count - place - 8) / SegmentFooter.Range.bytes
      else { return false }
      place += 8
      kept[next].ranges = (0..<count).map { SegmentFooter.Range(bytes, at: place + SegmentFooter.Range.bytes * $0) }
      place += SegmentFooter.Range.bytes * count
    }
    return true
  }

  /// Takes a section's bytes; false where these are none.
  private mutating func take(_ section: Section, _ bytes: Span<UInt8>) -> Bool {
    switch section {
    case .marks: return takeMarks(bytes)
    case .kept: return takeKept(bytes)
    case .ranges: return takeRanges(bytes)
    case .inputs:
      guard !bytes.isEmpty, let found = InputPositions(bytes) else { return false }
      marks.inputs = found
      return true
    }
  }

  private mutating func takeKept(_ bytes: Span<UInt8>) -> Bool {
    guard bytes.count % KeptEntry.encodedBytes == 0 else { return false }
    for place in stride(from: 0, to: bytes.count, by: KeptEntry.encodedBytes) {
      guard let entry = KeptEntry(bytes, at: place, directory: identity),
        kept.last.map({ $0.header.number < entry.header.number }) ?? true, entry.header.number < nextNumber,
        entry.header.kind != .segment
          || entry.header.second == ChangedTimes.length && entry.header.first % ChangedTimes.length == 0
      else { return false }
      kept.append(entry)
    }
    return true
  }

  /// Reads the file's bytes.
  ///
  /// - Throws: ``JournalFault`` that says what is wrong with them.
  init(_ bytes: Span<UInt8>) throws(JournalFault) {
    guard bytes.count >= Self.headBytes + 4 else { throw .noJournal }
    let end = bytes.count - 4
    try bytes.checkHeader(Self.magic, version: Self.version, checksumAt: end)
    let lengths = (0..<8).map { bytes.word(32 + 8 * $0, Int64.self) }
    guard bytes.areZeros(9..<12), let retention = RetentionPolicy(lengths: lengths),
      Int(bytes.word(124, UInt32.self)) == end - Self.headBytes
    else { throw .damagedHeader }
    newestJournalFile = bytes.word(12, UInt32.self)
    identity = bytes.word(16, UInt64.self)
    generation = bytes.word(24, UInt64.self)
    self.retention = retention
    journalStart = JournalStart(
      file: bytes.word(96, UInt32.self), sequence: bytes.word(104, UInt64.self), chain: bytes.word(100, UInt32.self))
    keptSequence = bytes.word(112, UInt64.self)
    nextNumber = bytes.word(120, UInt32.self)
    var place = Self.headBytes
    var sections: [UInt32] = []
    while place < end {
      guard end - place >= 8, let section = Section(rawValue: bytes.word(place, UInt32.self)),
        section.rawValue > sections.last ?? 0, Int(bytes.word(place + 4, UInt32.self)) <= end - place - 8
      else { throw .damagedHeader }
      let payload = bytes.extracting(place + 8..<place + 8 + Int(bytes.word(place + 4, UInt32.self)))
      guard take(section, payload) else { throw .damagedHeader }
      sections.append(section.rawValue)
      place += 8 + payload.count
    }
    guard sections.starts(with: [Section.marks.rawValue, Section.kept.rawValue]), journalStart.file > 0,
      journalStart.sequence > 0, areCountsSound
    else { throw .damagedHeader }
  }

  /// Whether counts are such as can be counted on from, and the journal begins in a file that there is, with a frame that
  /// follows on what is kept.
  private var areCountsSound: Bool {
    let most: UInt32 = 1 << 31
    return newestJournalFile < most && nextNumber > 0 && nextNumber < most && generation < 1 << 63
      && journalStart.file <= max(1, newestJournalFile) && journalStart.sequence - 1 <= keptSequence
      && keptSequence < 1 << 63 && (0...1 << 60).contains(droppedTailBytes)
  }

  /// That of a new directory, which is still to be written.
  init(retention: RetentionPolicy) {
    (identity, generation, newestJournalFile) = (UInt64.random(in: 1 ... .max), 0, 0)
    self.retention = retention
  }

  /// Reads the manifest of a directory; nil where there is none.
  static func read(_ disk: any Disk, _ directory: DataDirectory) throws(StorageFailure) -> Manifest? {
    let path = directory.manifest
    let names = try onDisk { () throws(DiskFailure) in try disk.names(in: directory.path) }
    guard let names else { return nil }
    if names.contains(DataDirectory.copyName) { throw .unfinishedCopy(path: directory.path) }
    guard names.contains(DataDirectory.manifestName) else { return nil }
    var bytes: [UInt8] = []
    try onDisk { () throws(DiskFailure) in
      let file = try disk.open(path, forWriting: false)
      try file.read(Int(try file.bytes()), at: 0, into: &bytes)
    }
    do throws(JournalFault) { return try Manifest(bytes.span) } catch {
      throw error.failure(path, expected: "the sound bytes of a manifest")
    }
  }
}

/// Where a journal begins.
struct JournalStart: Equatable {
  /// Its first file.
  var file: UInt32
  /// The number of that file's first frame, and the checksum of the header of the frame before.
  var sequence: UInt64
  var chain: UInt32
}

/// The manifest of a directory that is open for writing.
final class ManifestKeeper: Sendable {
  private let disk: any Disk
  private let directory: DataDirectory
  private let manifest: Mutex<Manifest>
  /// Why nobody knows which manifest is on the disk; nil: everybody does.
  private let doubt = Mutex<DiskFailure?>(nil)

  init(_ disk: any Disk, _ directory: DataDirectory, _ manifest: Manifest) {
    self.disk = disk
    self.directory = directory
    self.manifest = Mutex(manifest)
  }

  /// The manifest as it is now. O(files).
  var current: Manifest { manifest.withLock { $0 } }

  /// Why nobody knows which manifest is on the disk: its name was given, and not made last. What either of them names must not
  /// be touched then. nil: all is well. O(1).
  var uncertainty: DiskFailure? { doubt.withLock { $0 } }

  /// Replaces the manifest; it is on the disk when this returns. O(files), two syncs.
  ///
  /// - Throws: `DiskFailure`; where ``uncertainty`` is nil then the manifest is as it was, else nothing is replaced any more.
  func update(_ change: (inout Manifest) -> Void) throws(DiskFailure) {
    try manifest.withLock { (manifest) throws(DiskFailure) in
      if let doubt = uncertainty { throw doubt }
      var next = manifest
      change(&next)
      next.generation += 1
      let file = try disk.create(directory.newManifest)
      try file.write(next.encoded.span, at: 0)
      try file.sync()
      do throws(DiskFailure) {
        try disk.rename(directory.newManifest, to: directory.manifest)
        try disk.syncDirectory(directory.path)
      } catch {
        doubt.withLock { $0 = error }
        throw error
      }
      manifest = next
    }
  }
}
