// How a stranger's columns become our fields: `--map` and `--preset`, as text and as a value.
// Invariant: a field has one source; what a value here says can be looked up in any header, or fails with a remedy.
// Not here: looking columns up (RowPlan), proposing a map (NearestMap).

internal import Continuo

/// A `--map` that says nothing sensible: which part, and what to write instead.
public struct InvalidFieldMap: Error, Equatable, Sendable, CustomStringConvertible {
  /// What was found, what was expected, and the remedy.
  public let description: String
}

/// A known layout of trade files.
public enum Preset: String, CaseIterable, Sendable {
  /// Binance's public dumps of trades.
  case binanceTrades = "binance-trades"
  /// Binance's public dumps of aggregate trades.
  case binanceAggregateTrades = "binance-aggtrades"

  /// The layout's columns in order; the last one is missing in older dumps.
  package var columns: [String] {
    switch self {
    case .binanceTrades:
      ["id", "price", "qty", "quote_qty", "time", "is_buyer_maker", "is_best_match"]
    case .binanceAggregateTrades:
      [
        "agg_trade_id", "price", "quantity", "first_trade_id", "last_trade_id", "transact_time", "is_buyer_maker",
        "was_best_match",
      ]
    }
  }

  var sources: [(EventField, FieldSource)] {
    let (block, amount, time): (ColumnName, ColumnName, ColumnName) =
      self == .binanceTrades ? ("id", "qty", "time") : ("agg_trade_id", "quantity", "transact_time")
    return [
      (.block, .column(block)), (.priceUSD, .column("price")), (.tokenAmount, .column(amount)),
      (.amountUSD, .product("price", amount)), (.timestamp, .column(time)), (.side, .makerFlag("is_buyer_maker")),
    ]
  }
}

/// A column as a map names it: by its header, its key, or its position.
struct ColumnName: Hashable, Sendable, ExpressibleByStringLiteral {
  var bytes: ByteString

  init(_ bytes: some Sequence<UInt8>) { self.bytes = ByteString(Array(bytes)) }
  init(stringLiteral text: String) { bytes = ByteString(text) }

  /// The position from 1 that the name is, if it is a number.
  var position: Int? {
    guard let first = bytes.bytes.first, first != UInt8(ascii: "0"), bytes.bytes.count <= 6 else { return nil }
    guard bytes.bytes.allSatisfy({ $0 &- 48 < 10 }) else { return nil }
    return bytes.bytes.reduce(0) { $0 * 10 + Int($1 &- 48) }
  }
}

/// Where a field's text comes from.
enum FieldSource: Equatable, Sendable {
  case column(ColumnName)
  /// The exact product of two columns.
  case product(ColumnName, ColumnName)
  /// Whether the buyer was the maker: then the trader sold.
  case makerFlag(ColumnName)
  /// The number of the row of data in its file, from 1.
  case rowNumber
  case constant([UInt8])
}

/// Which field comes from which column, for files that do not use our names.
///
///     let map = try FieldMap("price_usd=price,token:=XRPETH,block=#,amount_usd=price*qty", preset: nil)
///
/// Entries are separated by commas: `field=column`, `field=columnA*columnB` (the exact product), `field=#` (the row's
/// number), `field:=constant`. A column is a name of the header (a key in NDJSON), or a position from 1 where there is
/// no header. Fields that are not named keep their own names.
public struct FieldMap: Sendable {
  /// The layout that the map stands on.
  package let preset: Preset?
  /// The fields that `text` or the preset names, in order.
  private(set) var sources: [(field: EventField, source: FieldSource)] = []
  /// The entries as they were given, to be repeated in a proposal.
  let entries: [String]

  /// Every field from the column of its own name.
  init() {
    preset = nil
    entries = []
  }

