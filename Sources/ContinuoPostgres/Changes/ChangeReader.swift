// The bytes of `pgoutput`, protocol version 1, read into messages.
// Invariant: a message is read whole, to its last byte, or is malformed; nothing traps and nothing is allocated that bytes only claim.
// Not here: frames around it (ReplicationFrame), what follows from a message (ChangeApplier).
// Source: PostgreSQL's documentation, "Logical Replication Message Formats".

extension ChangeMessage {
  /// Reads a message. O(bytes).
  package init(_ bytes: [UInt8]) throws(MalformedChange) {
    var reader = ChangeReader(bytes)
    let kind = try reader.byte()
    switch kind {
    case UInt8(ascii: "B"):
      let final = LSN(try reader.number())
      _ = try reader.number(as: Int64.self)
      self = .begin(final: final, xid: try reader.number())
    case UInt8(ascii: "C"):
      _ = try reader.byte()
      let (commit, end) = (LSN(try reader.number()), LSN(try reader.number()))
      self = .commit(commit: commit, end: end, at: ServerTime.timestamp(try reader.number()))
    case UInt8(ascii: "R"): self = .relation(try reader.relation())
    case UInt8(ascii: "I"):
      let relation: UInt32 = try reader.number()
      try reader.expect(UInt8(ascii: "N"))
      self = .insert(relation: relation, new: try reader.tuple())
    case UInt8(ascii: "U"):
      let relation: UInt32 = try reader.number()
      let old = try reader.old()
      try reader.expect(UInt8(ascii: "N"))
      self = .update(relation: relation, old: old, new: try reader.tuple())
    case UInt8(ascii: "D"):
      let relation: UInt32 = try reader.number()
      guard let old = try reader.old() else { throw MalformedChange("a deletion of no row") }
      self = .delete(relation: relation, old: old)
    case UInt8(ascii: "T"):
      let count: UInt32 = try reader.number()
      _ = try reader.byte()
      var relations: [UInt32] = []
      for _ in 0..<count { relations.append(try reader.number()) }
      self = .truncate(relations: relations)
    case UInt8(ascii: "O"), UInt8(ascii: "Y"), UInt8(ascii: "M"):
      self = .other(kind)
      return
    default: throw MalformedChange("a message of kind \(kind)")
    }
    try reader.finish()
  }
}

/// Reads what a message is made of.
private struct ChangeReader {
  private let bytes: [UInt8]
  private var offset = 0

  init(_ bytes: [UInt8]) { self.bytes = bytes }

  mutating func number<Number: FixedWidthInteger>(as type: Number.Type = Number.self) throws(MalformedChange) -> Number
  {
    guard let value: Number = BigEndian.value(bytes, at: offset) else { throw short }
    offset += Number.bitWidth / 8
    return value
  }

  mutating func byte() throws(MalformedChange) -> UInt8 { try number() }

  mutating func expect(_ byte: UInt8) throws(MalformedChange) {
    let found = try self.byte()
    guard found == byte else { throw MalformedChange("byte \(found) at \(offset - 1), where \(byte) is expected") }
  }

  func finish() throws(MalformedChange) {
    guard offset == bytes.count else {
      throw MalformedChange("\(bytes.count - offset) bytes behind the end of a message")
    }
  }

  /// A text that ends with a zero.
  private mutating func text() throws(MalformedChange) -> String {
    guard let end = bytes[offset...].firstIndex(of: 0) else { throw short }
    defer { offset = end + 1 }
    return String(decoding: bytes[offset..<end], as: UTF8.self)
  }

  mutating func relation() throws(MalformedChange) -> ChangedRelation {
    var relation = ChangedRelation(
      number: try number(), schema: try text(), name: try text(), identity: try byte(), columns: [])
    // No schema is that of the system's own tables.
    if relation.schema.isEmpty { relation.schema = "pg_catalog" }
    let count: UInt16 = try number()
    for _ in 0..<count {
      let flags = try byte()
      relation.columns.append(
        ChangedRelation.Column(isKey: flags & 1 != 0, name: try text(), type: try number()))
      _ = try number(as: Int32.self)
    }
    return relation
  }

  /// The old row in front of the new one, if there is one.
  mutating func old() throws(MalformedChange) -> OldTuple? {
    guard offset < bytes.count else { throw short }
    switch bytes[offset] {
    case UInt8(ascii: "K"):
      offset += 1
      return .key(try tuple())
    case UInt8(ascii: "O"):
      offset += 1
      return .whole(try tuple())
    default: return nil
    }
  }

  mutating func tuple() throws(MalformedChange) -> [TupleField] {
    let count: UInt16 = try number()
    var fields: [TupleField] = []
    for _ in 0..<count {
      let kind = try byte()
      switch kind {
      case UInt8(ascii: "n"): fields.append(.null)
      case UInt8(ascii: "u"): fields.append(.unchanged)
      case UInt8(ascii: "t"): fields.append(.text(try value()))
      case UInt8(ascii: "b"): fields.append(.binary(try value()))
      default: throw MalformedChange("a field of kind \(kind)")
      }
    }
    return fields
  }

  private mutating func value() throws(MalformedChange) -> [UInt8] {
    let length: Int32 = try number()
    guard length >= 0, Int(length) <= bytes.count - offset else { throw short }
    defer { offset += Int(length) }
    return Array(bytes[offset..<(offset + Int(length))])
  }

  private var short: MalformedChange { MalformedChange("a message of \(bytes.count) bytes that ends within a value") }
}
