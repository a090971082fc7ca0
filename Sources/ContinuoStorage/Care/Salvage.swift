// Which way a damaged directory is brought back: from its kept files and the journal behind them, or from the journal alone.
// Invariant: the journal alone is taken only where it is whole from its first frame on, so that nothing is lost.
// Not here: what is left of files (KeptSalvage, JournalRemains), writing the result (Repair).

internal import Continuo

/// Brings an engine back from a damaged directory.
struct Salvage {
  private let disk: any Disk
  private let directory: DataDirectory
  /// nil: it is damaged or missing.
  private let manifest: Manifest?

  init(_ disk: any Disk, _ directory: DataDirectory, _ manifest: Manifest?) {
    (self.disk, self.directory, self.manifest) = (disk, directory, manifest)
  }

  /// Fills an engine, and tells what is lost. O(all of it).
  ///
  /// - Parameter damage: what is wrong with the directory.
  func bringBack(
    _ engine: inout Engine, _ damage: StorageFailure
  ) throws(StorageFailure) -> (RepairPlan, [RepairLoss]) {
    let journal = try JournalRemains(
      disk, directory, identity: manifest?.identity, newest: manifest?.newestJournalFile)
    guard let manifest else {
      guard let identity = journal.identity,
        let answer = try fromJournal(journal, Self.manifest(identity, journal), isLost: true, &engine)
      else { throw damage }
      return answer
    }
    var (kept, fault) = (try KeptSalvage(disk, directory, manifest), StorageFailure?.none)
    do throws(StorageFailure) {
      repeat { engine = Engine(Engine.Settings().keeping(manifest.retention)) } while try !kept.fill(&engine)
    } catch {
      guard case .damaged = error else { throw error }
      fault = error
    }
    if fault != nil || !kept.losses.isEmpty {
      if let answer = try fromJournal(journal, manifest, isLost: false, &engine) { return answer }
      // Of the manifest: it is no witness of anything then.
      if let fault { throw fault }
      repeat { engine = Engine(Engine.Settings().keeping(manifest.retention)) } while try !kept.fill(&engine)
    }
    return try fromKept(journal, kept, manifest, &engine)
  }

  // MARK: both ways

  private func fromKept(
    _ journal: JournalRemains, _ kept: KeptSalvage, _ manifest: Manifest, _ engine: inout Engine
  ) throws(StorageFailure) -> (RepairPlan, [RepairLoss]) {
    let beginning = JournalFrame(sequence: manifest.keptSequence, chain: manifest.keptChain)
    engine.noteChanges()
    var (last, cut) = (beginning, Int64(0))
    try take(journal.run(behind: beginning), journal, &engine, &last, &cut)
    var next = manifest
    next.kept = kept.sound.sorted { $0.header.number < $1.header.number }
    if kept.numbers.areUnchanged {
      engine.giveBack(kept.stretches, kept.areBasesChanged)
    } else {
      // Every file has other numbers in it.
      next.kept = []
      let segments = manifest.kept.filter { $0.header.kind == .segment }
      engine.giveBack(
        Set(segments.map { ChangedTimes.stretch(Timestamp(microseconds: $0.header.first)) }), true)
    }
    let names = next.kept.filter { $0.header.kind == .names }
    if names.count < manifest.kept.count(where: { $0.header.kind == .names }) {
      next.kept.removeAll { $0.header.kind == .names }
      (next.keptTokens, next.keptAddresses) = (0, 1)
    }
    return try plan(
      next, journal, manifest.kept, last, kept.losses,
      (first: manifest.journalStart.file, dropped: manifest.droppedTailBytes + cut))
  }

