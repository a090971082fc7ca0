// Bringing an engine back: every record of the journal, taken again.
// Invariant: the engine is what it was when the last record was taken; nothing is written.
// Not here: reading the journal (JournalReader), what a record does (Ledger).

public import Continuo

/// Rare ways that bringing back may go: a test that crashes everywhere fails if it has not been on all of them.
package enum RecoveryMark: CaseIterable, Sendable {
  /// A directory without a manifest: it was cut off in its birth.
  case noManifest
  /// One without a journal: that too.
  case noJournal
  /// A journal file that the manifest does not name yet.
  case unnamedFile
  /// A journal file whose making was cut off was removed.
  case unfinishedFile
  /// What was left of a write was cut.
  case tornTail
  /// A cut was already noted by an earlier start.
  case notedCut
  /// The journal goes through several files.
  case severalFiles
  /// Files that a checkpoint wrote, or needed no more, were removed.
  case unnamedKeptFile
  /// Events came from kept files.
  case keptEvents
}

/// What a data directory brought back.
public struct Restored: Equatable, Sendable {
  /// How many events came from kept files.
  public internal(set) var keptEvents = 0
  /// How many records of the journal were taken again behind them.
  public internal(set) var records = 0
  /// How many frames of the journal had them, and how many bytes these have: what lies behind the last checkpoint.
  public internal(set) var frames = 0
  public internal(set) var frameBytes: Int64 = 0
  /// How many rows of batches these were.
  public internal(set) var rows = 0
  /// How many bytes of a torn tail are there now, or were cut before.
  public internal(set) var droppedTailBytes: Int64 = 0
  /// Whether every summary was compared with the events that are held (``Ledger/Options/verifiesOnStart``).
  public internal(set) var isVerified = false
  /// Which rare ways were gone.
  package internal(set) var marks: Set<RecoveryMark> = []
  /// How many of them are there now: what a crash left of a write that nobody was told of.
  public internal(set) var tornTailBytes: Int64 = 0

  /// What the engine rejected of each source's newest batch.
  package internal(set) var lateRejections: [LateRejections] = []

  /// Counts a record of the journal. O(1).
  mutating func note(_ record: JournalRecord) {
    note(rows: record.rows)
    if case .cut(let bytes) = record {
      // What nobody can have cut is not counted: it says nothing of the state.
      droppedTailBytes += min(max(0, bytes), 1 << 40)
      marks.insert(.notedCut)
    }
  }

  /// Counts a record by its rows. O(1).
  mutating func note(rows count: Int) {
    records += 1
    rows += count
  }

  /// Counts a frame of the journal. O(1).
  mutating func noteFrame(_ bytes: Int) {
    frames += 1
    frameBytes += Int64(bytes)
  }

  /// Counts what was cut off the journal before it was read: its record has told of the rest. O(1).
  mutating func note(_ early: EarlyOpening) {
    if early.hasUnnamedFile { marks.insert(.unnamedFile) }
    guard early.tornBytes > 0 else { return }
    tornTailBytes = early.tornBytes
    marks.insert(.tornTail)
  }

  /// Counts what is behind the journal's last record, and was before its first one. O(1).
  mutating func note(_ end: JournalEnd?, _ manifest: Manifest) {
    droppedTailBytes += manifest.droppedTailBytes
    if keptEvents > 0 { marks.insert(.keptEvents) }
    tornTailBytes = end?.tornBytes ?? 0
    droppedTailBytes += tornTailBytes
    if tornTailBytes > 0 { marks.insert(.tornTail) }
  }

