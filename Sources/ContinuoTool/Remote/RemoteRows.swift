// The rows of a server's answers, as the values that the command line writes.
// Invariant: the columns are those of the command's own table; an answer with others is no answer.
// Not here: which questions have which columns (RemoteReads, RemoteWrites), asking (RemoteServer).

#if CONTINUO_SERVER
  internal import Continuo
  internal import ContinuoFormats
  internal import FoundationEssentials

  extension RemoteServer {
    /// How many rows a page has.
    static let rowsAPage = 5000

    /// The rows of an answer of CSV. O(length).
    func rows<Row>(_ reply: Reply, _ table: ResultTable<Row>) throws -> [CellRow] {
      let columns = table.columns
      var records = CSVRecords(reply.body)
      guard let names = records.next(), names == columns.map({ Array($0.name.utf8) }) else {
        throw badAnswer("other columns than \(columns.map(\.name).joined(separator: ","))")
      }
      var rows: [CellRow] = []
      while let record = records.next() {
        guard record.count == columns.count else { throw badAnswer("a row of \(record.count) columns") }
        rows.append(
          CellRow(
            try zip(columns, record).map { column, text in
              guard let cell = column.cell(ofCSV: text) else {
                throw badAnswer("'\(Visible.text(text))' for \(column.name)")
              }
              return cell
            }))
      }
      return rows
    }

    /// Lends the pages of a list, in the order in which they come, until there are so many rows.
    func forEachPage(
      _ path: [String], _ query: [Parameter] = [], limit: Int? = nil, _ body: (Reply) throws -> Void
    ) throws {
      var (cursor, left): (String?, Int) = (nil, limit ?? .max)
      repeat {
        let wanted = min(left, Self.rowsAPage)
        let reply = try get(path, query + [("limit", String(wanted))], cursor: cursor, csv: true)
        try body(reply)
        left -= wanted
        cursor = reply.cursor
      } while cursor != nil && left > 0
    }

    /// The one object of an answer of JSON. O(length).
    func object(_ reply: Reply) throws -> RemoteObject {
      guard let object = RemoteObject(reply.body) else { throw badAnswer("a body that is no JSON object") }
      return object
    }

    /// The values of an object in the columns of a table. O(columns).
    func row<Row>(_ object: RemoteObject, _ table: ResultTable<Row>) throws -> CellRow {
      CellRow(
        try table.columns.map { column in
          guard let cell = object.cell(column) else { throw badAnswer("no \(column.name), or one that is none") }
          return cell
        })
    }
  }

  /// A ranking as a server answers it.
  struct RemoteRanking: Decodable {
    let asOf: String
    let top: [RemoteObject]

    private enum CodingKeys: String, CodingKey {
      case asOf = "as_of"
      case top
    }

    init?(_ body: [UInt8]) {
      guard let ranking = try? JSONDecoder().decode(RemoteRanking.self, from: Data(body)) else { return nil }
      self = ranking
    }
  }

  extension CellRow {
    /// The value in a column of the table that the row was read by. O(columns).
    subscript<Row>(_ name: String, _ table: ResultTable<Row>) -> Cell? {
      table.columns.firstIndex { $0.name == name }.map { cells[$0] }
    }
  }

  /// A JSON object whose values are plain.
  struct RemoteObject: Decodable {
    private enum Value: Decodable {
      case nothing
      case text(String)
      case nested

      init(from decoder: any Decoder) throws {
        guard let one = try? decoder.singleValueContainer() else {
          self = .nested
          return
        }
        if one.decodeNil() {
          self = .nothing
        } else if let text = try? one.decode(String.self) {
          self = .text(text)
        } else if let flag = try? one.decode(Bool.self) {
          self = .text(flag ? "true" : "false")
        } else if let count = try? one.decode(UInt64.self) {
          self = .text(String(count))
        } else {
          self = .nested
        }
      }
    }

    private let values: [String: Value]

    init(from decoder: any Decoder) throws { values = try [String: Value](from: decoder) }

    init?(_ body: [UInt8]) {
      guard let object = try? JSONDecoder().decode(RemoteObject.self, from: Data(body)) else { return nil }
      self = object
    }

    /// The value of a column; nil where it is none. O(length).
    func cell(_ column: Column) -> Cell? {
      switch values[column.name] {
      case .nothing?: column.isNullable ? .null : nil
      case .text(let text)?: column.cell(of: Array(text.utf8))
      case .nested?, nil: nil
      }
    }

    /// A text; nil where there is none.
    func text(_ name: String) -> String? {
      if case .text(let text)? = values[name] { return text }
      return nil
    }

    func flag(_ name: String) -> Bool { text(name) == "true" }
    func count(_ name: String) -> Int? { text(name).flatMap { Int($0) } }
    func instant(_ name: String) -> Timestamp? { text(name).flatMap { Timestamp($0) } }
  }
#endif
