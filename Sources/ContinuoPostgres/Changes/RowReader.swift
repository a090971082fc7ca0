// What a row of a followed table is: an event, something that is none, or an event that the engine will reject.
// Invariant: a row is judged as a row of text with the same values would be; what can be read at once is, so that text is made only of
// rows that have something wrong with them.
// Not here: which rows come when (ChangeApplier), the checks of an event (Continuo's Judgement).
// Rules 20.1.

package import Continuo

/// An event as a row has it.
package struct MappedEvent: Equatable, Sendable {
  /// Everything that is read at once: names are bytes, numbers are numbers.
  package struct Fields: Equatable, Sendable {
    package var token: [UInt8] = []
    package var side: Side?
    package var amount: Decimal18?
    package var tokenAmount: Decimal18?
    package var price: Decimal18?
    /// A swap's wallet, a transfer's giver.
    package var from: [UInt8] = []
    package var to: [UInt8] = []
  }

  package enum Content: Equatable, Sendable {
    case fields(Fields)
    /// By field; it will be rejected.
    case texts([EventField: [UInt8]])
    /// A value was not sent, as it is large and did not change: it has to be read of the table.
    case unsent
  }

  /// nil where the row does not say which event it is; then it is rejected for that.
  package var identity: EventIdentity?
  /// nil where the row does not say when it happened.
  package var timestamp: Timestamp?
  package var content: Content

  /// Puts it into a batch. O(length).
  package func append(to batch: inout EventBatch, kind: EventKind) {
    switch content {
    case .texts(let texts):
      batch.append(texts: [(.kind, Array(kind.name.utf8))] + texts.map { ($0.key, $0.value) })
    case .unsent: batch.append(texts: [(.kind, Array(kind.name.utf8))])
    case .fields(let fields):
      guard let identity, let timestamp else { preconditionFailure("an event that was read has its place") }
      if kind == .swap {
        batch.appendSwap(
          chain: identity.chain, block: identity.block, logIndex: identity.logIndex, timestamp: timestamp,
          token: fields.token.span, side: fields.side, amountUSD: fields.amount, tokenAmount: fields.tokenAmount,
          priceUSD: fields.price, wallet: fields.from.span)
      } else {
        batch.appendTransfer(
          chain: identity.chain, block: identity.block, logIndex: identity.logIndex, timestamp: timestamp,
          token: fields.token.span, from: fields.from.span, to: fields.to.span, amount: fields.amount, tokenID: nil)
      }
    }
  }
}

