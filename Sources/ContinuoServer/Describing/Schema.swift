// What a value of an answer, a body or a query may be: JSON Schema, as OpenAPI 3.1 has it.
// Invariant: rows are described by the columns that they are written by, so that the two cannot differ.
// Not here: which route has which (RouteTable), the document around them (OpenAPI).
// Source: JSON Schema, draft 2020-12.

internal import Continuo
internal import ContinuoFormats

/// What a value may be.
struct Schema: Sendable {
  /// Its text.
  let json: [UInt8]

  /// A field of an object.
  struct Field: Sendable {
    let name: String
    let schema: Schema
    var isRequired = true

    init(_ name: String, _ schema: Schema, isRequired: Bool = true) {
      (self.name, self.schema, self.isRequired) = (name, schema, isRequired)
    }
  }

  init(_ fill: (inout JSONObject) -> Void) {
    var object = JSONObject()
    fill(&object)
    json = object.finished()
  }

  // MARK: values

  private static func value(
    _ types: [String], orNull: Bool = false, _ more: (inout JSONObject) -> Void = { _ in }
  ) -> Schema {
    Schema { object in
      object.put("type", texts: types + (orNull ? ["null"] : []))
      more(&object)
    }
  }

  static let text = value(["string"])
  static let flag = value(["boolean"])
  static let count = value(["integer"]) { $0.put("minimum", count: 0) }
  /// A double, as TradingView's clients want it.
  static let nearest = value(["number"])
  static let anything = Schema { _ in }

  /// A text of some form.
  static func text(_ pattern: String) -> Schema { value(["string"]) { $0.put("pattern", ByteString(pattern)) } }

  /// One of a few words.
  static func choice(_ words: [String]) -> Schema { value(["string"]) { $0.put("enum", texts: words) } }

  /// One of the words of a type.
  static func choice<Choice: RawRepresentable & CaseIterable>(_: Choice.Type) -> Schema
  where Choice.RawValue == String { choice(Choice.allCases.map(\.rawValue)) }

  static func count(_ range: ClosedRange<UInt64>, orNull: Bool = false) -> Schema {
    value(["integer"], orNull: orNull) { object in
      object.put("minimum", count: range.lowerBound)
      object.put("maximum", count: range.upperBound)
    }
  }

  private static let decimalPattern: ByteString = "^-?[0-9]+(\\.[0-9]+)?$"

  static let decimal = value(["string"]) { $0.put("pattern", decimalPattern) }
  static let decimalOrNull = value(["string"], orNull: true) { $0.put("pattern", decimalPattern) }
  static let textOrNull = value(["string"], orNull: true)
  /// RFC 3339, or an integer where the query's `time` says so.
  static let time = value(["string", "integer"]) { $0.put("format", "date-time") }

  /// What a column is written as.
  init(_ column: Column) {
    self =
      switch column.kind {
      case .decimal: column.isNullable ? .decimalOrNull : .decimal
      case .time: Schema.value(["string", "integer"], orNull: column.isNullable) { $0.put("format", "date-time") }
      case .count: Schema.value(["integer"], orNull: column.isNullable) { $0.put("minimum", count: 0) }
      case .text: column.isNullable ? .textOrNull : .text
      case .flag: .flag
      }
  }

  // MARK: what is made of others

  static func list(_ item: Schema) -> Schema {
    Schema { object in
      object.put("type", "array")
      object.put("items", json: item.json)
    }
  }

  /// An object of these fields and no others.
  static func object(_ fields: [Field]) -> Schema {
    Schema { object in
      object.put("type", "object")
      var properties = JSONObject()
      for field in fields { properties.put(field.name, json: field.schema.json) }
      object.put("properties", json: properties.finished())
      let required = fields.filter(\.isRequired).map(\.name)
      if !required.isEmpty { object.put("required", texts: required) }
      object.put("additionalProperties", flag: false)
    }
  }

