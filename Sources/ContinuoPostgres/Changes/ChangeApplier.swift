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
  case token(id: [UInt8], ToldToken?)
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

/// What was sent of a row of the table of tokens: a large value that did not change was not.
package struct ToldToken: Equatable, Sendable {
  package var symbol: [UInt8]?
  package var supply: Decimal18??

  /// The row, where what was not sent is that of the one before. O(1).
  package func row(behind old: TokenRow?) -> TokenRow {
    TokenRow(symbol: symbol ?? old?.symbol ?? [], supply: supply ?? old?.supply)
  }

  /// What both have told of a row, this one last. O(1).
  package func joined(_ earlier: ToldToken?) -> ToldToken {
    var joined = self
    if symbol == nil { joined.symbol = earlier?.symbol }
    if case .none = supply { joined.supply = earlier?.supply }
    return joined
  }
}

/// Why changes cannot be followed any more.
package enum FollowingStop: Error, Equatable, Sendable, CustomStringConvertible {
  case malformed(MalformedChange)
  /// A table was changed so that events cannot be read from it.
  case tableChanged(table: String, why: String)
  /// A number that tells places apart has no next one.
  case usedUp(String)

  package var description: String {
    switch self {
    case .malformed(let change): "the server sent \(change)"
    case .tableChanged(let table, let why):
      "\(table) was changed: \(why); nothing behind it was taken; correct --postgres-mapping, or undo the change"
    case .usedUp(let what): "\(what): there is no number for another one; begin with a new data directory"
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
    /// Where at least one column is of a row that came whole; empty where rows come by their keys.
    var whole: [Int]
  }

  private let mapping: TableMapping
  /// How each table's rows were named so far; nil where any name will do.
  private let names: [String]?
  private var followed: [UInt32: Followed] = [:]
  private var tokenTable: (number: UInt32, places: [Int], types: [UInt32])?
  /// Why nothing can be read of a table as it looks now.
  private var unreadable: [UInt32: FollowingStop] = [:]
  private var isInTransaction = false
  /// Whether the transaction was taken before: how tables looked in it says nothing of how they look now.
  package var isPassing = false

  package init(_ mapping: TableMapping, names: [String]? = nil) { (self.mapping, self.names) = (mapping, names) }

  /// Takes a message. O(its bytes).
  package mutating func take(_ message: ChangeMessage) throws(FollowingStop) -> AppliedMessage {
    switch message {
    case .begin(let final, _):
      guard !isInTransaction else { throw .malformed(MalformedChange("a transaction within another one")) }
      (isInTransaction, isPassing) = (true, false)
      return .begin(commit: final)
    case .commit(_, let end, let at):
      guard isInTransaction else { throw .malformed(MalformedChange("the end of no transaction")) }
      isInTransaction = false
      return .commit(end: end, at: at)
    case .relation(let relation):
      note(relation)
      return .nothing
    case .insert(let number, let new):
      guard try isRead(number) else { return .nothing }
      if let token = token(number, nil, new) { return token }
      guard let table = followed[number] else { return .nothing }
      return .change(
        .put(table: table.table, key: Self.key(table, new), old: nil, oldEvent: nil, new: table.reader.event(new)))
    case .update(let number, let old, let new):
      guard try isRead(number) else { return .nothing }
      if let token = token(number, old, new) { return token }
      guard let table = followed[number] else { return .nothing }
      return .change(try update(table, old, new))
    case .delete(let number, let old):
      guard try isRead(number) else { return .nothing }
      if let tokens = tokenTable, tokens.number == number {
        return id(old.fields).map { .token(id: $0, nil) } ?? .nothing
      }
      guard let table = followed[number] else { return .nothing }
      return .change(
        .removed(table: table.table, key: try oldKey(table, old), oldEvent: Self.event(table, old)))
    case .truncate(let numbers):
      for number in numbers { guard try isRead(number) else { return .nothing } }
      // One at a time: what follows of the others comes with the next message.
      let tables = numbers.compactMap { followed[$0]?.table }
      guard let first = tables.first else { return .nothing }
      pending = Array(tables.dropFirst())
      return .change(.truncated(table: first))
    case .other: return .nothing
    }
  }

  /// Whether a change of a table concerns us; where nothing can be read of it that ends it.
  private func isRead(_ number: UInt32) throws(FollowingStop) -> Bool {
    guard !isPassing else { return false }
    if let why = unreadable[number] { throw why }
    return true
  }

  /// Further tables of one truncation.
  private var pending: [Int] = []

  /// The next change of the message that was taken last; nil where there is none.
  package mutating func next() -> RowChange? { pending.isEmpty ? nil : .truncated(table: pending.removeFirst()) }

  // MARK: tables

  private mutating func note(_ relation: ChangedRelation) {
    let columns = relation.columns.map { (name: $0.name, type: $0.type) }
    unreadable[relation.number] = nil
    do throws(UnreadableColumn) {
      if relation.schema == mapping.tokens.schema, relation.name == mapping.tokens.name {
        tokenTable = (relation.number, try mapping.tokens.places(columns), columns.map(\.type))
        return
      }
      guard
        let index = mapping.events.firstIndex(where: { $0.schema == relation.schema && $0.name == relation.name })
      else { return }
      let table = mapping.events[index]
      let reader = try RowReader(table, columns)
      let (keys, isWhole) = Self.keys(of: relation, table)
      let name = Self.name(keys.map { columns[$0] }, isWhole: isWhole)
      if let names, names[index] != name {
        throw UnreadableColumn(table.title, "a row is named by \(name), and was by \(names[index])")
      }
      let whole =
        isWhole ? keys + [table.column(.token).flatMap { name in columns.firstIndex { $0.name == name } } ?? 0] : []
      followed[relation.number] = Followed(table: index, reader: reader, keys: keys, whole: whole)
    } catch {
      // Only a change of it is a reason to stop: it may be long ago that it looked so.
      unreadable[relation.number] = .tableChanged(table: error.table, why: error.why)
    }
  }

  /// The columns by which a row is named: those of the replica identity, or where rows come whole those that name the event.
  private static func keys(of relation: ChangedRelation, _ table: SourceTable) -> (places: [Int], isWhole: Bool) {
    let marked = relation.columns.indices.filter { relation.columns[$0].isKey }
    if relation.identity != UInt8(ascii: "f"), !marked.isEmpty { return (marked, false) }
    let names = table.keyColumns
    return (names.compactMap { name in relation.columns.firstIndex { $0.name == name } }, true)
  }

  /// What names a row, as a text that is compared. O(columns).
  package static func name(_ columns: [(name: String, type: UInt32)], isWhole: Bool) -> String {
    (isWhole ? "the whole row, " : "")
      + columns.map { "\($0.name) (\(ServerType.title($0.type)))" }.joined(separator: ", ")
  }

  private static func key(_ table: Followed, _ tuple: [TupleField]) -> RowKey {
    RowKey(table.keys.map { tuple.indices.contains($0) ? tuple[$0] : .null })
  }

  /// The key of a row as it was. A partition that names rows otherwise than its table does sends none.
  private func oldKey(_ table: Followed, _ old: OldTuple) throws(FollowingStop) -> RowKey {
    let fields = old.fields
    func isThere(_ place: Int) -> Bool { fields.indices.contains(place) && fields[place] != .null }
    let isNamed = table.whole.isEmpty ? table.keys.allSatisfy(isThere) : table.whole.contains(where: isThere)
    guard isNamed else {
      throw .tableChanged(
        table: table.reader.table.title,
        why: "a row went without what names it: a partition has another REPLICA IDENTITY")
    }
    return Self.key(table, fields)
  }

  private static func event(_ table: Followed, _ old: OldTuple) -> KeyedEvent? {
    guard case .whole(let fields) = old, let event = table.reader.event(fields), let identity = event.identity,
      let timestamp = event.timestamp
    else { return nil }
    return KeyedEvent(identity, timestamp)
  }

  private func update(_ table: Followed, _ old: OldTuple?, _ new: [TupleField]) throws(FollowingStop) -> RowChange {
    // What was not sent did not change: it stands in the old row, where that came whole.
    var whole: [TupleField]?
    if case .whole(let fields)? = old { whole = fields }
    let key = Self.key(table, new)
    var oldKey = key
    if let old { oldKey = try self.oldKey(table, old) }
    return .put(
      table: table.table, key: key, old: oldKey, oldEvent: old.flatMap { Self.event(table, $0) },
      new: table.reader.event(new, old: whole))
  }

  // MARK: tokens

  private func id(_ tuple: [TupleField]) -> [UInt8]? {
    guard let tokens = tokenTable, tuple.indices.contains(tokens.places[0]) else { return nil }
    return tuple[tokens.places[0]].text(tokens.types[tokens.places[0]])
  }

  private func token(_ number: UInt32, _ old: OldTuple?, _ tuple: [TupleField]) -> AppliedMessage? {
    guard let tokens = tokenTable, tokens.number == number else { return nil }
    guard let id = id(tuple) ?? old.flatMap({ id($0.fields) }), tuple.count == tokens.types.count else {
      return .nothing
    }
    var sent = ToldToken()
    let (symbol, supply) = (tuple[tokens.places[1]], tuple[tokens.places[2]])
    if symbol != .unchanged { sent.symbol = symbol.text(ServerType.text) ?? [] }
    switch supply {
    case .unchanged: break
    case .binary(let bytes) where tokens.types[tokens.places[2]] == ServerType.numeric:
      sent.supply = .some(try? NumericBytes.decimal(bytes))
    default:
      let digits = supply.text(tokens.types[tokens.places[2]]) ?? []
      sent.supply = .some(try? Decimal18(parsing: digits.span))
    }
    return .token(id: id, sent)
  }
}
