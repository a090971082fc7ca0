// The series that events, identities and candles are held in, with chunks so small that every seam is crossed.
// Invariant: a failing seed is printed with what to type to see it again.
// Not here: the rows that the engine holds (EngineProperties reaches those).

import Continuo
import ContinuoTestSupport
import Testing

/// A row with a column for every way to be packed: any number of 64 and of 128 bits, decimals of one scale, a constant.
private struct TestRow: PackedRow, Equatable {
  var key: Int64
  var word: Int64
  var any: Int128
  var scaled: Int128

  static var narrowCount: Int { 3 }
  static var columnCount: Int { 5 }
  static func chunkRows(_ count: Int) -> Int { count < 60 ? 4 : 8 }
  static func tailRowsMax(_ count: Int) -> Int { chunkRows(count) + 2 }
  static var lateRows: Int { 3 }
  static func isScaled(_ column: Int) -> Bool { column == 1 || column == 4 }

  func narrow(_ column: Int) -> Int64 {
    switch column {
    case 0: key
    case 1: word
    default: 7
    }
  }

  func wide(_ column: Int) -> Int128 { column == 3 ? any : scaled }

  init(key: Int64, word: Int64, any: Int128, scaled: Int128) {
    (self.key, self.word, self.any, self.scaled) = (key, word, any, scaled)
  }

  init(_ columns: some ColumnSource) {
    precondition(columns.narrow(2) == 7, "a constant column reads back")
    self.init(key: columns.narrow(0), word: columns.narrow(1), any: columns.wide(3), scaled: columns.wide(4))
  }

  static func key(_ columns: some ColumnSource) -> Int64 { columns.narrow(0) }

  static func major(_ key: Int64) -> Int64 { key }

  /// The least key.
  static func summary(_ rows: Span<TestRow>) -> Int64 { rows[0].key }
  static func summary(_ summary: Int64, with row: TestRow) -> Int64 { min(summary, row.key) }
  static func summary(_ summary: Int64, without row: TestRow) -> Int64? { summary == row.key ? nil : summary }

  static func random(_ key: Int64, using random: inout SeededGenerator) -> TestRow {
    let magnitude = Int.random(in: 0...127, using: &random)
    let any = Int128(truncatingIfNeeded: UInt128(random.next()) << 64 | UInt128(random.next())) >> Int128(magnitude)
    let scale = random.pick([1, 10, 1_000_000, 10_000_000_000, 1_000_000_000_000_000_000] as [Int128])
    let edge = random.pick([.min, .max, 0, any, any, any] as [Int128])
    let word = random.pick([.min, .max, 0, Int64(Int32.random(in: -9...99, using: &random)) * 1_000_000] as [Int64])
    return TestRow(
      key: key, word: word, any: edge, scaled: Int128(Int32.random(in: -99_999...99_999, using: &random)) * scale)
  }
}

@Suite("Sorted series")
struct SortedSeriesProperties {
  /// Rules 3.1, 3.2, 3.8, 6.2, 8: what the engine's memory rests on, held against a sorted array.
  @Test(
    "Rows go in and out anywhere: the series is a sorted array, and versions of it stay", arguments: Seeds.thisRun(300))
  func isASortedArray(seed: UInt64) {
    var random = SeededGenerator(seed: seed)
    let arena = Arena()
    var series = SortedSeries<TestRow>(arena)
    var model: [TestRow] = []
    // Versions that are still read, while the series goes on.
    var versions: [Version] = []
    let isPublishing = random.chance(50)
    if isPublishing { arena.beginPublishing() }
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
        // A key that is lost shows when the rows are compared.
        if let position = series.find(changed.key) { series.update(position) { $0 = changed } }
        model[index] = changed
      case 6...7:
        let gone = model.filter { _ in random.chance(25) }.map(\.key)
        // A key that is not there changes nothing.
        #expect(Self.remove(([-1] + gone + [range * 10]).sorted(), from: &series) == Set(gone))
        model.removeAll { gone.contains($0.key) }
      case 8:
        let bound = Int64.random(in: 0...range * 2, using: &random)
        var lent: [TestRow] = []
        series.removeSuffix(from: series.lowerBound(bound + 1)) { lent.append($0) }
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
      if isPublishing {
        versions.append(Version(sequence: arena.sequence, view: series.view, rows: model))
        while versions.count > 1, random.chance(40) { versions.removeFirst() }
        arena.advance(oldest: versions[0].sequence)
        if let changed = versions.first(where: { Self.rows($0.view) != $0.rows }) {
          Issue.record("step \(step): version \(changed.sequence) changed\n\(Seeds.replay(seed, "isASortedArray"))")
          return
        }
      }
      guard Self.rows(series.view) == model, series.checkInvariants("rows").isEmpty, series.lastKey == model.last?.key
      else {
        Issue.record(
          "step \(step): \(series.checkInvariants("rows")), \(Self.rows(series.view).count) rows for \(model.count)\n\(Seeds.replay(seed, "isASortedArray"))"
        )
        return
      }
      let bound = Int64.random(in: -1...range, using: &random)
      #expect(Self.lastKey(before: bound, series.view) == model.last { $0.key < bound }?.key)
    }
  }

  /// Takes rows out and tells which were lent.
  private static func remove(_ keys: [Int64], from series: inout SortedSeries<TestRow>) -> Set<Int64> {
    var lent: Set<Int64> = []
    series.remove(keys) { lent.insert($0.key) }
    return lent
  }

  private static func lastKey(before bound: Int64, _ series: SeriesView<TestRow>) -> Int64? {
    series.before(series.lowerBound(bound)).map { series.key(at: $0) }
  }

  /// The series as it was at some step.
  private struct Version {
    var sequence: UInt64
    var view: SeriesView<TestRow>
    var rows: [TestRow]
  }

  private static func rows(_ series: SeriesView<TestRow>) -> [TestRow] {
    var rows: [TestRow] = []
    var position = series.start
    while position != series.end {
      rows.append(series.row(at: position))
      position = series.after(position)
    }
    return rows
  }
}