  /// Reads a map; its entries add to those of `preset` and go before them. O(length).
  ///
  /// - Throws: ``InvalidFieldMap`` for anything that is no entry, an unknown field, a field twice.
  public init(_ text: String?, preset: Preset?) throws(InvalidFieldMap) {
    self.preset = preset
    let bytes = Array((text ?? "").utf8)
    var given: [String] = []
    if bytes.contains(where: { $0 != UInt8(ascii: " ") }) {
      for part in bytes.split(separator: UInt8(ascii: ","), omittingEmptySubsequences: false) {
        let (field, source) = try Self.entry(part)
        guard !sources.contains(where: { $0.field == field }) else {
          throw InvalidFieldMap(
            description: "--map names the field '\(field.name)' twice; leave one entry for it")
        }
        sources.append((field, source))
        given.append(String(decoding: Self.trimmed(part), as: UTF8.self))
      }
    }
    entries = given
    for (field, source) in preset?.sources ?? [] where !sources.contains(where: { $0.field == field }) {
      sources.append((field, source))
    }
  }

  /// The source of a field that is named.
  func source(of field: EventField) -> FieldSource? { sources.first { $0.field == field }?.source }

  private static func entry(_ part: ArraySlice<UInt8>) throws(InvalidFieldMap) -> (EventField, FieldSource) {
    let shown = ByteString(Array(trimmed(part))).shown
    guard let equals = part.firstIndex(of: UInt8(ascii: "=")) else {
      throw InvalidFieldMap(
        description: "--map has an entry '\(shown)' without '='; "
          + "write field=column, field=columnA*columnB, field=# or field:=constant, separated by commas")
    }
    let isConstant = equals > part.startIndex && part[equals - 1] == UInt8(ascii: ":")
    let name = trimmed(part[part.startIndex..<(isConstant ? equals - 1 : equals)])
    let value = trimmed(part[(equals + 1)...])
    guard let field = EventField.allCases.first(where: { name.elementsEqual($0.name.utf8) }) else {
      let fields = EventField.allCases.map(\.name).joined(separator: ", ")
      throw InvalidFieldMap(
        description: "--map has an entry '\(shown)' for the field '\(ByteString(Array(name)).shown)', which is none; "
          + "write one of \(fields) before the '='")
    }
    if isConstant {
      guard !value.isEmpty || field == .from || field == .to else {
        throw InvalidFieldMap(
          description: "--map has an entry '\(shown)' with an empty constant; "
            + "write \(field.name):=VALUE, or leave the field out if it is absent")
      }
      return (field, .constant(Array(value)))
    }
    return (field, try columns(value, field, shown))
  }

  private static func columns(_ value: ArraySlice<UInt8>, _ field: EventField, _ shown: String)
    throws(InvalidFieldMap) -> FieldSource
  {
    if value.elementsEqual([UInt8(ascii: "#")]) { return .rowNumber }
    let factors = value.split(separator: UInt8(ascii: "*"), omittingEmptySubsequences: false).map(trimmed)
    guard factors.count <= 2, factors.allSatisfy({ !$0.isEmpty }) else {
      throw InvalidFieldMap(
        description: "--map has an entry '\(shown)' without a column, or with more than two factors; "
          + "write \(field.name)=COLUMN or \(field.name)=COLUMN*COLUMN")
    }
    guard factors.count == 2 else { return .column(ColumnName(factors[0])) }
    guard [.amountUSD, .tokenAmount, .priceUSD, .amount].contains(field) else {
      throw InvalidFieldMap(
        description: "--map has an entry '\(shown)' that multiplies for '\(field.name)', which is no decimal number; "
          + "products are for amount_usd, token_amount, price_usd and amount")
    }
    return .product(ColumnName(factors[0]), ColumnName(factors[1]))
  }

  /// Without spaces and tabs at either end.
  private static func trimmed(_ part: ArraySlice<UInt8>) -> ArraySlice<UInt8> { HeaderName.trimmed(part) }
}

/// Names of columns as they stand in a header.
enum HeaderName {
  /// Without spaces and tabs at either end. O(length).
  static func trimmed(_ name: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
    func isSpace(_ byte: UInt8) -> Bool { byte == UInt8(ascii: " ") || byte == UInt8(ascii: "\t") }
    var rest = name
    while let first = rest.first, isSpace(first) { rest.removeFirst() }
    while let last = rest.last, isSpace(last) { rest.removeLast() }
    return rest
  }
}
