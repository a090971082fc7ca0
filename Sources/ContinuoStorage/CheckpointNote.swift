// What a directory says of a checkpoint that failed, for people and programs that look at it from outside.
// Invariant: it is best effort: nothing is opened, refused or believed for its sake, and whatever is in its file is no damage.
// Not here: when checkpoints are made (Checkpointer), what the ledger itself says (Ledger.checkpointFailure).
// Format: docs/format.md.

public import Continuo

/// A checkpoint that failed, where none has succeeded since.
public struct CheckpointNote: Equatable, Sendable {
  /// When it failed, by the system's clock.
  public let time: Timestamp
  /// What failed, where, and why.
  public let what: String

  /// No note is longer, in bytes.
  private static let bytesMax = 4096

  /// What stands between the time and the last frame that was in kept files then.
  private static let behind = ", behind frame "

  /// Leaves a note in a directory, over one that is there. Where it cannot be written there is none. O(length).
  ///
  /// - Parameter sequence: the last frame that is in kept files.
  static func leave(_ failure: StorageFailure, behind sequence: UInt64, _ disk: any Disk, _ directory: DataDirectory) {
    let first = "\(disk.now)\(behind)\(sequence)"
    let lines = [first, line(failure.what), line(failure.remedy)].joined(separator: "\n") + "\n"
    let bytes = Array(lines.utf8.prefix(bytesMax))
    try? disk.create(directory.checkpointNote).write(bytes.span, at: 0)
  }

  /// Takes the note of a directory away, if there is one. O(1).
  static func remove(_ disk: any Disk, _ directory: DataDirectory) { try? disk.remove(directory.checkpointNote) }

  /// The note of a directory; nil where there is none that can be read, or a checkpoint has succeeded since that was cut off
  /// before it took the note away. O(1).
  init?(_ disk: any Disk, _ directory: DataDirectory, _ manifest: Manifest?) {
    var bytes: [UInt8] = []
    do throws(DiskFailure) {
      try disk.open(directory.checkpointNote, forWriting: false).read(Self.bytesMax, at: 0, into: &bytes)
    } catch { return nil }
    let lines = String(decoding: bytes, as: UTF8.self).split(separator: "\n", omittingEmptySubsequences: false)
    // What a crash cut off within a line is not shown.
    guard lines.count >= 3, let mark = lines[0].firstRange(of: Self.behind),
      let time = Timestamp(lines[0][..<mark.lowerBound]), let sequence = UInt64(lines[0][mark.upperBound...]),
      sequence >= manifest?.keptSequence ?? 0, !lines[1].isEmpty
    else { return nil }
    (self.time, what) = (time, String(lines[1]))
  }

  /// A text without ends of lines.
  private static func line(_ text: String) -> String {
    String(text.map { $0.isNewline ? " " : $0 })
  }
}
