// The series that events, identities and candles are held in, with chunks so small that every seam is crossed.
// Invariant: a failing seed is printed with what to type to see it again.
// Not here: the rows that the engine holds (EngineProperties reaches those).

import Continuo
import ContinuoTestSupport
import Testing

/// A row with a column for every way to be packed: any number, decimals of one scale, a constant.
private struct TestRow: PackedRow, Equatable {
  var key: Int64
  var any: Int128
  var scaled: Int128

  static var columnCount: Int { 4 }
  static var chunkRows: Int { 4 }
  static var tailRowsMax: Int { 6 }
  static func isScaled(_ column: Int) -> Bool { column == 2 }

  func column(_ index: Int) -> Int128 {
    switch index {
    case 0: Int128(key)
    case 1: any
    case 2: scaled
    default: 7
    }
  }

  init(key: Int64, any: Int128, scaled: Int128) {
    (self.key, self.any, self.scaled) = (key, any, scaled)
  }

  init(_ column: (Int) -> Int128) {
    precondition(column(3) == 7, "a constant column reads back")
    self.init(key: Self.key(column), any: column(1), scaled: column(2))
  }

  static func key(_ column: (Int) -> Int128) -> Int64 { Int64(truncatingIfNeeded: column(0)) }

  /// The least key.
  static func summary(_ rows: Span<TestRow>) -> Int64 { rows[0].key }

  static func random(_ key: Int64, using random: inout SeededGenerator) -> TestRow {
    let magnitude = Int.random(in: 0...127, using: &random)
    let any = Int128(truncatingIfNeeded: UInt128(random.next()) << 64 | UInt128(random.next())) >> Int128(magnitude)
    let scale = random.pick([1, 10, 1_000_000, 10_000_000_000, 1_000_000_000_000_000_000] as [Int128])
    let edge = random.pick([.min, .max, 0, any, any] as [Int128])
    return TestRow(key: key, any: edge, scaled: Int128(Int32.random(in: -99_999...99_999, using: &random)) * scale)
  }
}

@Suite("Sorted series")
struct SortedSeriesProperties {
  /// Rules 3.1, 3.2, 3.8, 6.2: what the engine's memory rests on, held against a sorted array.
  @Test("Rows go in and out anywhere: the series is a sorted array", arguments: Seeds.thisRun(300))
  func isASortedArray(seed: UInt64) {
    var random = SeededGenerator(seed: seed)
    var series = SortedSeries<TestRow>()
    var model: [TestRow] = []
    let range = Int64(random.pick([20, 200, 2_000]))
    for step in 0..<120 {
      switch Int.random(in: 0..<12, using: &random) {
      case 0..<5:
        for _ in 0..<Int.random(in: 1...12, using: &random) {
          let isLate = random.chance(40)
          let key = isLate ? Int64.random(in: 0...range, using: &random) : (model.last?.key ?? 0) + 1
          guard !model.contains(where: { $0.key == key }) else { continue }
          let row = TestRow.random(key, using: &random)
          series.insert(row)
          model.insert(row, at: model.firstIndex { $0.key > key } ?? model.count)
        }
      case 5 where !model.isEmpty:
        let index = Int.random(in: 0..<model.count, using: &random)
        let changed = TestRow.random(model[index].key, using: &random)
        guard let position = series.find(changed.key) else {
          Issue.record("step \(step): a key is lost\n\(Seeds.replay(seed, "isASortedArray"))")
          return
        }
        series.update(position) { $0 = changed }
        model[index] = changed
      case 6...7:
        let gone = model.filter { _ in random.chance(25) }.map(\.key)
        // A key that is not there changes nothing.
        var lent: Set<Int64> = []
        series.remove(([-1] + gone + [range * 10]).sorted()) { lent.insert($0.key) }
        #expect(lent == Set(gone))
        model.removeAll { gone.contains($0.key) }
      case 8:
        let bound = Int64.random(in: 0...range * 2, using: &random)
        var lent: [TestRow] = []
        series.removeSuffix(from: series.first { $0 > bound }) { lent.append($0) }
        #expect(lent == model.filter { $0.key > bound })
        model.removeAll { $0.key > bound }
      case 9:
        let bound = Int64.random(in: 0...range / 4, using: &random)
        var lent: [TestRow] = []
        series.removePrefix(before: series.lowerBound(bound)) { lent.append($0) }
        #expect(lent == model.filter { $0.key < bound })
        model.removeAll { $0.key < bound }
      case 10:
        let divisor = Int64.random(in: 2...5, using: &random)
        series.removeAll(mayHold: { $0 < range / 2 }, where: { $0.key % divisor == 0 && $0.key < range / 2 })
        model.removeAll { $0.key % divisor == 0 && $0.key < range / 2 }
      default: break
      }
      guard Self.rows(series) == model, series.checkInvariants("rows").isEmpty, series.lastKey == model.last?.key else {
        Issue.record(
          "step \(step): \(series.checkInvariants("rows")), \(Self.rows(series).count) rows for \(model.count)\n\(Seeds.replay(seed, "isASortedArray"))"
        )
        return
      }
      let bound = Int64.random(in: -1...range, using: &random)
      let before = series.before(series.lowerBound(bound)).map { series.key(at: $0) }
      #expect(before == model.last { $0.key < bound }?.key)
    }
  }

  private static func rows(_ series: borrowing SortedSeries<TestRow>) -> [TestRow] {
    var rows: [TestRow] = []
    var position = series.start
    while position != series.end {
      rows.append(series.row(at: position))
      position = series.after(position)
    }
    return rows
  }
}
