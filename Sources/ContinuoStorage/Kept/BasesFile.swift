// What is left of dropped events, in a kept file.
// Invariant: what is written is read back to the bit; a group whose columns do not fit together is refused.
// Not here: what a base is (TokenBase), the file (KeptFiles), the columns' bits (ColumnCode).
// Format: docs/format/kept.md, "Bases".

package import Continuo

package enum BasesFile {
  /// A group is ended by the token with which it has so many candles and balances.
  private static let rowsMax = 1 << 16

  /// Writes bases and makes them durable, but not the file's name. O(bytes).
  package static func write(
    _ file: any DiskFile, _ header: KeptHeader, _ bases: [TokenBase]
  ) throws(DiskFailure) -> KeptEntry {
    var writer = KeptWriter(file, header)
    var (start, group) = (0, 0)
    while start < bases.count {
      var (end, rows) = (start, 0)
      while end < bases.count, rows < rowsMax {
        rows += 1 + bases[end].candles.count + bases[end].balances.count
        end += 1
      }
      let columns = BaseColumns(bases[start..<end]).encoded
      for (column, bytes) in columns.enumerated() {
        try writer.append(kind: 0, column: UInt8(column), group: group, bytes)
      }
      (start, group) = (end, group + 1)
    }
    var entry = try writer.finish(footer(bases.count))
    entry.contents = contents(bases)
    return entry
  }

  /// What bases add up to. O(rows).
  static func contents(_ bases: [TokenBase]) -> UInt32 {
    var contents = ContentSum()
    for base in bases { contents.add(base) }
    return contents.value
  }

  /// Reads all bases, and checks every byte on the way. O(bytes).
  package static func bases(_ reader: KeptReader) throws(StorageFailure) -> [TokenBase] {
    var bases: [TokenBase] = []
    guard reader.blockCount % BaseColumns.count == 0 else { throw reader.damaged(0, "all columns of bases") }
    for group in 0..<groups(reader) { bases += try self.bases(reader, group: group) }
    guard footer(bases.count) == reader.footer, zip(bases, bases.dropFirst()).allSatisfy({ $0.token < $1.token }) else {
      throw reader.damaged(reader.blockCount, "the footer of the bases that are there")
    }
    return bases
  }

  /// What a file of so many bases says of itself.
  static func footer(_ bases: Int) -> [UInt8] {
    var footer: [UInt8] = []
    footer.appendWord(UInt64(bases))
    return footer
  }

  /// How many groups have all of their blocks.
  static func groups(_ reader: KeptReader) -> Int { reader.blockCount / BaseColumns.count }

  /// The bases of one group. O(bytes).
  static func bases(_ reader: KeptReader, group: Int) throws(StorageFailure) -> [TokenBase] {
    let (first, horizon) = (group * BaseColumns.count, Timestamp(microseconds: reader.header.first))
    return try reader.withBlocks(
      first..<first + BaseColumns.count, { (0, UInt8($0 - first), group) },
      { (bytes, payloads) throws(StorageFailure) in
        do throws(ColumnFault) {
          let own = try BaseColumns(bytes, payloads).bases()
          guard own.allSatisfy({ $0.fits(below: horizon) }) else {
            throw ColumnFault(what: "what events below the horizon can have left")
          }
          return own
        } catch { throw reader.damaged(first, error.what) }
      })
  }

  /// The tokens of one group, whatever the rest of it is. O(tokens).
  static func tokens(_ reader: KeptReader, group: Int) throws(StorageFailure) -> [UInt32] {
    let first = group * BaseColumns.count
    return try reader.withBlocks(
      first..<first + 2, { (0, UInt8($0 - first), group) },
      { (bytes, payloads) throws(StorageFailure) in
        do throws(ColumnFault) { return try BaseColumns.tokens(bytes, payloads) } catch {
          throw reader.damaged(first, error.what)
        }
      })
  }
}

/// Bases as columns.
private struct BaseColumns {
  /// The head, then columns of words and of 128 bits of each token, candle and balance.
  static let count = 1 + 11 + 2 + 16 + 8 + 2 + 1

  private var tokens = [[UInt64]](repeating: [], count: 11)
  private var tokensWide = [[UInt128]](repeating: [], count: 2)
  private var candles = [[UInt64]](repeating: [], count: 16)
  private var candlesWide = [[UInt128]](repeating: [], count: 8)
  private var balances = [[UInt64]](repeating: [], count: 2)
  private var balancesWide = [[UInt128]](repeating: [], count: 1)

