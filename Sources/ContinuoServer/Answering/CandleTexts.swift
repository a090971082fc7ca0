// The texts of candles that are closed, kept from one answer to the next.
// Invariant: a text is used where the engine says that no candle of its token has changed up to it since the version that the text
// was made of; what is not known to be as it was is made anew. What is kept stays within its bound.
// Not here: pages of texts (CandlePage), how a candle is spelled (ContinuoFormats), what has changed (Continuo's CandleChanges).

internal import Continuo
internal import ContinuoFormats
internal import Synchronization

/// Which candles are wanted as text.
struct WantedCandles {
  var token: TokenID
  var name: ByteString
  /// Without filling.
  var query: CandleQuery
  /// At most so many, the newest.
  var limit: Int
  var clock: Timestamp
}

/// Makes JSON of a token's candles, and keeps what may be asked again.
final class CandleTexts: Sendable {
  private struct Kept {
    var pages: [Int: CandlePage] = [:]
    /// The keys as they came: the first goes first.
    var order: [Int] = []
    var first = 0
    var bytes = 0
  }

  /// How far a page still holds.
  private struct Held {
    /// Its candles before this are as they were.
    var end: Timestamp
    /// Whether none of the token's candles has changed at all.
    var isSame: Bool
  }

  /// What of an answer a page has, and what is to be made.
  private struct Part {
    var rows: Range<Int>
    /// What comes behind those.
    var bars: ArraySlice<Bar>
    /// Where older candles end; nil where there are none.
    var next: Timestamp?
    /// How many candles of the page are as they were.
    var valid: Int
    /// Whether nothing is left out between those and what comes behind them.
    var isWhole: Bool
  }

  private static let separator = Array(",\n".utf8)
  /// Over so many buckets behind a page its token is not walked: it is made anew.
  private static let bucketsAheadMax: Int64 = 256
  /// So many candles behind a page are made for each answer; more are kept with it.
  private static let madeMax = 8
  /// A page grows up to so many candles, unless more are asked for at once.
  private static let rowsMax = 2048

  private let bytesMax: Int
  private let table: ResultTable<CandleAnswer>
  private let kept = Mutex(Kept())

  init(_ table: ResultTable<CandleAnswer>, bytesMax: Int) { (self.table, self.bytesMax) = (table, bytesMax) }

  /// Appends candles, ascending, as a list of JSON objects: what a `ResultWriter` writes. O(bytes), and what has changed.
  ///
  /// - Returns: where older ones end that were not asked for; nil where there are none.
  func append(
    _ wanted: WantedCandles, _ market: borrowing Snapshot, _ publication: Publication, to output: inout [UInt8]
  ) -> Timestamp? {
    output.append(contentsOf: "[\n".utf8)
    let start = output.count
    let page = kept.withLock { $0.pages[wanted.key] }
    var held: Held?
    if let page { held = self.held(of: page, wanted, market, publication) }
    let next: Timestamp?
    if let page, let held, let part = part(of: page, held, wanted, market) {
      output.append(contentsOf: page.text[page.place(part.rows)])
      next = part.next
      if let made = made(part.bars, wanted, market, before: .unknown, to: &output), made.count > Self.madeMax,
        part.isWhole
      {
        let rows = max(0, part.valid + made.count - max(Self.rowsMax, wanted.limit))..<part.valid
        keep(
          page.joined(rows, made, 0..<made.count, end: made.end, isSame: true, version: market.version), wanted.key)
      }
    } else {
      next = appendAll(wanted, market, beside: page, held, to: &output)
    }
    guard output.count > start else {
      output.removeLast()
      output.append(UInt8(ascii: "]"))
      return nil
    }
    output.removeLast(Self.separator.count)
    output.append(contentsOf: "\n]".utf8)
    return next
  }

  // MARK: what is known

  /// How far a page still holds; nil where nothing is known of it. O(1).
  private func held(
    of page: CandlePage, _ wanted: WantedCandles, _ market: borrowing Snapshot, _ publication: Publication
  ) -> Held? {
    guard page.version <= market.version, page.horizon == market.horizon, let first = page.buckets.first,
      let last = page.buckets.last, market.contents.firstServed(wanted.query.interval) <= first,
      // Who asks at an earlier instant than who made it may still see the last one open.
      wanted.query.interval.next(last) <= wanted.clock
    else { return nil }
    if page.version == market.version { return Held(end: page.end, isSame: true) }
    switch publication.candles(of: wanted.token, since: page.version) {
    case .none: return Held(end: page.end, isSame: true)
    case .since(let instant, _):
      let end = min(page.end, wanted.query.interval.start(of: instant))
      return first < end ? Held(end: end, isSame: false) : nil
    case .unknown: return nil
    }
  }

