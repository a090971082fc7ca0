// The texts of candles that are closed, kept from one answer to the next.
// Invariant: a text is used for a bar that is equal to the one that it was made of, so nothing that changes a candle needs to be
// told here; what is kept stays within its bound.
// Not here: which bars are asked for (CandleRoutes), how a bar is spelled (ContinuoFormats).

internal import Continuo
internal import ContinuoFormats
internal import Synchronization

/// Makes JSON of bars, and keeps what may be asked again.
final class CandleTexts: Sendable {
  private struct Key: Hashable {
    let token: TokenID
    let interval: Interval
  }

  /// Bars of one token, ascending, each with the end of its text; a text ends with what stands between rows.
  private final class Page: Sendable {
    let bars: [Bar]
    let ends: [Int]
    let text: [UInt8]

    init(bars: [Bar], ends: [Int], text: [UInt8]) {
      (self.bars, self.ends, self.text) = (bars, ends, text)
    }

    var bytes: Int { text.count + bars.count * (MemoryLayout<Bar>.stride + MemoryLayout<Int>.stride) }

    func start(_ index: Int) -> Int { index == 0 ? 0 : ends[index - 1] }

    /// The first bar that is not before a bucket. O(log n).
    func index(_ bucket: Timestamp) -> Int {
      var (low, high) = (0, bars.count)
      while low < high {
        let middle = (low + high) / 2
        if bars[middle].bucket < bucket { low = middle + 1 } else { high = middle }
      }
      return low
    }
  }

  private struct Kept {
    var pages: [Key: Page] = [:]
    /// The keys as they came: the first goes first.
    var order: [Key] = []
    var first = 0
    var bytes = 0
  }

  private static let separator = Array(",\n".utf8)

  private let bytesMax: Int
  private let table: ResultTable<CandleAnswer>
  private let kept = Mutex(Kept())

  init(_ table: ResultTable<CandleAnswer>, bytesMax: Int) { (self.table, self.bytesMax) = (table, bytesMax) }

  /// Appends bars of a token, ascending, as a list of JSON objects: what a `ResultWriter` writes. O(bars).
  func append(
    _ bars: ArraySlice<Bar>, of token: TokenID, _ name: ByteString, _ interval: Interval, to output: inout [UInt8]
  ) {
    guard let first = bars.first else { return output.append(contentsOf: "[]".utf8) }
    let key = Key(token: token, interval: interval)
    let page = kept.withLock { $0.pages[key] }
    output.append(contentsOf: "[\n".utf8)
    let start = output.count
    var ends: [Int] = []
    ends.reserveCapacity(bars.count)
    var writer = ResultWriter(table.single, as: .json)
    var (next, made) = (page?.index(first.bucket) ?? 0, 0)
    // Texts that follow each other are taken together.
    var run = 0..<0
    for bar in bars {
      if let page, next < page.bars.count {
        while next < page.bars.count, page.bars[next].bucket < bar.bucket { next += 1 }
        if next < page.bars.count, page.bars[next] == bar {
          if run.isEmpty {
            run = page.start(next)..<page.ends[next]
          } else if run.upperBound == page.start(next) {
            run = run.lowerBound..<page.ends[next]
          } else {
            output.append(contentsOf: page.text[run])
            run = page.start(next)..<page.ends[next]
          }
          ends.append(output.count - start + run.count)
          next += 1
          continue
        }
      }
      if let page, !run.isEmpty {
        output.append(contentsOf: page.text[run])
        run = 0..<0
      }
      writer.write(CandleAnswer(token: name, row: bar))
      output.append(contentsOf: writer.bytes)
      writer.clear()
      output.append(contentsOf: Self.separator)
      ends.append(output.count - start)
      if bar.isClosed { made += 1 }
    }
    if let page { output.append(contentsOf: page.text[run]) }
    if made > 0 { keep(bars, ends, output[start...], key) }
    output.removeLast(Self.separator.count)
    output.append(contentsOf: "\n]".utf8)
  }

  /// Keeps the closed ones of some bars. O(bars).
  private func keep(_ bars: ArraySlice<Bar>, _ ends: [Int], _ text: ArraySlice<UInt8>, _ key: Key) {
    // Those that are not closed are the last ones.
    let closed = bars.prefix { $0.isClosed }
    guard !closed.isEmpty else { return }
    let end = ends[closed.count - 1]
    let page = Page(bars: Array(closed), ends: Array(ends.prefix(closed.count)), text: Array(text.prefix(end)))
    guard page.bytes <= bytesMax / 8 else { return }
    kept.withLock { kept in
      if let old = kept.pages.updateValue(page, forKey: key) { kept.bytes -= old.bytes } else { kept.order.append(key) }
      kept.bytes += page.bytes
      while kept.bytes > bytesMax, kept.first < kept.order.count {
        if let old = kept.pages.removeValue(forKey: kept.order[kept.first]) { kept.bytes -= old.bytes }
        kept.first += 1
      }
      if kept.first > 1024, kept.first > kept.order.count / 2 {
        kept.order.removeFirst(kept.first)
        kept.first = 0
      }
    }
  }
}