  init(_ bases: ArraySlice<TokenBase>) {
    for base in bases {
      let key = base.lastKey
      Self.append(
        [
          UInt64(base.token), UInt64(base.droppedSwaps), UInt64(base.droppedTransfers), key == nil ? 0 : 1,
          (key?.timestamp.microseconds ?? 0).zigzag, UInt64(key?.chain ?? 0), key?.block ?? 0,
          UInt64(key?.logIndex ?? 0), UInt64(base.candles.count), UInt64(base.balances.count), base.supply.high.zigzag,
        ], to: &tokens)
      Self.append([UInt128(bitPattern: base.lastPrice.units), base.supply.lowBits], to: &tokensWide)
      var start: Int64 = 0
      for archived in base.candles {
        append(archived, after: start)
        start = archived.start.microseconds / Self.hour
      }
      for (address, sum) in base.balances {
        Self.append([UInt64(address), sum.high.zigzag], to: &balances)
        Self.append([sum.lowBits], to: &balancesWide)
      }
    }
  }

  /// Candles begin at whole hours.
  private static let hour: Int64 = 3_600_000_000
  private static let intervals: [Interval] = [.oneHour, .fourHours, .oneDay, .oneWeek]

  private mutating func append(_ archived: TokenBase.Archived, after before: Int64) {
    let candle = archived.candle
    let (open, close) = (candle.openKey, candle.closeKey)
    let start = archived.start.microseconds
    Self.append(
      [
        UInt64(Self.intervals.firstIndex(of: archived.interval) ?? 0), (start / Self.hour &- before).zigzag,
        UInt64(bitPattern: open.timestamp.microseconds &- start),
        UInt64(bitPattern: close.timestamp.microseconds &- start), UInt64(open.chain), open.block,
        UInt64(open.logIndex), UInt64(close.chain), Int64(bitPattern: close.block &- open.block).zigzag,
        UInt64(close.logIndex), candle.volumeUSD.high.zigzag, candle.volumeToken.high.zigzag,
        candle.buyVolumeUSD.high.zigzag, candle.sellVolumeUSD.high.zigzag, UInt64(candle.trades),
        UInt64(candle.tradesWithoutTokenAmount),
      ], to: &candles)
    Self.append(
      [
        UInt128(bitPattern: candle.open.units), UInt128(bitPattern: candle.high.units &- candle.open.units),
        UInt128(bitPattern: candle.open.units &- candle.low.units), (candle.close.units &- candle.open.units).zigzag,
        candle.volumeUSD.lowBits, candle.volumeToken.lowBits, candle.buyVolumeUSD.lowBits,
        candle.sellVolumeUSD.lowBits,
      ], to: &candlesWide)
  }

  private static func append<Number>(_ row: [Number], to columns: inout [[Number]]) {
    for index in row.indices { columns[index].append(row[index]) }
  }

  // MARK: bytes

  /// The head, then every column.
  var encoded: [[UInt8]] {
    var head: [UInt8] = []
    for count in [tokens[0].count, candles[0].count, balances[0].count] { head.appendWord(UInt32(count)) }
    func bytes<Number: FixedWidthInteger & UnsignedInteger>(_ columns: [[Number]]) -> [[UInt8]] {
      columns.map { column in
        var bytes: [UInt8] = []
        ColumnCode.append(column, to: &bytes)
        return bytes
      }
    }
    return [head] + bytes(tokens) + bytes(tokensWide) + bytes(candles) + bytes(candlesWide) + bytes(balances)
      + bytes(balancesWide)
  }

  init(_ bytes: Span<UInt8>, _ payloads: [Range<Int>]) throws(ColumnFault) {
    let head = bytes.extracting(payloads[0])
    guard head.count == 12 else { throw ColumnFault(what: "the head of bases") }
    let counts = (0..<3).map { Int(head.word(4 * $0, UInt32.self)) }
    // Numbers that are all the same take no bits: of as many as this some differ, at least in what tells them apart.
    let bits = 8 * payloads.reduce(0) { $0 + $1.count }
    guard counts.allSatisfy({ $0 <= 1 << 20 || $0 <= bits }) else { throw ColumnFault(what: "fewer bases") }
    var next = 1
    func read<Number: FixedWidthInteger & UnsignedInteger>(
      _ columns: inout [[Number]], _ count: Int
    ) throws(ColumnFault) {
      for column in columns.indices {
        columns[column] = try ColumnCode.read(bytes.extracting(payloads[next]), count: count, as: Number.self)
        next += 1
      }
    }
    try read(&tokens, counts[0])
    try read(&tokensWide, counts[0])
    try read(&candles, counts[1])
    try read(&candlesWide, counts[1])
    try read(&balances, counts[2])
    try read(&balancesWide, counts[2])
  }

  /// The tokens, of the head and their column alone. O(tokens).
  static func tokens(_ bytes: Span<UInt8>, _ payloads: [Range<Int>]) throws(ColumnFault) -> [UInt32] {
    let head = bytes.extracting(payloads[0])
    guard head.count == 12, head.word(0, UInt32.self) <= 1 << 20 else { throw ColumnFault(what: "the head of bases") }
    let column = bytes.extracting(payloads[1])
    return try ColumnCode.read(column, count: Int(head.word(0, UInt32.self)), as: UInt32.self)
  }

