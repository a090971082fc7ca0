// The nearest `--map` for a file whose columns are not ours.
// Invariant: what is proposed parses as a map, adds to what the user gave, and names columns that the file has.
// Not here: what a map means (FieldMap).

internal import Continuo

/// Guesses which column is which field, for a message only: nothing is ever read by a guess.
struct NearestMap {
  private let names: [ByteString]
  private let map: FieldMap

  /// The names without case and separators.
  private let plainNames: [String]

  /// Looks at the first columns only: a header of 65,000 must not cost seconds.
  init(_ names: [ByteString], _ map: FieldMap) {
    self.names = Array(names.prefix(Limits.unknownNamesListedMax))
    self.map = map
    plainNames = self.names.map(Self.plain)
  }

  /// What strangers call our fields; the earlier, the nearer.
  private static let synonyms: [(EventField, [String])] = [
    (.block, ["blocknumber", "blocknum", "height", "id", "tradeid", "aggtradeid", "seq", "sequence", "slot"]),
    (
      .timestamp,
      ["ts", "time", "date", "datetime", "transacttime", "tradetime", "blocktime", "blocktimestamp", "createdat"]
    ),
    (.token, ["symbol", "sym", "pair", "coin", "asset", "ticker", "instrument", "market", "mint", "contract"]),
    (.priceUSD, ["price", "px", "rate", "lastprice", "tradeprice"]),
    (.tokenAmount, ["qty", "quantity", "size", "amount", "baseqty", "basevolume", "volume"]),
    (.amountUSD, ["quoteqty", "quotequantity", "value", "notional", "usd", "usdamount", "valueusd", "quotevolume"]),
    (.side, ["tradeside", "takerside", "direction", "type"]),
    (.wallet, ["trader", "account", "user", "maker", "taker", "owner", "address"]),
    (.from, ["sender", "src", "source", "fromaddress", "giver"]),
    (.to, ["receiver", "recipient", "dst", "destination", "toaddress", "taker"]),
    (.logIndex, ["logidx", "eventindex", "index"]),
    (.chain, ["chainid", "network", "networkid"]),
    (.tokenID, ["nftid", "tokenid"]),
  ]

  /// A name without case, spaces and separators.
  private static func plain(_ name: ByteString) -> String {
    name.description.lowercased().filter { $0 != "_" && $0 != "-" && $0 != " " && $0 != "." }
  }

  /// The first field that `name` might be.
  private static func field(of name: ByteString) -> EventField? {
    let plain = plain(name)
    return EventField.allCases.first { Self.plain(ByteString($0.name)) == plain }
      ?? synonyms.first { $0.1.contains(plain) }?.0
  }

  /// The unused column that is nearest to a field.
  private func column(for field: EventField, without used: Set<ByteString>) -> ByteString? {
    let wanted = [Self.plain(ByteString(field.name))] + (Self.synonyms.first { $0.0 == field }?.1 ?? [])
    for word in wanted {
      for (name, plain) in zip(names, plainNames) where plain == word && !used.contains(name) && Self.isSpeakable(name)
      {
        return name
      }
    }
    return nil
  }

  /// Whether a map can name the column.
  private static func isSpeakable(_ name: ByteString) -> Bool {
    name.shown == name.description && !name.bytes.contains { [44, 42, 61, 39].contains($0) }
      && name.bytes != [UInt8(ascii: "#")]
  }

  /// The entries of the nearest map.
  private var entries: [String] {
    var entries = map.entries
    var used = Set(map.sources.flatMap { $0.source.columns.map(\.bytes) })
    var columns: [EventField: ByteString] = [:]
    for name in names {
      if let field = EventField.allCases.first(where: { name == ByteString($0.name) }) {
        used.insert(name)
        columns[field] = name
      }
    }
    let isTransfer = columns[.from] != nil || columns[.to] != nil
    let fields: [EventField] = [.block, .timestamp, .token, .priceUSD, .tokenAmount, .amountUSD, .side, .wallet]
    for field in fields where map.source(of: field) == nil && columns[field] == nil {
      if isTransfer, ![.block, .timestamp, .token].contains(field) { continue }
      if let name = column(for: field, without: used) {
        used.insert(name)
        columns[field] = name
        entries.append("\(field.name)=\(name)")
      } else if field == .amountUSD, let price = columns[.priceUSD], let amount = columns[.tokenAmount] {
        entries.append("amount_usd=\(price)*\(amount)")
      } else if field == .block {
        entries.append("block=#")
      } else if field == .token {
        entries.append("token:=NAME")
      } else if field == .timestamp {
        entries.append("timestamp=COLUMN")
      }
    }
    return entries
  }

  /// What to try with a file that has a header, or should have one.
  var remedy: String {
    for preset in Preset.allCases {
      let columns = preset.columns.dropLast().map { Self.plain(ByteString($0)) }
      if plainNames.starts(with: columns) { return "try --preset \(preset.rawValue) --map 'token:=SYMBOL'" }
    }
    guard !looksLikeData else {
      return "if the first line is a row already, try \(positionsRemedy)"
    }
    return "try --map '\(entries.joined(separator: ","))'"
  }

  /// What to try with a file without a header.
  var positionsRemedy: String {
    let last = names.last?.description.lowercased() ?? ""
    if names.count >= 6, names.count <= 8, last == "true" || last == "false" {
      let preset: Preset =
        names.count == 8
          || names.count == 7 && names[5].bytes.first != UInt8(ascii: "t")
            && names[5].bytes.first != UInt8(ascii: "T") && names[5].bytes.first != UInt8(ascii: "f")
            && names[5].bytes.first != UInt8(ascii: "F")
        ? .binanceAggregateTrades : .binanceTrades
      return "--preset \(preset.rawValue) --map 'token:=SYMBOL'"
    }
    return "--no-header --map 'block=#,timestamp=1,token=2,price_usd=3,token_amount=4,amount_usd=3*4' "
      + "with the positions that hold"
  }

  /// Whether a header is none: most of its cells are numbers.
  private var looksLikeData: Bool {
    let numbers = names.filter { Decimal18($0.description) != nil }.count
    return numbers > 0 && numbers * 2 >= names.count
  }

  /// A header for a message. O(1).
  static func list(_ names: [ByteString]) -> String {
    names.prefix(20).map(\.shown).joined(separator: ", ") + (names.count > 20 ? ", … (\(names.count) in all)" : "")
  }

  /// The warning of a column or key that is not ours, with a hint where it might be a field that nothing fills.
  static func warning(_ file: String, _ word: String, _ name: ByteString, filled: Set<EventField>) -> String {
    let place = file == "-" ? "standard input" : ByteString(file).shown
    let text = "\(place): the \(word) '\(name.shown)' is unknown and not read"
    guard let field = field(of: name), !filled.contains(field), isSpeakable(name) else { return text }
    return text + "; if it is the \(field.name), add --map '\(field.name)=\(name)'"
  }
}
