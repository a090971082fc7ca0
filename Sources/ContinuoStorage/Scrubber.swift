// Reads the kept files of an open directory again, slowly, and looks whether they are still what was written.
// Invariant: it waits for nobody and nobody for it; what a checkpoint has replaced meanwhile is no damage; the first damage stands.
// Not here: what is checked of a file (KeptFiles), what becomes of ingestion then (Ledger, LedgerStages).

internal import Continuo
internal import ContinuoBytes

/// What a scrub has done so far.
package struct ScrubCounts: Equatable, Sendable {
  /// How often it has been through all files, and how many files and bytes were sound.
  package var passes = 0
  package var files = 0
  package var bytes: Int64 = 0
}

/// Reads kept files again.
final class Scrubber: Sendable {
  private struct State: Sendable {
    var isClosed = false
    var damage: StorageFailure?
    var counts = ScrubCounts()
  }

  private let disk: any Disk
  private let directory: DataDirectory
  private let keeper: ManifestKeeper
  private let bytesPerSecond: Int64
  /// How long it rests before each time that it goes through all files: a start has just read them.
  private let restMicroseconds: Int64
  private let state = MonitorHandle(State())

  init(
    _ disk: any Disk, _ directory: DataDirectory, _ keeper: ManifestKeeper, bytesPerSecond: Int64,
    restMicroseconds: Int64
  ) {
    (self.disk, self.directory, self.keeper) = (disk, directory, keeper)
    (self.bytesPerSecond, self.restMicroseconds) = (max(1, bytesPerSecond), restMicroseconds)
  }

  /// The first damage that was found; nil: none was. O(1).
  var damage: StorageFailure? { state.locked { $0.damage } }

  var counts: ScrubCounts { state.locked { $0.counts } }

  /// Lets ``run()`` end.
  func close() { state.locked { $0.isClosed = true } }

  /// Goes through all files again and again, until it is closed or has found damage.
  func run() {
    while rest(restMicroseconds) {
      for entry in keeper.current.kept {
        do throws(StorageFailure) {
          guard try isDone(entry) else { return }
        } catch {
          guard let damage = found(error, entry) else { continue }
          return state.locked { $0.damage = damage }
        }
      }
      state.locked { $0.counts.passes += 1 }
    }
  }

  /// Checks a file block by block; false where it was closed meanwhile.
  private func isDone(_ entry: KeptEntry) throws(StorageFailure) -> Bool {
    let path = directory.keptFile(entry.header)
    let file = try onDisk { () throws(DiskFailure) in try disk.open(path, forWriting: false) }
    let reader = try KeptReader(file, path: path, entry)
    // What lies in front of the first block and behind the last one was read with the file's opening.
    guard rest(for: entry.bytes - reader.place(reader.blockCount) + reader.place(0)) else { return false }
    for block in 0..<reader.blockCount {
      try reader.check(block)
      guard rest(for: reader.place(block + 1) - reader.place(block)) else { return false }
    }
    state.locked {
      $0.counts.files += 1
      $0.counts.bytes += entry.bytes
    }
    return true
  }

  /// Whether a failure is damage; nil where it says nothing of the file, or the file is not needed any more.
  private func found(_ failure: StorageFailure, _ entry: KeptEntry) -> StorageFailure? {
    guard keeper.current.kept.contains(entry) else { return nil }
    let path = directory.keptFile(entry.header)
    switch failure {
    case .damaged(let file, let byte, let found, let expected):
      return .damageFound(file: file, byte: byte, found: found, expected: expected)
    case .newer(let file, let version):
      return .damageFound(file: file, byte: 8, found: "version \(version)", expected: "the one that was written")
    // It is gone, or cannot be read; other failures are of this process.
    case .disk(let call) where call.code == 2 || call.code == 5:
      return .damageFound(file: path, byte: 0, found: call.message, expected: "what was written")
    default: return nil
    }
  }

  /// Lets so much time go by as so many bytes may take; false where it was closed.
  private func rest(for bytes: Int64) -> Bool {
    let (microseconds, isOver) = bytes.multipliedReportingOverflow(by: 1_000_000)
    return rest(isOver ? .max : microseconds / bytesPerSecond)
  }

  private func rest(_ microseconds: Int64) -> Bool {
    !state.locked(when: { $0.isClosed }, withinMicroseconds: microseconds, { $0.isClosed })
  }
}
