// A damaged data directory made sound again, of what is sound in it; and what that costs, before it is done.
// Invariant: nothing is changed until ``Repair/write()``, which replaces the state as a whole, by one rename; what was there is
// in `damaged/` then, and where it fails all is as it was.
// Not here: what is left of files (KeptSalvage, JournalRemains), putting by (DamagedCopies), mending a disk.

internal import Continuo

/// What was put by, and what there is now.
public struct RepairReceipt: Equatable, Sendable {
  /// Where the files are that were replaced.
  public let damaged: String
  /// How many these are.
  public let files: Int
  /// How many events are held now.
  public let events: Int
}

/// A data directory that is looked at in order to be repaired, and is held until this goes.
///
///     var repair = try Repair(path: "data", writes: true)
///     if repair.isNeeded, repair.losses.isEmpty { try repair.write() }
public struct Repair: ~Copyable {
  /// What is damaged, the first of it; nil: nothing is.
  public private(set) var damage: StorageFailure?
  /// What ``write()`` would not bring back; none: everything comes back.
  public private(set) var losses: [RepairLoss] = []
  /// How many bytes behind the last frame of a journal without damage are what a crash has left of a write, or a last frame that
  /// has decayed as a whole: nobody can tell. They go with a repair.
  public var tornTailBytes: Int64 { plan?.tornBytes ?? 0 }
  /// Whether there is anything to repair.
  public var isNeeded: Bool { damage != nil }

  private let disk: any Disk
  private let directory: DataDirectory
  /// How long the journal's next file is.
  private let fileBytes: Int64
  /// Held for as long as this is there.
  private var lock: (any DiskFile)?
  private let writes: Bool
  private var engine: Engine
  private var plan: RepairPlan?

  /// Looks at a directory. O(all of it).
  ///
  /// - Parameter writes: whether it is to be repaired, so that nobody else may have it; else it is only read, as others may.
  /// - Throws: ``StorageFailure``: there is none, somebody has it, the disk fails; or `damaged` of a manifest, without which
  ///   nothing can be told and which no journal from its first frame on stands in for.
  public init(path: String, writes: Bool) throws(StorageFailure) {
    try self.init(RealDisk(), path: path, writes: writes)
  }

  package init(
    _ disk: any Disk, path: String, writes: Bool, journalFileBytes: Int64 = JournalFormat.fileBytes
  ) throws(StorageFailure) {
    // First of all, for a value that cannot be copied is there on every way out, or on none.
    engine = Engine()
    (self.disk, directory, fileBytes, self.writes) = (disk, DataDirectory(path: path), journalFileBytes, writes)
    let directory = directory
    try directory.requireLock(disk)
    if writes {
      lock = try directory.claim(disk)
    } else {
      let shared = try onDisk { () throws(DiskFailure) in try disk.lock(directory.lock, shared: true) }
      guard let shared else { throw .locked(path: path, holder: directory.holder(disk)) }
      lock = shared
    }
    var manifest: Manifest?
    do throws(StorageFailure) {
      manifest = try Manifest.read(disk, directory)
      engine = Engine(Engine.Settings().keeping(manifest?.retention))
      _ = try Restored.restore(disk, directory, manifest, price: nil, &engine)
    } catch {
      guard case .damaged = error else { throw error }
      damage = error
    }
    guard let damage else { return }
    (plan, losses) = try Salvage(disk, directory, manifest).bringBack(&engine, damage)
  }

  /// Makes the directory what was found sound in it. O(what is written anew).
  ///
  /// - Precondition: it is needed, and was to write.
  /// - Throws: ``StorageFailure``: the disk fails; the directory is as it was.
  public mutating func write() throws(StorageFailure) -> RepairReceipt {
    guard let plan, writes else { preconditionFailure("what is damaged is repaired, by who has it alone") }
    let keeper = ManifestKeeper(disk, directory, plan.manifest)
    var copies = DamagedCopies(disk, directory)
    let header = JournalFileHeader(
      identity: UInt64.random(in: .min ... .max), number: plan.journalFile, firstSequence: plan.last.sequence + 1,
      chain: plan.last.chain, fileBytes: fileBytes, price: plan.price, directory: plan.manifest.identity)
    let start = JournalStart(file: header.number, sequence: header.firstSequence, chain: header.chain)
    let version = engine.kept()
    let (changed, areBasesChanged) = (version.changed, version.areBasesChanged)
    var checkpoint = Checkpoint(disk, directory, keeper)
    let (disk, directory) = (disk, directory)
    var replaced: [String] = []
    do throws(DiskFailure) {
      // Empty directories get lost in copies.
      try disk.makeDirectory(directory.kept)
      try disk.makeDirectory(directory.journal)
      _ = try checkpoint.keep(
        version, plan.last, start: start, droppedTailBytes: plan.droppedTailBytes,
        preparing: { (kept) throws(DiskFailure) in
          replaced = try plan.replaced(by: kept, disk, directory)
          for file in replaced { try copies.add(file) }
          if try disk.names(in: directory.path)?.contains(DataDirectory.manifestName) ?? false {
            try copies.add(directory.manifest)
          }
          try copies.finish()
          _ = try JournalWriter.make(disk, directory, header)
        })
    } catch {
      // Unless the manifest may name it.
      if keeper.uncertainty == nil {
        copies.undo()
        for file in [directory.newJournalFile(header.number), directory.journalFile(header.number)] {
          try? disk.remove(file)
        }
      }
      // It may be tried again.
      engine.giveBack(changed, areBasesChanged)
      throw .disk(error)
    }
    (self.plan, damage) = (nil, nil)
    // What is not removed now the next writer removes.
    for file in replaced { try? disk.remove(file) }
    CheckpointNote.remove(disk, directory)
    let counts = engine.inspection()
    return RepairReceipt(
      damaged: copies.path ?? directory.damaged, files: copies.count, events: counts.swaps + counts.transfers)
  }
}

/// What is to be written.
struct RepairPlan {
  /// The manifest, but for what is written anew: it names the files that stay.
  var manifest: Manifest
  /// Whether the manifest that is there says which files count; else all do.
  var before: [KeptEntry]?
  /// The last frame that the new state has.
  var last: JournalFrame
  /// The number of the file that the journal goes on in, above all that are there.
  var journalFile: UInt32
  var price: PriceMode
  var droppedTailBytes: Int64
  /// What is left of a write that a crash cut off.
  var tornBytes: Int64

  /// The files whose place others take, as far as they are there. O(files).
  func replaced(by kept: [KeptEntry], _ disk: any Disk, _ directory: DataDirectory) throws(DiskFailure) -> [String] {
    let staying = Set(kept.map { directory.keptFile($0.header) })
    let named = before.map { Set($0.map { directory.keptFile($0.header) }) }
    var files: [String] = []
    for name in try disk.names(in: directory.kept) ?? [] where DataDirectory.isKept(name) {
      let path = directory.kept + "/" + name
      if !staying.contains(path), named?.contains(path) ?? true { files.append(path) }
    }
    for number in try disk.names(in: directory.journal)?.compactMap(DataDirectory.journalNumber) ?? [] {
      files.append(directory.journalFile(number))
    }
    return files.sorted()
  }
}
