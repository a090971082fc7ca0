// A race on purpose: the thread sanitizer must report it, or its silence about the other tests says nothing.
// Invariant: runs only where CONTINUO_RACE is set (tools/test), and then is expected to be reported.
// Not here: what must not race (ReadingProperties).

import Continuo
import ContinuoTestSupport
import Foundation
import Synchronization
import Testing

@Suite("A race on purpose", .enabled(if: ProcessInfo.processInfo.environment["CONTINUO_RACE"] != nil))
struct RaceCanary {
  /// A series that nobody published: it is written in place, while another thread reads a view of it.
  @Test("A view without a version is written under its reader")
  func raceOnPurpose() {
    var series = SortedSeries<CanaryRow>(Arena())
    for key in 0..<4 { series.insert(CanaryRow(key: Int64(key), value: 0)) }
    let (view, isOver) = (series.view, Flag())
    let sums = Threads.run(1) { _ in
      var sum: Int64 = 0
      while !isOver.isSet.load(ordering: .relaxed) { sum &+= view.row(at: view.start).value }
      return sum
    } while: {
      for value in 0..<Int64(50) {
        series.update(series.start) { $0.value = value }
        usleep(100)
      }
      isOver.isSet.store(true, ordering: .relaxed)
    }
    #expect(sums.count == 1)
  }
}

private final class Flag: Sendable {
  let isSet = Atomic<Bool>(false)
}

private struct CanaryRow: PackedRow {
  var key: Int64
  var value: Int64

  static var narrowCount: Int { 2 }
  static var columnCount: Int { 2 }
  static func chunkRows(_ count: Int) -> Int { 16 }
  static func tailRowsMax(_ count: Int) -> Int { 18 }
  static func isScaled(_ column: Int) -> Bool { false }

  func narrow(_ column: Int) -> Int64 { column == 0 ? key : value }
  func wide(_ column: Int) -> Int128 { 0 }

  init(key: Int64, value: Int64) { (self.key, self.value) = (key, value) }
  init(_ columns: some ColumnSource) { self.init(key: columns.narrow(0), value: columns.narrow(1)) }
  static func key(_ columns: some ColumnSource) -> Int64 { columns.narrow(0) }
  static func major(_ key: Int64) -> Int64 { key }

  static func summary(_ rows: Span<CanaryRow>) -> Int64 { 0 }
  static func summary(_ summary: Int64, with row: CanaryRow) -> Int64 { 0 }
  static func summary(_ summary: Int64, without row: CanaryRow) -> Int64? { 0 }
}