  /// Takes every frame from the first one on; nil where one of them is not there. The state is that of the manifest's last
  /// frame at least then: what was in the kept files is in it.
  private func fromJournal(
    _ journal: JournalRemains, _ manifest: Manifest, isLost: Bool, _ engine: inout Engine
  ) throws(StorageFailure) -> (RepairPlan, [RepairLoss])? {
    let run = journal.run(behind: JournalFrame(sequence: 0, chain: 0))
    guard !run.isEmpty, run.count >= manifest.keptSequence else { return nil }
    if let frame = run.first(where: { $0.header.sequence == manifest.keptSequence }) {
      guard frame.checksum == manifest.keptChain else { return nil }
    }
    engine = Engine(Engine.Settings().keeping(manifest.retention))
    engine.noteChanges()
    var (last, cut) = (JournalFrame(sequence: 0, chain: 0), Int64(0))
    try take(run, journal, &engine, &last, &cut)
    guard last.sequence > 0, last.sequence >= manifest.keptSequence else { return nil }
    var next = manifest
    next.kept = []
    (next.keptTokens, next.keptAddresses, next.marks) = (0, 1, EngineMarks())
    var losses: [RepairLoss] = []
    if isLost {
      losses = [
        RepairLoss(
          kind: .manifest, file: directory.manifest, byte: 0, events: nil, identities: nil, tokens: nil, from: nil,
          to: nil,
          what:
            "how long events are kept (for ever from now on, until --retention says otherwise), and whether a newer "
            + "journal file is missing")
      ]
    }
    return try plan(next, journal, isLost ? nil : manifest.kept, last, losses, (first: 1, dropped: cut))
  }

  /// The manifest of a directory whose own is damaged, for what its journal says.
  private static func manifest(_ identity: UInt64, _ journal: JournalRemains) -> Manifest {
    var manifest = Manifest(retention: RetentionPolicy(lengths: [Int64](repeating: .max, count: 8)) ?? .standard)
    manifest.identity = identity
    manifest.newestJournalFile = journal.files.keys.max() ?? 0
    return manifest
  }

  private func plan(
    _ next: Manifest, _ journal: JournalRemains, _ before: [KeptEntry]?, _ last: JournalFrame, _ losses: [RepairLoss],
    _ told: (first: UInt32, dropped: Int64)
  ) throws(StorageFailure) -> (RepairPlan, [RepairLoss]) {
    var (next, losses, end, torn) = (next, losses, last, Int64(0))
    if let sound = try soundEnd(before == nil ? nil : manifest) {
      torn = sound.tornBytes
    } else if let (loss, sequence) = try journal.loss(
      behind: last, first: told.first, newest: next.newestJournalFile)
    {
      losses.append(loss)
      // Numbers of frames that are lost are not used again.
      end.sequence = sequence
    }
    if journal.price == nil {
      losses.append(
        RepairLoss(
          kind: .journal, file: directory.journal, byte: 0, events: 0, identities: [], tokens: [], from: nil, to: nil,
          what: "whether prices are quoted or amounts (--price): they are quoted from now on"))
    }
    let numbers = try JournalReader.numbers(disk, directory).filter { $0 < 1 << 30 }
    let names = try KeptRestore.names(disk, directory)
    let kept = names.compactMap { UInt32($0.prefix { $0 != "." }) }.filter { $0 < 1 << 30 }
    next.nextNumber = max(next.nextNumber, (kept.max() ?? 0) + 1)
    return (
      RepairPlan(
        manifest: next, before: before, last: end,
        journalFile: max(numbers.max() ?? 0, next.newestJournalFile) + 1, price: journal.price ?? .quoted,
        droppedTailBytes: min(told.dropped + torn, 1 << 60), tornBytes: torn), losses
    )
  }

  /// Where a journal ends that has no damage; nil where it has.
  private func soundEnd(_ manifest: Manifest?) throws(StorageFailure) -> JournalEnd? {
    guard let manifest else { return nil }
    do throws(StorageFailure) {
      return try JournalReader(disk, directory, manifest).forEachRecord { _ in }
    } catch {
      guard case .damaged = error else { throw error }
      return nil
    }
  }

  /// Takes frames in their order, up to one whose bytes are no records.
  private func take(
    _ frames: [FoundFrame], _ journal: JournalRemains, _ engine: inout Engine, _ last: inout JournalFrame,
    _ cut: inout Int64
  ) throws(StorageFailure) {
    for frame in frames {
      guard let records = try journal.records(of: frame) else { return }
      for record in records {
        if case .cut(let bytes) = record { cut += min(max(0, bytes), 1 << 40) }
        _ = engine.take(record)
      }
      last = JournalFrame(sequence: frame.header.sequence, chain: frame.checksum)
    }
  }
}