  /// Takes every record of a journal again. O(journal).
  static func restore(
    _ disk: any Disk, _ directory: DataDirectory, _ manifest: Manifest?, price: PriceMode?, _ engine: inout Engine
  ) throws(StorageFailure) -> (Restored, JournalEnd?) {
    var restored = Restored()
    guard let manifest else {
      // Before there is one there is no journal: it was cut off in its birth.
      guard try JournalReader.numbers(disk, directory).isEmpty else {
        throw .damaged(file: directory.manifest, byte: 0, found: "no file", expected: "the manifest of this journal")
      }
      restored.marks.insert(.noManifest)
      engine.noteChanges()
      return (restored, nil)
    }
    restored.keptEvents = try KeptRestore.restore(disk, directory, manifest, &engine)
    engine.noteChanges()
    var (found, replay) = (Restored(), FrameReplay())
    let end = try JournalReader(disk, directory, manifest, price: price).forEachRecord(
      frame: { found.noteFrame($0) },
      { (record) throws(StorageFailure) in
        restored.note(record)
        replay.take(record, &engine)
      })
    restored.lateRejections = replay.late
    (restored.frames, restored.frameBytes) = (found.frames, found.frameBytes)
    restored.note(end, manifest)
    guard let end else {
      restored.marks.insert(.noJournal)
      return (restored, nil)
    }
    if end.file.number > 1 { restored.marks.insert(.severalFiles) }
    if end.file.number > manifest.newestJournalFile { restored.marks.insert(.unnamedFile) }
    return (restored, end)
  }
}

/// A data directory that is only read: what it brought back, in an engine of its own.
public struct ReadDirectory: ~Copyable {
  /// The engine.
  public var engine: Engine
  /// What was found.
  public private(set) var restored: Restored
  /// Whether it answers one question only (``CandleQuestion``): figures of the directory are not there then.
  public private(set) var isPart = false
  /// How many bytes segments take on the disk; names, bases and the manifest; the journal's files and all else.
  public private(set) var rawBytes: Int64 = 0
  public private(set) var stateBytes: Int64 = 0
  public private(set) var journalBytes: Int64
  /// The checkpoint that failed last, where none has succeeded since; nil if all is well, or where nobody could write it down.
  public private(set) var checkpointNote: CheckpointNote?
  /// The version of the format that its files have.
  public var formatVersion: Int { Int(JournalFormat.version) }

  /// Reads a data directory, which is not written. O(kept files and journal).
  ///
  /// - Parameter question: the only thing that will be asked: then so much is read as it needs, and so much is checked. nil:
  ///   anything may be.
  /// - Throws: ``StorageFailure``: there is none, another process writes in it, or bytes are damaged.
  public init(
    path: String, _ settings: Engine.Settings = Engine.Settings(), for question: CandleQuestion? = nil
  ) throws(StorageFailure) {
    try self.init(RealDisk(), path: path, settings, for: question)
  }

  package init(
    _ disk: any Disk, path: String, _ settings: Engine.Settings, for question: CandleQuestion? = nil,
    within bounds: PartBounds = PartBounds()
  ) throws(StorageFailure) {
    // First of all, for a value that cannot be copied is there on every way out, or on none.
    engine = Engine(settings)
    (restored, journalBytes) = (Restored(), 0)
    let directory = DataDirectory(path: path)
    try directory.requireLock(disk)
    let lock = try onDisk { () throws(DiskFailure) in try disk.lock(directory.lock, shared: true) }
    guard let lock else { throw .locked(path: path, holder: directory.holder(disk)) }
    let manifest = try Manifest.read(disk, directory)
    engine = Engine(settings.keeping(manifest?.retention))
    if let question, let manifest, let part = try question.restore(disk, directory, manifest, &engine, within: bounds) {
      (restored, isPart) = (part, true)
      withExtendedLifetime(lock) {}
      return
    }
    engine = Engine(settings.keeping(manifest?.retention))
    (restored, _) = try Restored.restore(disk, directory, manifest, price: nil, &engine)
    // For who writes.
    restored.lateRejections = []
    let bytes = try DirectoryBytes(disk, directory, manifest?.kept ?? [])
    (rawBytes, stateBytes, journalBytes) = (bytes.raw, bytes.state, bytes.journal)
    checkpointNote = CheckpointNote(disk, directory, manifest)
    withExtendedLifetime(lock) {}
  }
}

extension Engine.Settings {
  /// The same, with the retention of a directory where none is asked for.
  func keeping(_ retention: RetentionPolicy?) -> Engine.Settings {
    var settings = self
    if settings.retention == nil { settings.retention = retention ?? .standard }
    return settings
  }
}
