// From the messages of the stream to changes of rows: which table each is of, what names the row, and where a transaction ends.
// Invariant: changes come in commit order, each within a transaction; a table that is not mapped is passed over; a mapped one that
// does not look as it has to any more ends it.
// Not here: reading bytes (ChangeReader), what the engine is told (ChangePlan).

package import Continuo

/// What one message came to.
package enum AppliedMessage: Equatable, Sendable {
  /// A transaction begins that ends with this commit.
  case begin(commit: LSN)
  case change(RowChange)
  /// A row of the table of tokens: nil where it is gone.
  case token(id: [UInt8], TokenRow?)
  /// The transaction is over; what comes next is behind `end`.
  case commit(end: LSN, at: Timestamp?)
  case nothing
}

/// What is read of a row of the table of tokens.
package struct TokenRow: Equatable, Sendable {
  package var symbol: [UInt8]
  package var supply: Decimal18?

  package init(symbol: [UInt8], supply: Decimal18?) { (self.symbol, self.supply) = (symbol, supply) }
}

/// Why changes cannot be followed any more.
package enum FollowingStop: Error, Equatable, Sendable, CustomStringConvertible {
  case malformed(MalformedChange)
  /// A table was changed so that events cannot be read from it.
  case tableChanged(table: String, why: String)

  package var description: String {
    switch self {
    case .malformed(let change): "the server sent \(change)"
    case .tableChanged(let table, let why):
      "\(table) was changed: \(why); nothing behind it was taken. Correct --postgres-mapping, or undo the change, and start again"
    }
  }
}