  /// An object whose names nobody knows before.
  static func map(_ value: Schema) -> Schema {
    Schema { object in
      object.put("type", "object")
      object.put("additionalProperties", json: value.json)
    }
  }

  static func orNull(_ schema: Schema) -> Schema { any([schema, value(["null"])]) }

  static func any(_ schemas: [Schema]) -> Schema { Schema { $0.put("anyOf", list: schemas.map(\.trimmed)) } }

  /// The text without its line feed.
  var trimmed: [UInt8] { json.last == UInt8(ascii: "\n") ? Array(json.dropLast()) : json }

  /// The columns of a table as fields.
  static func fields<Row>(_ table: ResultTable<Row>) -> [Field] {
    table.columns.map { Field($0.name, Schema($0)) }
  }

  /// A row of a table.
  static func row<Row>(_ table: ResultTable<Row>) -> Schema { object(fields(table)) }

  // MARK: names

  /// One that stands in the document by its name.
  static func named(_ name: Name) -> Schema { Schema { $0.put("$ref", ByteString("#/components/schemas/\(name)")) } }

  enum Name: String, CaseIterable {
    case candle = "Candle"
    case statistics = "Statistics"
    case window = "Window"
    case trade = "Trade"
    case holder = "Holder"
    case place = "Place"
    case explanation = "Explanation"
    case identity = "Identity"
    case event = "Event"
    case receipt = "Receipt"
    case problem = "Problem"
  }
}

extension Schema.Name: CustomStringConvertible {
  var description: String { rawValue }

  /// What stands by that name.
  var schema: Schema {
    switch self {
    case .candle: .row(CandleRoutes.table)
    case .statistics: .row(ResultTable.labelledStatistics)
    case .window: .row(ResultTable<WindowAnswer>.windows)
    case .trade: .row(ResultTable<Trade>.trades)
    case .holder: .row(ResultTable<HolderAnswer>.holders)
    case .place: .row(ResultTable<RankAnswer>.labelledRanking)
    case .explanation: .row(ResultTable<Explanation>.explanations)
    case .identity: .row(ResultTable<EventIdentity>.identities)
    case .event: Self.eventSchema
    case .receipt: Self.receiptSchema
    case .problem: Self.problemSchema
    }
  }

  /// An event as it is sent: what cannot be read is a rejection in the receipt, and no problem.
  private static var eventSchema: Schema {
    let needed: Set<EventField> = [.block, .timestamp, .token]
    return Schema { object in
      object.put("type", "object")
      var properties = JSONObject()
      for field in EventField.allCases {
        let schema: Schema =
          switch field {
          case .kind: .choice(EventKind.allCases.map(\.name))
          case .side: .choice(["buy", "sell"])
          case .chain, .logIndex: .any([.count(0...UInt64(UInt32.max)), .text("^[0-9]{1,9}$")])
          case .block: .any([.count(0...UInt64.max), .text("^[0-9]{1,19}$")])
          case .tokenID: .any([.count, .text("^[0-9]{1,77}$")])
          case .timestamp: .time
          case .amountUSD, .tokenAmount, .priceUSD, .amount: .any([.nearest, .decimal])
          case .token, .wallet, .from, .to: .text
          }
        properties.put(field.name, json: schema.json)
      }
      object.put("properties", json: properties.finished())
      object.put("required", texts: EventField.allCases.filter(needed.contains).map(\.name))
    }
  }

  private static var receiptSchema: Schema {
    .object([
      Schema.Field("accepted", .count), Schema.Field("duplicates", .count), Schema.Field("rejected", .count),
      Schema.Field("rejected_by_reason", .map(.count)),
      Schema.Field("rejections", .list(.row(Receipt.rejectionFields))), Schema.Field("sequence", .count),
    ])
  }

  private static var problemSchema: Schema {
    .object([
      Schema.Field("type", .text), Schema.Field("title", .text), Schema.Field("status", .count),
      Schema.Field("detail", .text), Schema.Field("code", .choice(Problem.Code.self)), Schema.Field("remedy", .text),
    ])
  }
}
