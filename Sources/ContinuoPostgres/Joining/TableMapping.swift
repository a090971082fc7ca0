// Which of the application's tables hold events, and which of their columns are which field.
// Invariant: every field that an event cannot be without has a column; a name is a name, whatever it holds.
// Not here: what becomes of a row (RowReader), whether the tables are as is said here (Preflight).

package import Continuo
internal import FoundationEssentials

/// A table of events.
package struct SourceTable: Equatable, Sendable, Codable {
  /// What a row is.
  package var kind: EventKind
  package var schema = "public"
  package var name: String
  /// Which column is which field, by the field's name on the wire.
  package var columns: [String: String]
  /// Only rows count that have this text in this column: `event_type`, `swap`.
  package var onlyColumn: String?
  package var onlyValue: String?
  /// How many digits of an amount are behind the point: 18 where a table counts raw units.
  package var amountScale = 0

  package init(_ kind: EventKind, _ name: String, _ columns: [String: String], only: (String, String)? = nil) {
    (self.kind, self.name, self.columns) = (kind, name, columns)
    (onlyColumn, onlyValue) = (only?.0, only?.1)
  }

  /// Schema and name, quoted.
  package var quoted: String { SQLText.relation(schema, name) }
  /// Schema and name, for messages.
  package var title: String { "\(schema).\(name)" }

  /// The column of a field; nil where the table has none.
  package func column(_ field: EventField) -> String? { columns[field.name] }

  /// The columns that name an event.
  package var keyColumns: [String] { [EventField.chain, .block, .logIndex].compactMap { column($0) } }

  /// The fields that a row cannot be without.
  package var requiredFields: [EventField] {
    let always: [EventField] = [.chain, .block, .logIndex, .timestamp, .token]
    return always + (kind == .swap ? [.amountUSD] : [.from, .to, .amount])
  }

  private static let events: [String: String] = [
    "token": "artist_token_id", "chain": "chain_id", "block": "block_number", "log_index": "log_index",
    "timestamp": "block_timestamp",
  ]

  /// `pool_events` as the application has them.
  package static let poolEvents = SourceTable(
    .swap, "pool_events",
    events.merging(["amount_usd": "amount_usd", "token_amount": "token_amount", "side": "side", "wallet": "wallet"]) {
      own, _ in own
    },
    only: ("event_type", "swap"))
  /// `token_transfers` as the application has them.
  package static let tokenTransfers = SourceTable(
    .transfer, "token_transfers",
    events.merging(["from": "from_wallet", "to": "to_wallet", "amount": "amount"]) { own, _ in own })

  private enum CodingKeys: String, CodingKey {
    case kind, schema
    case name = "table"
    case columns
    case onlyColumn = "only_column"
    case onlyValue = "only_value"
    case amountScale = "amount_scale"
  }

  package init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    let kind = try container.decode(String.self, forKey: .kind)
    guard let known = EventKind.allCases.first(where: { $0.name == kind }) else {
      throw InvalidMapping("kind '\(kind)' is neither swap nor transfer")
    }
    self.kind = known
    schema = try container.decodeIfPresent(String.self, forKey: .schema) ?? "public"
    name = try container.decode(String.self, forKey: .name)
    columns = try container.decode([String: String].self, forKey: .columns)
    onlyColumn = try container.decodeIfPresent(String.self, forKey: .onlyColumn)
    onlyValue = try container.decodeIfPresent(String.self, forKey: .onlyValue)
    amountScale = try container.decodeIfPresent(Int.self, forKey: .amountScale) ?? 0
    guard (onlyColumn == nil) == (onlyValue == nil) else {
      throw InvalidMapping("only_column and only_value of \(name) stand together or not at all")
    }
    guard (0...36).contains(amountScale) else {
      throw InvalidMapping("amount_scale \(amountScale) of \(name) is not within 0 to 36")
    }
    let fields = Set(EventField.allCases.map(\.name))
    if let unknown = columns.keys.filter({ !fields.contains($0) }).min() {
      throw InvalidMapping("'\(unknown)' of \(name) is no field of an event")
    }
    if let missing = requiredFields.first(where: { columns[$0.name] == nil }) {
      throw InvalidMapping("\(name) has no column for \(missing.name)")
    }
  }

  package func encode(to encoder: any Encoder) throws {
    var container = encoder.container(keyedBy: CodingKeys.self)
    try container.encode(kind.name, forKey: .kind)
    try container.encode(schema, forKey: .schema)
    try container.encode(name, forKey: .name)
    try container.encode(columns, forKey: .columns)
    try container.encodeIfPresent(onlyColumn, forKey: .onlyColumn)
    try container.encodeIfPresent(onlyValue, forKey: .onlyValue)
    try container.encode(amountScale, forKey: .amountScale)
  }
}

/// Why a mapping is none.
package struct InvalidMapping: Error, Equatable, Sendable, CustomStringConvertible {
  package let description: String

  package init(_ description: String) { self.description = description }
}

/// All of the application's tables that are followed.
package struct TableMapping: Equatable, Sendable, Codable {
  /// The tables of events.
  package var events: [SourceTable] = [.poolEvents, .tokenTransfers]
  /// The table of tokens, whose `symbol` is a label and some of whose columns are summaries.
  package var tokens = TokenTable()

  /// In the file of keys a table is one byte.
  package static let tablesMax = 255

  /// The application's own names. O(1).
  package init() {}

  /// Reads a mapping of JSON: `{"events": [{"kind": "swap", "table": "trades", "columns": {"token": "coin", …}}]}`. O(length).
  package init(json: [UInt8]) throws(InvalidMapping) {
    do {
      self = try JSONDecoder().decode(TableMapping.self, from: Data(json))
    } catch let failure as InvalidMapping {
      throw failure
    } catch {
      throw InvalidMapping("it is no JSON of a mapping: \(error)")
    }
    guard !events.isEmpty else { throw InvalidMapping("no table of events is named") }
    guard events.count <= Self.tablesMax else {
      throw InvalidMapping("\(events.count) tables of events are named, and \(Self.tablesMax) is the most")
    }
    let names = events.map(\.title)
    guard Set(names).count == names.count else { throw InvalidMapping("a table is named twice") }
  }

  package init(from decoder: any Decoder) throws {
    enum Keys: String, CodingKey { case events, tokens }
    let container = try decoder.container(keyedBy: Keys.self)
    events = try container.decodeIfPresent([SourceTable].self, forKey: .events) ?? [.poolEvents, .tokenTransfers]
    tokens = try container.decodeIfPresent(TokenTable.self, forKey: .tokens) ?? TokenTable()
  }
}

/// The table of tokens.
package struct TokenTable: Equatable, Sendable, Codable {
  package var schema = "public"
  package var name = "artist_tokens"
  package var id = "id"
  package var symbol = "symbol"
  package var supply = "total_supply"

  package init() {}

  package var quoted: String { SQLText.relation(schema, name) }
  package var title: String { "\(schema).\(name)" }

  private enum CodingKeys: String, CodingKey {
    case schema
    case name = "table"
    case id, symbol, supply
  }

  package init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: CodingKeys.self)
    schema = try container.decodeIfPresent(String.self, forKey: .schema) ?? schema
    name = try container.decodeIfPresent(String.self, forKey: .name) ?? name
    id = try container.decodeIfPresent(String.self, forKey: .id) ?? id
    symbol = try container.decodeIfPresent(String.self, forKey: .symbol) ?? symbol
    supply = try container.decodeIfPresent(String.self, forKey: .supply) ?? supply
  }
}
