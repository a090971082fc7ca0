// A map looked up in one file's columns: which cell of a row goes to which field, and what is made of two cells or none.
// Invariant: every slot it names is within the row; several fields may read one slot.
// Not here: the map as text (FieldMap), splitting rows (CSVParser, NDJSONParser), judging (Judgement).

internal import Continuo

/// Fills a row's fields from its cells ("slots": the columns of a CSV file, the known keys of NDJSON).
struct RowPlan {
  private struct Direct {
    var field: Int
    var slot: Int
    /// Whether an empty cell is present: in NDJSON, and under `from` and `to`.
    var keepsEmpty: Bool
  }

  private enum Made {
    case product(EventField, Int, Int)
    case makerFlag(slot: Int)
    case rowNumber(EventField)
  }

  private var direct: [Direct] = []
  private var made: [Made] = []
  private var constants: [(EventField, [UInt8])] = []
  /// A row before its cells are filled in: constants are there already.
  private var template = [15 of TextCell](repeating: .absent)
  private var sell = TextCell.absent
  private var buy = TextCell.absent
  private let emptyIsAbsent: Bool
  /// The fields that have a source.
  private(set) var fields: Set<EventField> = []
  /// The slots that are a source.
  private(set) var slots: Set<Int> = []

  /// No fields at all, for rows that are rejected before a header was read.
  init() { emptyIsAbsent = true }

  /// Looks a map up.
  ///
  /// - Parameters:
  ///   - emptyIsAbsent: whether an empty cell says that there is no value (CSV) or an empty one (NDJSON).
  ///   - slotOf: the slot of a column; nil skips the field, which only fields that the map does not name may do.
  init(
    _ map: FieldMap, emptyIsAbsent: Bool, slotOf: (ColumnName, _ isNamed: Bool) throws(InputFailure) -> Int?
  ) throws(InputFailure) {
    self.emptyIsAbsent = emptyIsAbsent
    for field in EventField.allCases {
      let named = map.source(of: field)
      let source = named ?? .column(ColumnName(field.name.utf8))
      var slots: [Int] = []
      for column in source.columns {
        if let slot = try slotOf(column, named != nil) { slots.append(slot) }
      }
      guard slots.count == source.columns.count else { continue }
      fields.insert(field)
      self.slots.formUnion(slots)
      switch source {
      case .column:
        let keepsEmpty = !emptyIsAbsent || field == .from || field == .to
        direct.append(Direct(field: Int(field.rawValue), slot: slots[0], keepsEmpty: keepsEmpty))
      case .product: made.append(.product(field, slots[0], slots[1]))
      case .makerFlag: made.append(.makerFlag(slot: slots[0]))
      case .rowNumber: made.append(.rowNumber(field))
      case .constant(let bytes): constants.append((field, bytes))
      }
    }
  }

  /// The field that a slot's text goes to, the first of several.
  func field(ofSlot slot: Int) -> EventField? {
    if let found = direct.first(where: { $0.slot == slot }) { return EventField(rawValue: UInt8(found.field)) }
    for case .product(let field, let left, let right) in made where left == slot || right == slot { return field }
    return nil
  }

  /// Whether `true` and `false` mean something in a slot.
  func isMakerFlag(_ slot: Int) -> Bool {
    made.contains { if case .makerFlag(slot) = $0 { true } else { false } }
  }

  /// Puts constants into a batch's text. O(constants).
  mutating func beginBatch(_ rows: inout OfferedRows) {
    for (field, bytes) in constants { template[Int(field.rawValue)] = rows.text.keep(bytes) }
    guard made.contains(where: { if case .makerFlag = $0 { true } else { false } }) else { return }
    sell = rows.text.keep("sell".utf8)
    buy = rows.text.keep("buy".utf8)
  }

  /// Adds a row of these cells. O(fields).
  @inline(__always)
  func fill(_ rows: inout OfferedRows, from slots: Span<TextCell>, line: Int, rowNumber: Int) {
    var cells = template
    let direct = direct.span
    for index in direct.indices {
      let cell = slots[direct[index].slot]
      if cell.length != 0 || direct[index].keepsEmpty { cells[direct[index].field] = cell }
    }
    rows.lines.append(line)
    rows.cells.append(addingCapacity: OfferedRows.width) { output in
      for index in cells.indices { output.append(cells[index]) }
    }
    if !made.isEmpty { make(&rows, from: slots, rowNumber: rowNumber) }
  }

  @inline(never)
  private func make(_ rows: inout OfferedRows, from slots: Span<TextCell>, rowNumber: Int) {
    for step in made {
      switch step {
      case .product(let field, let left, let right):
        rows.set(field, product(slots[left], slots[right], &rows.text))
      case .makerFlag(let slot):
        let cell = slots[slot]
        guard cell != .absent, cell.length > 0 || !emptyIsAbsent else { continue }
        let side = side(cell, rows.text)
        rows.set(.side, side)
      case .rowNumber(let field):
        var digits: [UInt8] = []
        DecimalDigits.append(UInt64(rowNumber), to: &digits)
        rows.set(field, rows.text.keep(digits))
      }
    }
  }

  /// The trader's side where the flag says whether the buyer was the maker; any other text goes on as it is.
  private func side(_ flag: TextCell, _ text: borrowing TextPool) -> TextCell {
    let bytes = text.text(flag)
    if bytes.holds("true") || bytes.holds("True") || bytes.holds("TRUE") { return sell }
    if bytes.holds("false") || bytes.holds("False") || bytes.holds("FALSE") { return buy }
    return flag
  }

  private func product(_ left: TextCell, _ right: TextCell, _ text: inout TextPool) -> TextCell {
    func isAbsent(_ cell: TextCell) -> Bool { cell == .absent || cell.length == 0 && emptyIsAbsent }
    guard !isAbsent(left), !isAbsent(right) else { return .absent }
    let made = ExactProduct.text(text.text(left), text.text(right))
    switch made {
    case .product(let digits): return text.keep(digits)
    case .faultyLeft: return left
    case .faultyRight: return right
    }
  }
}

extension FieldSource {
  /// The columns that it reads.
  var columns: [ColumnName] {
    switch self {
    case .column(let column), .makerFlag(let column): [column]
    case .product(let left, let right): [left, right]
    case .rowNumber, .constant: []
    }
  }
}

extension Span<UInt8> {
  /// Whether the bytes are those of `word`. O(length).
  func holds(_ word: String) -> Bool {
    guard count == word.utf8.count else { return false }
    var index = 0
    for unit in word.utf8 {
      guard self[index] == unit else { return false }
      index += 1
    }
    return true
  }

  /// A copy of up to `count` bytes. O(count).
  func bytes(upTo count: Int) -> [UInt8] {
    var copy: [UInt8] = []
    copy.reserveCapacity(Swift.min(count, self.count))
    for index in 0..<Swift.min(count, self.count) { copy.append(self[index]) }
    return copy
  }
}
