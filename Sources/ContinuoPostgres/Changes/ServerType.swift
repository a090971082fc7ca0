// Which of the server's types are read, and for which field.
// Invariant: what is not named here is never read as something that it is not: a column of it is refused.
// Not here: the values' bytes (PostgresValue, NumericBytes), what a row means (RowReader).

package import Continuo

/// The numbers of the server's types that are read here.
package enum ServerType {
  package static let name: UInt32 = 19
  package static let int8: UInt32 = 20
  package static let int2: UInt32 = 21
  package static let int4: UInt32 = 23
  package static let text: UInt32 = 25
  package static let varchar: UInt32 = 1043
  package static let timestamp: UInt32 = 1184
  package static let numeric: UInt32 = 1700
  package static let uuid: UInt32 = 2950
  /// From here on types are made by somebody: enumerations, domains, extensions.
  private static let madeFirst: UInt32 = 16_384

  /// A type's name for messages. O(1).
  package static func title(_ type: UInt32) -> String {
    switch type {
    case name: "name"
    case int8: "bigint"
    case int2: "smallint"
    case int4: "integer"
    case text: "text"
    case varchar: "character varying"
    case timestamp: "timestamp with time zone"
    case numeric: "numeric"
    case uuid: "uuid"
    default: "of the type with number \(type)"
    }
  }

  /// Whether its bytes are the text itself, as those of an enumeration are. O(1).
  package static func isText(_ type: UInt32) -> Bool {
    [text, varchar, name].contains(type) || type >= madeFirst
  }

  /// Whether a text can be made of it that is compared with another one. O(1).
  package static func isComparable(_ type: UInt32) -> Bool {
    isText(type) || [int2, int4, int8, numeric, uuid].contains(type)
  }
}

extension EventField {
  /// The types that a column of it may have.
  package var serverTypes: [UInt32] {
    switch self {
    case .token: [ServerType.uuid, ServerType.text, ServerType.varchar]
    case .chain, .block, .logIndex: [ServerType.int2, ServerType.int4, ServerType.int8]
    case .timestamp: [ServerType.timestamp]
    case .amountUSD, .tokenAmount, .priceUSD, .amount: [ServerType.numeric, ServerType.int8, ServerType.int4]
    default: [ServerType.text, ServerType.varchar]
    }
  }
}

extension TokenTable {
  /// The columns that are read of it, and what each may be. O(1).
  package var readColumns: [(name: String, isRead: @Sendable (UInt32) -> Bool, types: String)] {
    [
      (id, { [ServerType.uuid, ServerType.text, ServerType.varchar].contains($0) }, "uuid, text, character varying"),
      (symbol, { ServerType.isText($0) }, "text, character varying"),
      (supply, { [ServerType.numeric, ServerType.int8, ServerType.int4].contains($0) }, "numeric, bigint, integer"),
    ]
  }

  /// Where its columns are among those of a row. O(columns).
  package func places(_ columns: [(name: String, type: UInt32)]) throws(UnreadableColumn) -> [Int] {
    var places: [Int] = []
    for (name, isRead, types) in readColumns {
      guard let place = columns.firstIndex(where: { $0.name == name }) else {
        throw UnreadableColumn(title, "there is no column \(name) any more")
      }
      guard isRead(columns[place].type) else {
        throw UnreadableColumn(title, "\(name) is \(ServerType.title(columns[place].type)), and is read from \(types)")
      }
      places.append(place)
    }
    return places
  }
}
