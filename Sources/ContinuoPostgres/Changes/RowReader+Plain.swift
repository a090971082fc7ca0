// The row of a snapshot straight into a batch: what nearly every row is has no value made of any of its fields.
// Invariant: a row comes to what it comes to field by field (RowReader); one that has anything unusual is left to that.
// Not here: where the fields are (CopyRowReader), which rows come when (SnapshotLoad).

package import Continuo

/// What came of a row.
package enum PlainRow: Equatable, Sendable {
  /// It is no event.
  case noEvent
  /// It is in the batch.
  case event(KeyedEvent)
  /// It has to be read field by field; the batch is as it was.
  case unusual
}

extension RowReader {
  /// Puts a row into a batch. O(length).
  ///
  /// - Parameters:
  ///   - fields: where each of its fields is.
  ///   - token: memory for a name, which is overwritten.
  package func append(
    plain piece: [UInt8], _ fields: [FieldPlace], to batch: inout EventBatch, _ token: inout [UInt8]
  ) -> PlainRow {
    let row = PlainFields(bytes: piece.span, fields: fields, places: places, types: types)
    if let only {
      guard Self.isText(types[only.place]) else { return .unusual }
      guard row.equals(only.value, at: only.place) else { return .noEvent }
    }
    guard table.amountScale == 0, let chain = row.integer(.chain).flatMap({ UInt32(exactly: $0) }),
      let block = row.integer(.block).flatMap({ UInt64(exactly: $0) }),
      let logIndex = row.integer(.logIndex).flatMap({ UInt32(exactly: $0) }),
      let timestamp = row.count(.timestamp) == 8
        ? row.integer(.timestamp).flatMap({ ServerTime.timestamp($0) }) : nil,
      row.name(.token, into: &token)
    else { return .unusual }
    switch table.kind {
    case .swap:
      guard case .some(.some(let amount)) = row.number(.amountUSD), let tokenAmount = row.number(.tokenAmount),
        let price = row.number(.priceUSD), let side = row.side, let wallet = row.text(.wallet, isNeeded: false)
      else { return .unusual }
      batch.appendSwap(
        chain: chain, block: block, logIndex: logIndex, timestamp: timestamp, token: token.span, side: side,
        amountUSD: amount, tokenAmount: tokenAmount, priceUSD: price,
        wallet: row.bytes.extracting(wallet))
    case .transfer:
      guard case .some(.some(let amount)) = row.number(.amount), let from = row.text(.from, isNeeded: true),
        let to = row.text(.to, isNeeded: true)
      else { return .unusual }
      batch.appendTransfer(
        chain: chain, block: block, logIndex: logIndex, timestamp: timestamp, token: token.span,
        from: row.bytes.extracting(from), to: row.bytes.extracting(to), amount: amount, tokenID: nil)
    }
    return .event(KeyedEvent(chain: chain, block: block, logIndex: logIndex, timestamp: timestamp))
  }

  /// Whether the bytes of a type are its text.
  fileprivate static func isText(_ type: UInt32) -> Bool {
    switch type {
    case ServerType.uuid, ServerType.numeric, ServerType.int2, ServerType.int4, ServerType.int8, ServerType.timestamp:
      false
    default: true
    }
  }
}

/// The fields of a row, read where they are.
private struct PlainFields: ~Escapable {
  let bytes: Span<UInt8>
  let fields: [FieldPlace]
  let places: [Int?]
  let types: [UInt32]

  @_lifetime(copy bytes)
  init(bytes: Span<UInt8>, fields: [FieldPlace], places: [Int?], types: [UInt32]) {
    (self.fields, self.places, self.types) = (fields, places, types)
    self.bytes = bytes
  }

  private func place(_ field: EventField) -> Int? { places[Int(field.rawValue)] }

  /// How long a field is; nil where it is not mapped, negative where it is null.
  func count(_ field: EventField) -> Int? { place(field).map { fields[$0].count } }

  func equals(_ value: [UInt8], at place: Int) -> Bool {
    let field = fields[place]
    guard field.count == value.count else { return false }
    for index in value.indices where bytes[field.start + index] != value[index] { return false }
    return true
  }

  /// An integer of two, four or eight bytes.
  func integer(_ field: EventField) -> Int64? {
    guard let place = place(field) else { return nil }
    let found = fields[place]
    guard found.count == 8 || found.count == 4 || found.count == 2 else { return nil }
    var value = Int64(Int8(bitPattern: bytes[found.start]))
    for offset in 1..<found.count { value = value << 8 | Int64(bytes[found.start + offset]) }
    return value
  }

  /// A number; `.some(nil)` where there is none, nil where it is none that is read here.
  func number(_ field: EventField) -> Decimal18?? {
    guard let place = place(field) else { return .some(nil) }
    let found = fields[place]
    if found.count < 0 { return .some(nil) }
    guard types[place] == ServerType.numeric else { return nil }
    return NumericBytes.short(bytes.extracting(found.start..<(found.start + found.count))).map { .some($0) }
  }

  /// Where a text is; empty where there is none and none is needed, nil where it is not to be read here.
  func text(_ field: EventField, isNeeded: Bool) -> Range<Int>? {
    guard let place = place(field) else { return isNeeded ? nil : 0..<0 }
    let found = fields[place]
    if found.count < 0 { return isNeeded ? nil : 0..<0 }
    return RowReader.isText(types[place]) ? found.start..<(found.start + found.count) : nil
  }

  /// A side, or none; nil where it is another word.
  var side: Side?? {
    guard let range = text(.side, isNeeded: false) else { return nil }
    if range.isEmpty { return .some(nil) }
    guard let place = place(.side) else { return .some(nil) }
    if equals(RowReader.buy, at: place) { return .some(.buy) }
    return equals(RowReader.sell, at: place) ? .some(.sell) : nil
  }

  /// Writes a name that is a text or a `uuid`; whether it is one, and not empty.
  func name(_ field: EventField, into name: inout [UInt8]) -> Bool {
    guard let place = place(field) else { return false }
    let found = fields[place]
    name.removeAll(keepingCapacity: true)
    if types[place] == ServerType.uuid {
      guard found.count == 16 else { return false }
      UUIDBytes.append(bytes.extracting(found.start..<(found.start + 16)), to: &name)
      return true
    }
    guard RowReader.isText(types[place]), found.count > 0 else { return false }
    for index in 0..<found.count { name.append(bytes[found.start + index]) }
    return true
  }
}
