// The first so many of whatever is offered.
// Invariant: a heap whose root is the last of those that are kept; nothing that is kept comes behind what was let go.
// Not here: what comes before what (Ranking).

/// Keeps the first `limit` of what is offered.
struct Leaders<Element: BitwiseCopyable> {
  private let limit: Int
  private let precedes: (Element, Element) -> Bool
  private var kept: [Element] = []

  /// - Parameter precedes: whether one comes before another: a total order.
  init(limit: Int, by precedes: @escaping (Element, Element) -> Bool) {
    self.limit = limit
    self.precedes = precedes
    kept.reserveCapacity(limit)
  }

  var isFull: Bool { kept.count == limit }
  /// What is let go next.
  var last: Element? { kept.first }

  /// Takes something in, if it is among the first. O(log limit).
  mutating func offer(_ element: Element) {
    if kept.count < limit {
      kept.append(element)
      var child = kept.count - 1
      while child > 0 {
        let parent = (child - 1) / 2
        guard precedes(kept[parent], kept[child]) else { break }
        kept.swapAt(parent, child)
        child = parent
      }
    } else if limit > 0, precedes(element, kept[0]) {
      kept[0] = element
      sink()
    }
  }

  private mutating func sink() {
    var parent = 0
    while true {
      var child = 2 * parent + 1
      guard child < kept.count else { return }
      if child + 1 < kept.count, precedes(kept[child], kept[child + 1]) { child += 1 }
      guard precedes(kept[parent], kept[child]) else { return }
      kept.swapAt(parent, child)
      parent = child
    }
  }

  /// All that are kept, in order. O(limit × log limit).
  func sorted() -> [Element] { kept.sorted(by: precedes) }
}
