// Candles from a directory that is still being brought back.
// Invariant: nothing of a directory changes while a part of it is read; what is answered is on the disk, and is what the
// whole engine answers before its first step.
// Not here: which part a question needs (CandleQuestion), who asks meanwhile (the server), bringing back the whole (Restored).
// Rules 7.5, 8.

public import Continuo
internal import ContinuoBytes

/// A data directory that is being opened: what tells of its files is sound, and questions about candles are answered from so much of
/// it as they need, until the whole is there (``Ledger/Options/onChecked``). Where the opening fails they go on being answered, and the directory stays
/// taken for as long as there is a reference to this.
public final class DirectoryParts: Sendable {
  private struct State: Sendable {
    /// How many are reading.
    var readers = 0
    var isClosed = false
    /// The directory's: who reads holds it too.
    var lock: (any DiskFile)?
  }

  private let disk: any Disk
  private let directory: DataDirectory
  private let manifest: Manifest
  private let settings: Engine.Settings
  private let state: MonitorHandle<State>
  /// How many bytes are read until the whole is there.
  public let bytes: Int64

  init(
    _ disk: any Disk, _ directory: DataDirectory, _ manifest: Manifest, _ settings: Engine.Settings,
    lock: any DiskFile, bytes: Int64
  ) {
    (self.disk, self.directory, self.manifest, self.settings) = (disk, directory, manifest, settings)
    (state, self.bytes) = (MonitorHandle(State(lock: lock)), bytes)
  }

  /// Lends an engine that answers one question as the whole one would, by its first version. As much memory is taken as its events
  /// take. O(events of the question's time), and O(journal).
  ///
  /// - Returns: nil where the whole one is needed, or nearly there.
  /// - Throws: ``StorageFailure`` where bytes are damaged that it needs; what `body` throws.
  public func read<Answer>(_ question: CandleQuestion, _ body: (Publication) throws -> Answer) throws -> Answer? {
    let mayRead = state.locked { state in
      if !state.isClosed { state.readers += 1 }
      return !state.isClosed
    }
    guard mayRead else { return nil }
    defer { state.locked { $0.readers -= 1 } }
    var engine = Engine(settings)
    // Two of some: what was selected, and the engine that is made of it.
    let bounds = PartBounds(swapsMax: Self.swapsMax) { [state] in state.locked { !$0.isClosed } }
    guard try question.restore(disk, directory, manifest, &engine, within: bounds) != nil else { return nil }
    return try body(engine.publication())
  }

  /// A question that takes more swaps than this waits for the whole: it takes as long, and as much memory again.
  private static let swapsMax = 1_000_000

  /// Whether parts can be read. O(1).
  package var isOpen: Bool { state.locked { !$0.isClosed } }

  /// Lets nobody read any more, and waits for who does.
  func close() {
    state.locked { $0.isClosed = true }
    state.locked(when: { $0.readers == 0 }, { $0.lock = nil })
  }
}

/// An opening of a directory of which parts can be read.
struct EarlyOpening {
  let parts: DirectoryParts
  /// How many bytes were cut off the journal.
  private(set) var tornBytes: Int64 = 0
  /// Whether there was a file of the journal that the manifest did not name.
  let hasUnnamedFile: Bool

  /// Looks at what tells of the rest: names, lengths, headers and footers of kept files, the journal's frames and its end. A journal that
  /// has anything behind the kept files is settled, for what is answered from it must be on the disk, and of what was read only a copy
  /// says so (``JournalWriter/settle()``). O(files + journal).
  ///
  /// - Parameter journal: is set where it was settled.
  /// - Returns: nil where nobody wants parts, or there is no journal yet.
  init?(
    _ disk: any Disk, _ directory: DataDirectory, _ keeper: ManifestKeeper, _ settings: Engine.Settings,
    _ lock: any DiskFile, _ options: Ledger.Options, _ preparer: JournalFilePreparer, _ journal: inout JournalWriter?
  ) throws(StorageFailure) {
    guard let onChecked = options.onChecked else { return nil }
    let manifest = keeper.current
    try KeptRestore.check(disk, directory, manifest)
    let end = try JournalReader(disk, directory, manifest, price: options.price, readsKept: false).check()
    guard let end else { return nil }
    hasUnnamedFile = end.file.number > manifest.newestJournalFile
    if end.sequence > manifest.keptSequence + 1 {
      journal = try Ledger.writer(disk, directory, keeper, nil, end, options, preparer)
      tornBytes = end.tornBytes
    }
    let journalBytes = end.offset + Int64(end.starts.count - 1) * end.file.fileBytes
    parts = DirectoryParts(
      disk, directory, keeper.current, settings, lock: lock,
      bytes: manifest.kept.reduce(journalBytes) { $0 + $1.bytes })
    onChecked(parts)
  }
}

extension Ledger {
  /// The journal, ready for more frames, of a directory whose engine is back.
  ///
  /// - Parameters:
  ///   - settled: the one that was settled before; what is behind it then is what the engine was brought back to.
  ///   - end: where the journal ended for who brought it back.
  static func journal(
    _ settled: consuming JournalWriter?, _ disk: any Disk, _ directory: DataDirectory, _ keeper: ManifestKeeper,
    _ retention: RetentionPolicy?, _ end: JournalEnd?, _ options: Options, _ preparer: JournalFilePreparer
  ) throws(StorageFailure) -> JournalWriter {
    if let settled {
      guard let end, settled.isBehind(end) else {
        throw .damaged(
          file: directory.journalFile(settled.position.file), byte: end?.offset ?? 0, found: "another end",
          expected:
            "frame \(settled.position.sequence) in front of byte \(settled.position.byte), as it was a moment ago")
      }
      if let retention, keeper.current.retention != retention {
        try onDisk { () throws(DiskFailure) in try keeper.update { $0.retention = retention } }
      }
      return settled
    }
    return try writer(disk, directory, keeper, retention, end, options, preparer)
  }
}