/// Reads the rows of one table, whose columns come in a known order.
package struct RowReader: Sendable {
  package let table: SourceTable
  /// By field's number: where its column is.
  private(set) var places: [Int?] = Array(repeating: nil, count: EventField.allCases.count)
  let types: [UInt32]
  let only: (place: Int, value: [UInt8])?

  /// Prepares to read rows; a mapped column that is not there, or of a type that is not read, is named.
  package init(_ table: SourceTable, _ columns: [(name: String, type: UInt32)]) throws(UnreadableColumn) {
    self.table = table
    types = columns.map(\.type)
    func place(_ name: String, _ isRead: (UInt32) -> Bool, _ use: String) throws(UnreadableColumn) -> Int {
      guard let place = columns.firstIndex(where: { $0.name == name }), columns[place].type != 0 else {
        throw UnreadableColumn(table.title, "there is no column \(name) any more")
      }
      guard isRead(columns[place].type) else {
        throw UnreadableColumn(table.title, "\(name) is \(ServerType.title(columns[place].type)), and \(use)")
      }
      return place
    }
    var only: (Int, [UInt8])?
    if let name = table.onlyColumn {
      only = (
        try place(name, ServerType.isComparable, "only_column is compared as text"),
        Array((table.onlyValue ?? "").utf8)
      )
    }
    self.only = only
    for field in EventField.allCases {
      guard let name = table.column(field) else { continue }
      let known = field.serverTypes
      places[Int(field.rawValue)] = try place(
        name, known.contains, "\(field.name) is read from \(known.map(ServerType.title).joined(separator: ", "))")
    }
  }

  /// Reads a row; nil where it is no event.
  ///
  /// - Parameter old: what stands in the place of values that were not sent.
  package func event(_ tuple: [TupleField], old: [TupleField]? = nil) -> MappedEvent? {
    if let only {
      let value = value(at: only.place, tuple, old)
      if value != .unchanged, value.text(types[only.place]) != only.value { return nil }
    }
    if let event = plain(tuple, old) { return event }
    guard isWhole(tuple, old) else {
      return MappedEvent(identity: identity(tuple, old), timestamp: timestamp(tuple, old), content: .unsent)
    }
    var texts: [EventField: [UInt8]] = [:]
    for field in EventField.allCases {
      guard let place = places[Int(field.rawValue)] else { continue }
      var text = value(at: place, tuple, old).text(types[place])
      if table.amountScale > 0, field == .amount || field == .tokenAmount, let digits = text {
        text = digits + Array("e-\(table.amountScale)".utf8)
      }
      texts[field] = text
    }
    return MappedEvent(identity: identity(tuple, old), timestamp: timestamp(tuple, old), content: .texts(texts))
  }

  /// Whether every value that is read was sent.
  private func isWhole(_ tuple: [TupleField], _ old: [TupleField]?) -> Bool {
    (places + [only?.place]).allSatisfy { $0.map { value(at: $0, tuple, old) != .unchanged } ?? true }
  }

  private func value(at place: Int, _ tuple: [TupleField], _ old: [TupleField]?) -> TupleField {
    guard tuple.indices.contains(place) else { return .null }
    if tuple[place] == .unchanged, let old, old.indices.contains(place) { return old[place] }
    return tuple[place]
  }

  // MARK: at once

  /// The event, where nothing is wrong with any of its values.
  private func plain(_ tuple: [TupleField], _ old: [TupleField]?) -> MappedEvent? {
    guard let identity = identity(tuple, old), let timestamp = timestamp(tuple, old) else { return nil }
    var fields = MappedEvent.Fields()
    guard let token = text(.token, tuple, old), !token.isEmpty else { return nil }
    fields.token = token
    if table.kind == .swap {
      guard let amount = number(.amountUSD, tuple, old), case .some = amount,
        let tokenAmount = number(.tokenAmount, tuple, old), let price = number(.priceUSD, tuple, old)
      else { return nil }
      (fields.amount, fields.tokenAmount, fields.price) = (amount, tokenAmount, price)
      switch text(.side, tuple, old) {
      case nil, []: break
      case Self.buy: fields.side = .buy
      case Self.sell: fields.side = .sell
      default: return nil
      }
      fields.from = text(.wallet, tuple, old) ?? []
    } else {
      guard let amount = number(.amount, tuple, old), case .some = amount, let from = text(.from, tuple, old),
        let to = text(.to, tuple, old)
      else { return nil }
      (fields.amount, fields.from, fields.to) = (amount, from, to)
    }
    return isWhole(tuple, old) ? MappedEvent(identity: identity, timestamp: timestamp, content: .fields(fields)) : nil
  }

  static let buy = Array("buy".utf8)
  static let sell = Array("sell".utf8)

  /// Which event a row is; nil where it does not say.
  package func identity(_ tuple: [TupleField], _ old: [TupleField]? = nil) -> EventIdentity? {
    guard let chain = integer(.chain, tuple, old).flatMap({ UInt32(exactly: $0) }),
      let block = integer(.block, tuple, old).flatMap({ UInt64(exactly: $0) }),
      let logIndex = integer(.logIndex, tuple, old).flatMap({ UInt32(exactly: $0) })
    else { return nil }
    return EventIdentity(kind: table.kind, chain: chain, block: block, logIndex: logIndex)
  }

  private func timestamp(_ tuple: [TupleField], _ old: [TupleField]?) -> Timestamp? {
    guard let place = places[Int(EventField.timestamp.rawValue)] else { return nil }
    switch value(at: place, tuple, old) {
    case .binary(let bytes): return BigEndian.value(bytes).flatMap { ServerTime.timestamp($0) }
    case .text(let bytes): return Timestamp(String(decoding: bytes, as: UTF8.self))
    default: return nil
    }
  }

  private func integer(_ field: EventField, _ tuple: [TupleField], _ old: [TupleField]?) -> Int64? {
    guard let place = places[Int(field.rawValue)] else { return nil }
    return value(at: place, tuple, old).integer
  }

  /// nil where it is none that can be read at once, `.some(nil)` where there is none.
  private func number(_ field: EventField, _ tuple: [TupleField], _ old: [TupleField]?) -> Decimal18?? {
    guard let place = places[Int(field.rawValue)] else { return .some(nil) }
    let value = value(at: place, tuple, old)
    if value == .null { return .some(nil) }
    if table.amountScale > 0, field == .amount || field == .tokenAmount {
      guard let digits = value.text(types[place]) else { return nil }
      let text = digits + Array("e-\(table.amountScale)".utf8)
      return (try? Decimal18(parsing: text.span)).map { .some($0) }
    }
    if types[place] == ServerType.numeric, case .binary(let bytes) = value {
      return (try? NumericBytes.decimal(bytes)).map { .some($0) }
    }
    guard let digits = value.text(types[place]) else { return nil }
    return (try? Decimal18(parsing: digits.span)).map { .some($0) }
  }

  private func text(_ field: EventField, _ tuple: [TupleField], _ old: [TupleField]?) -> [UInt8]? {
    guard let place = places[Int(field.rawValue)] else { return nil }
    return value(at: place, tuple, old).text(types[place])
  }
}

/// A column that the mapping names, and that the table has not, or of another type.
package struct UnreadableColumn: Error, Equatable, Sendable, CustomStringConvertible {
  package let table: String
  /// What is wrong.
  package let why: String

  package init(_ table: String, _ why: String) { (self.table, self.why) = (table, why) }

  package var description: String { "\(table): \(why); correct --postgres-mapping, or the table" }
}

extension TupleField {
  /// An integer of two, four or eight bytes.
  var integer: Int64? {
    switch self {
    case .binary(let bytes) where bytes.count == 8: BigEndian.value(bytes)
    case .binary(let bytes) where bytes.count == 4: BigEndian.value(bytes, as: Int32.self).map { Int64($0) }
    case .binary(let bytes) where bytes.count == 2: BigEndian.value(bytes, as: Int16.self).map { Int64($0) }
    case .text(let bytes): Int64(String(decoding: bytes, as: UTF8.self))
    default: nil
    }
  }

  /// The value as text; times as microseconds since 1970. nil for null, and for what was not sent.
  func text(_ type: UInt32) -> [UInt8]? {
    switch self {
    case .null, .unchanged: return nil
    case .text(let bytes): return bytes
    case .binary(let bytes):
      switch type {
      case ServerType.uuid: return UUIDBytes(bytes)?.ascii ?? bytes
      case ServerType.numeric: return NumericBytes.text(bytes) ?? bytes
      case ServerType.int2, ServerType.int4, ServerType.int8: return integer.map { Array(String($0).utf8) } ?? bytes
      case ServerType.timestamp:
        guard let count: Int64 = BigEndian.value(bytes) else { return bytes }
        if count == .max { return Array("infinity".utf8) }
        if count == .min { return Array("-infinity".utf8) }
        return Array((Int128(count) + 946_684_800_000_000).description.utf8)
      default: return bytes
      }
    }
  }
}
