// What `inspect` answers: what an engine holds, and what a data directory is made of.
// Invariant: a column's name stands here and nowhere else.
// Not here: the counts (Continuo), the figures of a directory (ContinuoStorage), writing rows (ResultWriter).

public import Continuo

/// What a data directory takes on the disk, and what is known of its files.
public struct DirectoryFigures: Equatable, Sendable {
  /// What raw events take outside of the journal.
  public var rawBytes: Int64
  /// What summaries take outside of the journal.
  public var stateBytes: Int64
  /// What the journal takes, and all else that is there.
  public var journalBytes: Int64
  /// The version of the format of its files.
  public var formatVersion: Int
  /// How many bytes of torn tails there are or were.
  public var droppedTailBytes: Int64
  /// How many frames of the journal, with how many bytes, lie behind the last checkpoint.
  public var unkeptFrames = 0
  public var unkeptBytes: Int64 = 0
  /// When the last checkpoint failed, and why; nil where it did not.
  public var checkpointFailedAt: Timestamp?
  public var checkpointFailure: String?
  /// How far each source has come.
  public var sources: [InputPosition] = []

  /// Figures of a directory whose last checkpoint did not fail. O(1).
  public init(
    rawBytes: Int64 = 0, stateBytes: Int64 = 0, journalBytes: Int64, formatVersion: Int, droppedTailBytes: Int64
  ) {
    self.rawBytes = rawBytes
    self.stateBytes = stateBytes
    self.journalBytes = journalBytes
    self.formatVersion = formatVersion
    self.droppedTailBytes = droppedTailBytes
  }
}

/// What an engine holds, with the directory that it came from, and the digest of its answers where it was asked for.
public struct InspectionAnswer: Sendable {
  public var inspection: Inspection
  public var directory: DirectoryFigures?
  /// In hexadecimal.
  public var stateDigest: String?

  public init(inspection: Inspection, directory: DirectoryFigures? = nil, stateDigest: String?) {
    self.inspection = inspection
    self.directory = directory
    self.stateDigest = stateDigest
  }
}

extension ResultTable where Row == InspectionAnswer {
  /// `inspect`.
  public static func inspection(ofDirectory: Bool = false, withDigest: Bool) -> Self {
    Self(isSingle: true) { row, cells in
      cells.count("events", of: row) { $0.inspection.swaps + $0.inspection.transfers }
      cells.count("swaps", of: row) { $0.inspection.swaps }
      cells.count("transfers", of: row) { $0.inspection.transfers }
      cells.time("first", of: row) { $0.inspection.first }
      cells.count("tokens", of: row) { $0.inspection.tokens }
      cells.count("addresses", of: row) { $0.inspection.addresses }
      cells.time("newest", of: row) { $0.inspection.newest }
      cells.time("clock", of: row) { $0.inspection.clock }
      cells.time("horizon", of: row) { $0.inspection.horizon }
      cells.count("negative_balances", of: row) { $0.inspection.negativeBalances }
      cells.count("incomplete_tokens", of: row) { $0.inspection.incompleteTokens }
      if ofDirectory {
        cells.count("raw_bytes", of: row) { $0.directory.map { Int($0.rawBytes) } }
        cells.count("state_bytes", of: row) { $0.directory.map { Int($0.stateBytes) } }
        cells.count("journal_bytes", of: row) { $0.directory.map { Int($0.journalBytes) } }
        cells.count("format_version", of: row) { $0.directory?.formatVersion }
        cells.count("dropped_tail_bytes", of: row) { $0.directory.map { Int($0.droppedTailBytes) } }
        cells.count("unkept_frames", of: row) { $0.directory?.unkeptFrames }
        cells.count("unkept_bytes", of: row) { $0.directory.map { Int($0.unkeptBytes) } }
        cells.time("checkpoint_failed_at", of: row) { $0.directory?.checkpointFailedAt }
        cells.text("checkpoint_failure", of: row) { $0.directory?.checkpointFailure.map { ByteString($0) } }
        cells.text("sources", of: row) { answer in
          (answer.directory?.sources).map { sources in
            ByteString(sources.map { "\($0.source)=\($0.position)" }.joined(separator: "; "))
          }
        }
      }
      if withDigest { cells.text("state_digest", of: row) { ByteString($0.stateDigest ?? "") } }
    }
  }
}
