// The columns of what a repair does not bring back.
// Invariant: what nobody knows is null, an empty list is an empty text.
// Not here: how it is found (ContinuoStorage), the other results (ResultTable+Columns).

public import Continuo

/// What is lost of one file.
public struct RepairAnswer: Sendable {
  /// What the file has in it: segment, names, bases, journal, manifest.
  public var kind: String
  /// The file, and the first byte in it that is damaged.
  public var file: String
  public var byte: Int64
  /// How many events; nil where nobody knows.
  public var events: Int?
  /// Where on their chains these stand; nil where nobody knows.
  public var identities: [String]?
  /// Of which tokens something is lost; nil where nobody knows.
  public var tokens: [ByteString]?
  /// Between which instants; nil where nobody knows.
  public var from: Timestamp?
  public var to: Timestamp?
  /// What is lost, in words.
  public var what: String

  public init(
    kind: String, file: String, byte: Int64, events: Int?, identities: [String]?, tokens: [ByteString]?,
    from: Timestamp?, to: Timestamp?, what: String
  ) {
    (self.kind, self.file, self.byte, self.events) = (kind, file, byte, events)
    (self.identities, self.tokens, self.from, self.to, self.what) = (identities, tokens, from, to, what)
  }

  /// Texts on one line, each behind a space.
  fileprivate static func line(_ texts: [ByteString]?) -> ByteString? {
    texts.map { ByteString(Array($0.map(\.bytes).joined(separator: [0x20]))) }
  }
}

extension ResultTable where Row == RepairAnswer {
  /// `repair`.
  public static var repair: Self {
    Self { row, cells in
      cells.text("kind", of: row) { ByteString($0.kind) }
      cells.text("file", of: row) { ByteString($0.file) }
      cells.count("byte", of: row) { Int($0.byte) }
      cells.count("events", of: row) { $0.events }
      cells.text("identities", of: row) { RepairAnswer.line($0.identities?.map { ByteString($0) }) }
      cells.text("tokens", of: row) { RepairAnswer.line($0.tokens) }
      cells.time("from", of: row) { $0.from }
      cells.time("to", of: row) { $0.to }
      cells.text("what", of: row) { ByteString($0.what) }
    }
  }
}