  /// What of an answer a page has; nil where it reaches too little far. O(log n), and what comes behind the page.
  private func part(
    of page: CandlePage, _ held: Held, _ wanted: WantedCandles, _ market: borrowing Snapshot
  ) -> Part? {
    let query = wanted.query
    let (from, to) = (query.from ?? Timestamp(microseconds: .min), query.to ?? Timestamp(microseconds: .max))
    let validRows = page.index(held.end)
    let end = to < held.end ? page.index(to) : validRows
    // Where the range begins, and what is before that.
    let first = min(end, page.index(from))
    var before = page.before
    if from >= page.buckets[0] { before = .nothing }
    if case .candle(let bucket) = before, bucket < max(from, market.contents.firstServed(query.interval)) {
      before = .nothing
    }
    var bars: [Bar] = []
    let ahead = max(held.end, from)
    if ahead < to, !(held.isSame && page.isNewest) {
      guard let newest = market.newest,
        newest.microseconds - ahead.microseconds <= Self.bucketsAheadMax * query.interval.microseconds
      else { return nil }
      market.forEachBar(of: wanted.token, CandleQuery(query.interval, from: ahead, to: query.to), clock: wanted.clock) {
        bars.append($0)
      }
    }
    let room = wanted.limit - bars.count
    let start = max(first, end - max(0, room))
    var hasMore = room < 0 || start > first
    if !hasMore, before != .nothing {
      // As many as are wanted; the one before is known to be there.
      guard case .candle = before, end - start == room else { return nil }
      hasMore = true
    }
    let shown = bars.dropFirst(max(0, -room))
    let next = start < end ? page.buckets[start] : shown.first?.bucket
    return Part(
      rows: start..<end, bars: shown, next: hasMore ? next : nil, valid: validRows,
      isWhole: room >= 0 && ahead == held.end)
  }

  // MARK: what is made

  /// Appends all candles as they are now, and keeps the closed ones. O(candles).
  private func appendAll(
    _ wanted: WantedCandles, _ market: borrowing Snapshot, beside page: CandlePage?,
    _ held: Held?, to output: inout [UInt8]
  ) -> Timestamp? {
    var bars: [Bar] = []
    bars.reserveCapacity(min(wanted.limit + 1, 512))
    var query = wanted.query
    // One more tells whether there is one.
    query.limit = wanted.limit + 1
    market.forEachBar(of: wanted.token, query, clock: wanted.clock) { bars.append($0) }
    let first = max(0, bars.count - wanted.limit)
    let before: CandlePage.Before =
      first > 0 ? .candle(bars[first - 1].bucket) : query.from == nil ? .nothing : .unknown
    if let made = made(bars[first...], wanted, market, before: before, to: &output) {
      keep(made, beside: page, held, wanted, market.version)
    }
    return first > 0 ? bars[first].bucket : nil
  }

  /// Appends candles; a page of the closed ones, nil without any. O(candles).
  private func made(
    _ bars: ArraySlice<Bar>, _ wanted: WantedCandles, _ market: borrowing Snapshot, before: CandlePage.Before,
    to output: inout [UInt8]
  ) -> CandlePage? {
    guard !bars.isEmpty else { return nil }
    let start = output.count
    var (buckets, ends) = ([Timestamp](), [Int]())
    buckets.reserveCapacity(bars.count)
    ends.reserveCapacity(bars.count)
    var writer = ResultWriter(table.single, as: .json)
    for bar in bars {
      writer.write(CandleAnswer(token: wanted.name, row: bar))
      output.append(contentsOf: writer.bytes)
      writer.clear()
      output.append(contentsOf: Self.separator)
      // Those that are not closed are the last ones.
      guard bar.isClosed else { continue }
      buckets.append(bar.bucket)
      ends.append(output.count - start)
    }
    guard let last = buckets.last, let end = ends.last else { return nil }
    return CandlePage(
      buckets: buckets, ends: ends, text: Array(output[start..<start + end]), before: before,
      end: wanted.query.interval.next(last), isNewest: wanted.query.to == nil && buckets.count == bars.count,
      version: market.version, horizon: market.horizon)
  }

  // MARK: what is kept

  /// Keeps candles that were made, together with those of a page that still holds: newer ones are asked for more often.
  private func keep(
    _ made: CandlePage, beside page: CandlePage?, _ held: Held?, _ wanted: WantedCandles,
    _ version: UInt64
  ) {
    guard let page, let held else { return keep(made, wanted.key) }
    let (first, same) = (page.buckets[0], page.index(held.end))
    if made.end >= held.end {
      let rows = page.index(made.buckets[0])
      guard rows > 0, made.buckets[0] <= held.end, rows + made.count <= Self.rowsMax else {
        return keep(made, wanted.key)
      }
      return keep(
        page.joined(0..<rows, made, 0..<made.count, end: made.end, isSame: true, version: version), wanted.key)
    }
    let rows = made.index(first)
    // Up to where candles were looked for the two meet.
    guard rows > 0, wanted.query.to.map({ $0 >= first }) ?? true, rows + same <= Self.rowsMax else { return }
    // Of the page nothing is known behind where it holds, though its next candle may begin later.
    keep(
      made.joined(0..<rows, page, 0..<same, end: held.end, isSame: held.isSame, version: version), wanted.key)
  }

  private func keep(_ page: CandlePage, _ key: Int) {
    guard page.bytes <= bytesMax / 8 else { return }
    kept.withLock { kept in
      let old = kept.pages[key]
      if let old, old.version > page.version { return }
      kept.pages[key] = page
      kept.bytes += page.bytes - (old?.bytes ?? 0)
      if old == nil { kept.order.append(key) }
      while kept.bytes > bytesMax, kept.first < kept.order.count {
        if let gone = kept.pages.removeValue(forKey: kept.order[kept.first]) { kept.bytes -= gone.bytes }
        kept.first += 1
      }
      if kept.first > 1024, kept.first > kept.order.count / 2 {
        kept.order.removeFirst(kept.first)
        kept.first = 0
      }
    }
  }
}

extension WantedCandles {
  /// One number for token and interval.
  fileprivate var key: Int {
    let interval: Int =
      switch query.interval {
      case .oneMinute: 0
      case .fiveMinutes: 1
      case .fifteenMinutes: 2
      case .oneHour: 3
      case .fourHours: 4
      case .oneDay: 5
      case .oneWeek: 6
      }
    return token.index * 8 + interval
  }
}
