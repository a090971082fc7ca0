// NDJSON (one flat JSON object a line) from bytes into rows of cells, without memory per row.
// Invariant: the same rows, whatever pieces the input comes in; a line that is not one flat object is one rejected row.
// Not here: the grammar of JSON (JSONScanner), which key is which field (RowPlan), what a value must hold (Judgement).

internal import Continuo

/// Splits an NDJSON file into rows.
struct NDJSONParser {
  /// Where it stands in its file.
  private(set) var progress = LineProgress()
  /// What its user is to be told.
  var warnings: [String] = []

  private let file: String
  private var plan: RowPlan
  /// The fields that the map fills already: no hint is given for those.
  private let mapped: Set<EventField>
  private var keys: [JSONKey] = []
  /// The same keys, quick to compare with.
  private var patterns: [KeyPattern] = []
  private var slots: [TextCell] = []
  /// Which key stood at which place of the row before: files keep their order.
  private var order: [Int] = []
  private var unknownCount = 0
  private var literalFault: (field: EventField?, cell: TextCell)?

  init(_ file: String, _ map: FieldMap) throws(InputFailure) {
    self.file = file
    mapped = Set(map.sources.map(\.field))
    var keys: [JSONKey] = []
    plan = try RowPlan(map, emptyIsAbsent: false) { column, _ in
      if let known = keys.firstIndex(where: { $0.name == column.bytes.bytes }) { return known }
      keys.append(JSONKey(name: column.bytes.bytes, slot: keys.count))
      return keys.count - 1
    }
    slots = [TextCell](repeating: .absent, count: keys.count)
    self.keys = keys
    patterns = keys.map { KeyPattern($0.name, slot: $0.slot) }
  }

  /// Makes ready for a batch whose text begins anew. O(constants).
  mutating func beginBatch(_ rows: inout OfferedRows) { plan.beginBatch(&rows) }

  /// Adds rows from `position` of the rows' text on, up to `rowsMax` in all. O(bytes).
  ///
  /// - Parameter isLast: whether the text ends the file.
  /// - Returns: the position of what is left, as ``CSVParser/parse(_:from:isLast:rowsMax:)`` does.
  mutating func parse(_ rows: inout OfferedRows, from start: Int, isLast: Bool, rowsMax: Int) -> Int {
    // The same memory, not a copy: nothing is appended to it before this returns.
    let bytes = rows.text.bytes
    let input = bytes.span
    var position = start
    if progress.isSkipping {
      position = progress.resume(at: position, input)
      if progress.isSkipping { return position }
    }
    while position < input.count, rows.hasRoom(rowsMax, position) {
      switch PhysicalLine.find(input, from: position, isLast: isLast) {
      case .incomplete: return position
      case .tooLong:
        position = progress.reject(tooLong: position, input, &rows)
        if progress.isSkipping { return position }
      case .whole(let end, let next):
        if !isBlank(input, position..<end) { add(position..<end, input, &rows) }
        progress.line += 1
        position = next
      }
    }
    return position
  }

  /// Adds the row of one line.
  private mutating func add(_ line: Range<Int>, _ input: Span<UInt8>, _ rows: inout OfferedRows) {
    for index in slots.indices { slots[index] = .absent }
    literalFault = nil
    guard object(line, input, &rows) else { return progress.reject(malformed: line, &rows) }
    progress.rowNumber += 1
    plan.fill(&rows, from: slots.span, line: progress.line, rowNumber: progress.rowNumber)
    if let literalFault { rows.reject(.malformed, field: literalFault.field, value: literalFault.cell) }
  }

