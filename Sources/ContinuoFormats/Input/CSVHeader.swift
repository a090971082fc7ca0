// What a CSV file's first record says: names, or with positions how many columns there are.
// Invariant: a file that gets past here has `block`, `timestamp` and `token`; any other one fails with the nearest map.
// Not here: splitting the record (CSVParser), finding the nearest map (NearestMap).

internal import Continuo

/// Looks a map up in a CSV file's first record.
struct CSVHeader {
  let file: String
  let map: FieldMap
  let hasHeader: Bool

  /// What the first record comes to.
  struct Layout {
    var plan: RowPlan
    var warnings: [String] = []
    /// Whether the record is a header, and no row.
    var isHeader: Bool
  }

  /// Whether the first line must name the columns.
  var isNamed: Bool { hasHeader && map.preset == nil }

  /// Looks the map up. O(columns).
  func layout(_ first: [[UInt8]], line: Int) throws(InputFailure) -> Layout {
    isNamed ? try named(first.map { HeaderName.trimmed($0[...]) }, line) : try positions(first, line)
  }

  /// The failure of a header that cannot be split.
  func unreadable(line: Int, isTooLong: Bool) -> InputFailure {
    InputFailure(
      file, line: line, isTooLong ? "the header is longer than 64 KiB" : "the header's quotes do not match",
      remedy: "check that the file is CSV with a header; without one give --no-header and positions in --map")
  }

  private func named(_ cells: [ArraySlice<UInt8>], _ line: Int) throws(InputFailure) -> Layout {
    let names = cells.map { ByteString(Array($0)) }
    var places: [ByteString: [Int]] = [:]
    for (index, name) in names.enumerated() { places[name, default: []].append(index) }
    // Columns without a name are nobody's, so they are no column twice.
    if let twice = names.first(where: { !$0.bytes.isEmpty && (places[$0] ?? []).count > 1 }) {
      throw InputFailure(
        file, line: line, "the header names the column '\(twice.shown)' \((places[twice] ?? []).count) times",
        remedy:
          "rename all but one of them: \(NearestMap.list(names)); if the first line is no header, give --no-header "
          + "and positions in --map")
    }
    let plan = try RowPlan(map, emptyIsAbsent: true) { (column, isNamed) throws(InputFailure) in
      let found = places[column.bytes]?.first
      if found == nil, isNamed { throw noSuchColumn(column, names, line) }
      return found
    }
    let missing = Self.required.filter { !plan.fields.contains($0) }
    guard missing.isEmpty else {
      let nearest = NearestMap(names, map)
      throw InputFailure(
        file, line: line,
        "no column \(missing.map { "'\($0.name)'" }.joined(separator: " or ")) in the header: \(NearestMap.list(names))",
        remedy: nearest.remedy)
    }
    var warnings: [String] = []
    for (index, name) in names.enumerated() where !plan.slots.contains(index) {
      guard warnings.count < Limits.unknownNamesListedMax else { break }
      warnings.append(NearestMap.warning(file, "column", name, filled: plan.fields))
    }
    return Layout(plan: plan, warnings: warnings, isHeader: true)
  }

  private static let required: [EventField] = [.block, .timestamp, .token]

  private func noSuchColumn(_ column: ColumnName, _ names: [ByteString], _ line: Int) -> InputFailure {
    InputFailure(
      file, line: line,
      "no column '\(column.bytes.shown)', which --map asks for, in the header: \(NearestMap.list(names))",
      remedy: column.position == nil
        ? "name one of these columns in --map" : "positions need --no-header; name one of these columns in --map")
  }

  private func positions(_ first: [[UInt8]], _ line: Int) throws(InputFailure) -> Layout {
    if let preset = map.preset, first.count != preset.columns.count, first.count != preset.columns.count - 1 {
      throw InputFailure(
        file, line: line,
        "\(first.count) columns, but \(preset.rawValue) has \(preset.columns.count - 1) or "
          + "\(preset.columns.count): \(preset.columns.joined(separator: ", "))",
        remedy: "leave --preset out, and describe the columns by --map")
    }
    let plan = try RowPlan(map, emptyIsAbsent: true) { (column, isNamed) throws(InputFailure) in
      guard isNamed else { return nil }
      let known = map.preset?.columns.firstIndex { column.bytes.bytes.elementsEqual($0.utf8) }
      guard let slot = known ?? column.position.map({ $0 - 1 }) else {
        throw InputFailure(
          file, "--map asks for the column '\(column.bytes.shown)', but there is no header",
          remedy: "write the column's position from 1 to \(first.count)"
            + (map.preset.map { ", or one of \($0.columns.joined(separator: ", "))" } ?? ""))
      }
      guard slot < first.count else {
        throw InputFailure(
          file, line: line, "\(first.count) columns, but --map asks for column '\(column.bytes.shown)'",
          remedy: "write positions from 1 to \(first.count)")
      }
      return slot
    }
    let missing = Self.required.filter { !plan.fields.contains($0) }
    guard missing.isEmpty else {
      let names = missing.map { "'\($0.name)'" }.joined(separator: " or ")
      throw InputFailure(
        file, map.preset == nil ? "--map gives no position for \(names)" : "the layout has no column for \(names)",
        remedy: map.preset == nil
          ? "try \(NearestMap(first.map { ByteString($0) }, map).positionsRemedy)"
          : "add --map 'token:=SYMBOL' with the symbol that the file is of")
    }
    let isHeader = hasHeader && map.preset != nil && !Self.isUnsigned(first[0])
    return Layout(plan: plan, isHeader: isHeader)
  }

  private static func isUnsigned(_ cell: [UInt8]) -> Bool {
    !cell.isEmpty && cell.allSatisfy { $0 &- UInt8(ascii: "0") < 10 }
  }
}