/// Turns messages into changes.
package struct ChangeApplier: Sendable {
  /// A mapped table as it looks now.
  private struct Followed: Sendable {
    var table: Int
    var reader: RowReader
    /// Where the columns are that name a row.
    var keys: [Int]
    /// Whether they name its event.
    var isOwnKey: Bool
  }

  private let mapping: TableMapping
  private var followed: [UInt32: Followed] = [:]
  private var tokenTable: (number: UInt32, id: Int, symbol: Int, supply: Int)?
  private var isInTransaction = false

  package init(_ mapping: TableMapping) { self.mapping = mapping }

  /// Takes a message. O(its bytes).
  package mutating func take(_ message: ChangeMessage) throws(FollowingStop) -> AppliedMessage {
    switch message {
    case .begin(let final, _):
      guard !isInTransaction else { throw .malformed(MalformedChange("a transaction within another one")) }
      isInTransaction = true
      return .begin(commit: final)
    case .commit(_, let end, let at):
      guard isInTransaction else { throw .malformed(MalformedChange("the end of no transaction")) }
      isInTransaction = false
      return .commit(end: end, at: at)
    case .relation(let relation):
      try note(relation)
      return .nothing
    case .insert(let number, let new):
      if let token = token(number, new) { return token }
      guard let table = followed[number] else { return .nothing }
      return .change(
        .put(table: table.table, key: Self.key(table, new), old: nil, oldEvent: nil, new: table.reader.event(new)))
    case .update(let number, let old, let new):
      if let token = token(number, new) { return token }
      guard let table = followed[number] else { return .nothing }
      return .change(Self.update(table, old, new))
    case .delete(let number, let old):
      if let tokens = tokenTable, tokens.number == number {
        return id(old.fields).map { .token(id: $0, nil) } ?? .nothing
      }
      guard let table = followed[number] else { return .nothing }
      return .change(
        .removed(table: table.table, key: Self.key(table, old.fields), oldEvent: Self.event(table, old)))
    case .truncate(let numbers):
      // One at a time: what follows of the others comes with the next message.
      let tables = numbers.compactMap { followed[$0]?.table }
      guard let first = tables.first else { return .nothing }
      pending = Array(tables.dropFirst())
      return .change(.truncated(table: first))
    case .other: return .nothing
    }
  }

  /// Further tables of one truncation.
  private var pending: [Int] = []

  /// The next change of the message that was taken last; nil where there is none.
  package mutating func next() -> RowChange? { pending.isEmpty ? nil : .truncated(table: pending.removeFirst()) }

  // MARK: tables

  private mutating func note(_ relation: ChangedRelation) throws(FollowingStop) {
    let columns = relation.columns.map { (name: $0.name, type: $0.type) }
    let tokens = mapping.tokens
    if relation.schema == tokens.schema, relation.name == tokens.name {
      let names = relation.columns.map(\.name)
      guard let id = names.firstIndex(of: tokens.id), let symbol = names.firstIndex(of: tokens.symbol),
        let supply = names.firstIndex(of: tokens.supply)
      else {
        throw .tableChanged(table: tokens.title, why: "it lacks \(tokens.id), \(tokens.symbol) or \(tokens.supply)")
      }
      tokenTable = (relation.number, id, symbol, supply)
      return
    }
    guard
      let index = mapping.events.firstIndex(where: { $0.schema == relation.schema && $0.name == relation.name })
    else { return }
    do throws(MissingColumn) {
      let reader = try RowReader(mapping.events[index], columns)
      let (keys, isOwn) = Self.keys(of: relation, mapping.events[index])
      followed[relation.number] = Followed(table: index, reader: reader, keys: keys, isOwnKey: isOwn)
    } catch { throw .tableChanged(table: error.table, why: "there is no column \(error.column) any more") }
  }

  /// The columns by which a row is named: those of the replica identity, or where rows come whole those that name the event.
  private static func keys(of relation: ChangedRelation, _ table: SourceTable) -> (places: [Int], isOwn: Bool) {
    let marked = relation.columns.indices.filter { relation.columns[$0].isKey }
    if relation.identity != UInt8(ascii: "f"), !marked.isEmpty { return (marked, false) }
    let names = [EventField.chain, .block, .logIndex].compactMap { table.column($0) }
    return (names.compactMap { name in relation.columns.firstIndex { $0.name == name } }, true)
  }

  private static func key(_ table: Followed, _ tuple: [TupleField]) -> RowKey {
    RowKey(table.keys.map { tuple.indices.contains($0) ? tuple[$0] : .null })
  }

  private static func event(_ table: Followed, _ old: OldTuple) -> KeyedEvent? {
    guard case .whole(let fields) = old, let event = table.reader.event(fields), let identity = event.identity,
      let timestamp = event.timestamp
    else { return nil }
    return KeyedEvent(identity, timestamp)
  }

  private static func update(_ table: Followed, _ old: OldTuple?, _ new: [TupleField]) -> RowChange {
    // What was not sent did not change: it stands in the old row, where that came whole.
    var whole: [TupleField]?
    if case .whole(let fields)? = old { whole = fields }
    let key = key(table, new)
    return .put(
      table: table.table, key: key, old: old.map { Self.key(table, $0.fields) } ?? key,
      oldEvent: old.flatMap { event(table, $0) }, new: table.reader.event(new, old: whole))
  }

  // MARK: tokens

  private func id(_ tuple: [TupleField]) -> [UInt8]? {
    guard let tokens = tokenTable, tuple.indices.contains(tokens.id) else { return nil }
    // A text stays a text whatever type it is said to have.
    return tuple[tokens.id].text(tuple[tokens.id].byteCount == 16 ? ServerType.uuid : 0)
  }

  private func token(_ number: UInt32, _ tuple: [TupleField]) -> AppliedMessage? {
    guard let tokens = tokenTable, tokens.number == number else { return nil }
    guard let id = id(tuple), tuple.count > max(tokens.symbol, tokens.supply) else { return .nothing }
    var supply: Decimal18?
    if case .binary(let bytes) = tuple[tokens.supply] { supply = try? NumericBytes.decimal(bytes) }
    return .token(id: id, TokenRow(symbol: tuple[tokens.symbol].text(0) ?? [], supply: supply))
  }
}

extension TupleField {
  /// How long a binary value is.
  fileprivate var byteCount: Int {
    if case .binary(let bytes) = self { return bytes.count }
    return 0
  }
}