  /// Reads one object into the slots; false where the line is not just that.
  private mutating func object(_ line: Range<Int>, _ input: Span<UInt8>, _ rows: inout OfferedRows) -> Bool {
    var scanner = JSONScanner(line, input)
    scanner.skipBlanks(input)
    guard scanner.take(UInt8(ascii: "{"), input) else { return false }
    scanner.skipBlanks(input)
    if scanner.take(UInt8(ascii: "}"), input) { return scanner.isAtEnd(input) }
    var seen: UInt64 = 0
    var place = 0
    while true {
      guard let slot = key(at: place, input, &scanner) else { return false }
      place += 1
      if slot >= 0 {
        guard seen & 1 << UInt64(slot) == 0 else { return false }
        seen |= 1 << UInt64(slot)
      }
      scanner.skipBlanks(input)
      guard scanner.take(UInt8(ascii: ":"), input) else { return false }
      scanner.skipBlanks(input)
      guard value(slot, input, &scanner, &rows) else { return false }
      scanner.skipBlanks(input)
      if scanner.take(UInt8(ascii: ","), input) {
        scanner.skipBlanks(input)
        continue
      }
      return scanner.take(UInt8(ascii: "}"), input) && scanner.isAtEnd(input)
    }
  }

  /// Reads a key; answers its slot, −1 for one that is not ours, nil where there is no key.
  @inline(__always)
  private mutating func key(at place: Int, _ input: Span<UInt8>, _ scanner: inout JSONScanner) -> Int? {
    guard let text = scanner.string(input) else { return nil }
    if !text.hasEscapes, place < order.count {
      let usual = patterns[order[place]]
      if usual.count == text.range.count,
        usual.isShort ? usual.holds(input, at: text.range.lowerBound) : keys[order[place]].holds(text.range, input)
      {
        return usual.slot
      }
    }
    return key(text, at: place, input)
  }

  /// Looks a key up that is not the one which stood here before.
  @inline(never)
  private mutating func key(_ text: (range: Range<Int>, hasEscapes: Bool), at place: Int, _ input: Span<UInt8>) -> Int {
    let name =
      text.hasEscapes
      ? JSONScanner.unescaped(text.range, input) : input.extracting(text.range).bytes(upTo: .max)
    guard let known = keys.firstIndex(where: { $0.name == name }) else {
      unknown(name)
      return -1
    }
    if place < order.count {
      order[place] = known
    } else if place == order.count, place < Limits.unknownNamesListedMax {
      order.append(known)
    }
    return keys[known].slot
  }

  private mutating func unknown(_ name: [UInt8]) {
    guard unknownCount <= Limits.unknownNamesListedMax else { return }
    unknownCount += 1
    guard unknownCount <= Limits.unknownNamesListedMax else {
      let place = file == "-" ? "standard input" : ByteString(file).shown
      warnings.append("\(place): further unknown keys are not listed")
      return
    }
    keys.append(JSONKey(name: name, slot: -1))
    patterns.append(KeyPattern(name, slot: -1))
    warnings.append(NearestMap.warning(file, "key", ByteString(name), filled: mapped))
  }

  /// Reads a value into its slot; false where it is nested, or no value.
  private mutating func value(
    _ slot: Int, _ input: Span<UInt8>, _ scanner: inout JSONScanner, _ rows: inout OfferedRows
  ) -> Bool {
    switch scanner.value(input) {
    case .string(let range, let hasEscapes):
      guard slot >= 0 else { return true }
      slots[slot] =
        hasEscapes
        ? rows.text.keep(JSONScanner.unescaped(range, input))
        : TextCell(offset: range.lowerBound, length: range.count)
    case .number(let range):
      if slot >= 0 { slots[slot] = TextCell(offset: range.lowerBound, length: range.count) }
    case .null: break
    case .boolean(let range):
      guard slot >= 0 else { return true }
      slots[slot] = TextCell(offset: range.lowerBound, length: range.count)
      if !plan.isMakerFlag(slot), literalFault == nil { literalFault = (plan.field(ofSlot: slot), slots[slot]) }
    case .none: return false
    }
    return true
  }
}

/// A key that a file may have: one of ours, or one that was warned of.
struct JSONKey {
  let name: [UInt8]
  /// Where its value goes; −1 nowhere.
  let slot: Int

  /// Whether the text is this key. O(length).
  func holds(_ range: Range<Int>, _ input: Span<UInt8>) -> Bool {
    guard range.count == name.count else { return false }
    for index in name.indices where name[index] != input[range.lowerBound &+ index] { return false }
    return true
  }
}