  /// The bases. O(rows).
  func bases() throws(ColumnFault) -> [TokenBase] {
    var bases: [TokenBase] = []
    var (candle, balance) = (0, 0)
    for row in tokens[0].indices {
      func small(_ column: Int) throws(ColumnFault) -> UInt32 {
        guard let value = UInt32(exactly: tokens[column][row]) else { throw ColumnFault(what: "a small number") }
        return value
      }
      var base = TokenBase(token: try small(0))
      guard let swaps = Self.count(tokens[1][row]), let transfers = Self.count(tokens[2][row]),
        tokens[8][row] <= UInt64(candles[0].count - candle), tokens[9][row] <= UInt64(balances[0].count - balance)
      else { throw ColumnFault(what: "as many candles and balances as there are") }
      (base.droppedSwaps, base.droppedTransfers) = (swaps, transfers)
      if tokens[3][row] != 0 {
        base.lastKey = OrderKey(
          timestamp: Timestamp(microseconds: tokens[4][row].unzigzag), chain: try small(5), block: tokens[6][row],
          logIndex: try small(7))
      }
      base.lastPrice = Decimal18(units: Int128(bitPattern: tokensWide[0][row]))
      base.supply = ExactSum(lowBits: tokensWide[1][row], high: tokens[10][row].unzigzag)
      var start: Int64 = 0
      for _ in 0..<tokens[8][row] {
        base.candles.append(try archived(candle, &start))
        candle += 1
      }
      for _ in 0..<tokens[9][row] {
        guard let address = UInt32(exactly: balances[0][balance]) else { throw ColumnFault(what: "an address") }
        base.balances.append(
          (address, ExactSum(lowBits: balancesWide[0][balance], high: balances[1][balance].unzigzag)))
        balance += 1
      }
      bases.append(base)
    }
    guard candle == candles[0].count, balance == balances[0].count else {
      throw ColumnFault(what: "a token of each candle and balance")
    }
    return bases
  }

  /// A count that can be added to without end.
  private static func count(_ number: UInt64) -> Int? { number < 1 << 60 ? Int(number) : nil }

  private func archived(_ row: Int, _ hours: inout Int64) throws(ColumnFault) -> TokenBase.Archived {
    func small(_ column: Int) throws(ColumnFault) -> UInt32 {
      guard let value = UInt32(exactly: candles[column][row]) else { throw ColumnFault(what: "a small number") }
      return value
    }
    func price(_ column: Int) -> Int128 { Int128(bitPattern: candlesWide[column][row]) }
    func sum(_ wide: Int, _ high: Int) -> ExactSum {
      ExactSum(lowBits: candlesWide[wide][row], high: candles[high][row].unzigzag)
    }
    guard candles[0][row] < UInt64(Self.intervals.count), let trades = Self.count(candles[14][row]), trades > 0,
      let without = Self.count(candles[15][row])
    else { throw ColumnFault(what: "a candle") }
    hours = hours &+ candles[1][row].unzigzag
    let start = hours &* Self.hour
    let (openBlock, open) = (candles[5][row], price(0))
    func key(_ offset: Int, chain: Int, block: UInt64, log: Int) throws(ColumnFault) -> OrderKey {
      OrderKey(
        timestamp: Timestamp(microseconds: start &+ Int64(bitPattern: candles[offset][row])), chain: try small(chain),
        block: block, logIndex: try small(log))
    }
    let candle = Candle(
      open: Decimal18(units: open), high: Decimal18(units: open &+ price(1)),
      low: Decimal18(units: open &- price(2)), close: Decimal18(units: open &+ candlesWide[3][row].unzigzag),
      openKey: try key(2, chain: 4, block: openBlock, log: 6),
      closeKey: try key(3, chain: 7, block: openBlock &+ UInt64(bitPattern: candles[8][row].unzigzag), log: 9),
      volumeUSD: sum(4, 10), volumeToken: sum(5, 11), buyVolumeUSD: sum(6, 12), sellVolumeUSD: sum(7, 13),
      trades: trades, tradesWithoutTokenAmount: without)
    return TokenBase.Archived(
      interval: Self.intervals[Int(candles[0][row])], start: Timestamp(microseconds: start), candle: candle)
  }
}

extension ExactSum {
  /// The lower 128 bits.
  fileprivate var lowBits: UInt128 { UInt128(middle) << 64 | UInt128(low) }

  fileprivate init(lowBits: UInt128, high: Int64) {
    self.init(low: UInt64(truncatingIfNeeded: lowBits), middle: UInt64(truncatingIfNeeded: lowBits >> 64), high: high)
  }
}
