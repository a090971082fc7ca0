// What a line of the audit log says.
// Invariant: one JSON object, one line; a line says all by itself, and the two of one act have one number.
// Not here: when lines are written (ContinuoStorage/AuditFile), the acts.
// Format: docs/format.md.

public import Continuo

/// Something that takes back what was acknowledged, and who asked for it.
public struct AuditEntry: Sendable {
  /// What is done.
  public enum Act: Sendable {
    /// Every event of a chain above a block is undone.
    case rollback(chain: UInt32, block: UInt64)
    /// Single events are undone.
    case retract([EventIdentity])
    /// A damaged directory is made sound again, at the loss of something in so many files.
    case repair(losses: Int)
  }

  /// How far it is.
  public enum Outcome: Sendable {
    case begun
    /// It is done: so many events were undone, and the journal is so far.
    case done(undone: Int?, sequence: UInt64?)
    /// It was not done, or nobody knows.
    case failed(String)
  }

  /// What.
  public var act: Act
  /// By what right: whose token it was, or the command line.
  public var who: String
  /// From where: an address, or a user of this machine.
  public var from: String

  /// Puts an entry together. O(1).
  public init(_ act: Act, who: String, from: String) { (self.act, self.who, self.from) = (act, who, from) }

  /// The line, with its line feed. O(length).
  ///
  /// - Parameter number: what tells the act from all others of its file.
  public func line(_ number: Int64, _ outcome: Outcome, at time: Timestamp) -> [UInt8] {
    var object = JSONObject()
    object.put("time", time: time, as: nil)
    object.put("number", count: UInt64(number))
    object.put("who", ByteString(who))
    object.put("from", ByteString(from))
    switch act {
    case .rollback(let chain, let block):
      object.put("act", "rollback")
      object.put("chain", count: UInt64(chain))
      object.put("block", count: block)
    case .retract(let events):
      object.put("act", "retract")
      object.put("events", events, ResultTable.identities)
    case .repair(let losses):
      object.put("act", "repair")
      object.put("losses", count: UInt64(losses))
    }
    switch outcome {
    case .begun: object.put("outcome", "begun")
    case .done(let undone, let sequence):
      object.put("outcome", "done")
      object.put("undone", count: undone.map { UInt64($0) })
      object.put("sequence", count: sequence)
    case .failed(let why):
      object.put("outcome", "failed")
      object.put("why", ByteString(why))
    }
    return object.finished()
  }
}
