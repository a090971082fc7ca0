// What each token's volume of a day is at most: by which a ranking tells whom it need not look at.
// Invariant: a cell is not under the volume of its token's swaps of its day, as any version has them: it never shrinks, so
// that readers of an older version may read what is newer.
// Not here: who is first (Ranking), exact volumes (WindowSums).
// Source: Fagin, Lotem, Naor, "Optimal Aggregation Algorithms for Middleware", 2001.

internal import CMemory
internal import Synchronization

/// A word of a page: the bits of a Double, in units of 10^-18.
private typealias Cell = Atomic<UInt64>
/// Where a page is; 0 for none.
private typealias PageWord = Atomic<UInt64>

/// A day's pages, each for a run of tokens; there is none where no token of the run had a swap on the day.
@safe private struct DayPages: BitwiseCopyable, @unchecked Sendable {
  // SAFETY of @unchecked: the words themselves are atomic.
  static let pageTokens = 256
  static let dayMicroseconds: UInt64 = 86_400_000_000

  var start: Int64
  // SAFETY: a day has `pageCount` words, which outlive who may read them (Arena).
  var pages: UnsafeMutablePointer<PageWord>?
  var pageCount: Int

  /// No day: no instant that is accepted lies in it.
  // SAFETY: it has no words.
  static var none: DayPages { unsafe DayPages(start: .min, pages: nil, pageCount: 0) }

  @inline(__always)
  func holds(_ instant: Int64) -> Bool { UInt64(bitPattern: instant &- start) < Self.dayMicroseconds }

  @inline(__always)
  func page(_ index: Int) -> UnsafeMutablePointer<Cell>? {
    guard index < pageCount else { return nil }
    // SAFETY: index < pageCount.
    return unsafe UnsafeMutablePointer(
      bitPattern: UInt(truncatingIfNeeded: pages.unsafelyUnwrapped[index].load(ordering: .acquiring)))
  }
}

/// Upper bounds of every token's volume of each day: for the one writer.
@safe struct DayVolumes: ~Copyable {
  /// Ascending.
  private var days: ColumnHandle<DayPages>
  /// The day that was added to last.
  private var current = DayPages.none
  private let arena: Arena

  init(_ arena: Arena) {
    self.arena = arena
    days = ColumnHandle(arena, isShared: true)
  }

  /// The bounds as readers have them. O(1).
  // SAFETY: the days of a version stay as they are (ColumnHandle).
  var view: DayVolumesView { unsafe DayVolumesView(days.memory, days.count) }

  /// Adds an amount over zero to a token's volume of a day. O(1), O(log days) on another day than the last time.
  @inline(__always)
  mutating func add(_ amount: Decimal18, to token: Int, at time: Timestamp) {
    if !current.holds(time.microseconds) { select(time.startOfDay.microseconds) }
    let page = unsafe current.page(token / DayPages.pageTokens) ?? addPage(token / DayPages.pageTokens)
    // SAFETY: a page has a cell for each of its tokens, and we are the one writer.
    let cell = unsafe page + token % DayPages.pageTokens
    let before = unsafe Double(bitPattern: cell.pointee.load(ordering: .relaxed))
    let after = VolumeBound.sum(before, VolumeBound.above(amount.units))
    unsafe cell.pointee.store(after.bitPattern, ordering: .relaxed)
  }

  /// Gives back the days before the one that starts at `horizon`. O(what is given back).
  mutating func removeDays(before horizon: Timestamp) {
    var gone = 0
    while gone < days.count, days[gone].start < horizon.microseconds {
      retire(days[gone])
      gone += 1
    }
    days.removeSubrange(0..<gone)
    current = .none
  }

  /// Asks for the memory of a token's bound of a day, of one of those that there are. O(1).
  @inline(__always)
  func prefetch(_ token: Int, at time: Timestamp) {
    let index = guess(time.microseconds)
    guard index < days.count, days[index].holds(time.microseconds) else { return }
    // SAFETY: a prefetch of any address is harmless; nothing is read here.
    if let page = unsafe days[index].page(token / DayPages.pageTokens) {
      unsafe continuo_prefetch(UnsafeRawPointer(page + token % DayPages.pageTokens))
    }
  }

  /// Which day an instant lies in if there is none missing before it. O(1).
  @inline(__always)
  private func guess(_ instant: Int64) -> Int {
    guard !days.isEmpty, instant > days[0].start else { return 0 }
    return Int(UInt64(bitPattern: instant &- days[0].start) / DayPages.dayMicroseconds)
  }

  @inline(never)
  private mutating func select(_ start: Int64) {
    let index = Search.first(days.count, near: guess(start)) { days[$0].start >= start }
    if index == days.count || days[index].start != start {
      // SAFETY: it has no words yet.
      days.insert(unsafe DayPages(start: start, pages: take(16), pageCount: 16), at: index)
    }
    current = days[index]
  }

  /// Makes the page `index` of the current day.
  @inline(never)
  private mutating func addPage(_ index: Int) -> UnsafeMutablePointer<Cell> {
    if index >= current.pageCount { growCurrent(index + 1) }
    let page = unsafe take(DayPages.pageTokens)
    // SAFETY: index < pageCount now; who sees the page's address sees its zeros.
    unsafe current.pages.unsafelyUnwrapped[index].store(UInt64(UInt(bitPattern: page)), ordering: .releasing)
    return unsafe page
  }

  /// Makes room for `wanted` pages of the current day.
  private mutating func growCurrent(_ wanted: Int) {
    var count = current.pageCount
    while count < wanted { count *= 2 }
    let grown = unsafe take(count)
    let old = unsafe current.pages.unsafelyUnwrapped
    for index in 0..<current.pageCount {
      // SAFETY: both have at least pageCount words; nobody else has the new ones yet.
      unsafe grown[index].store(old[index].load(ordering: .relaxed), ordering: .relaxed)
    }
    unsafe retire(old, current.pageCount)
    unsafe current.pages = grown
    current.pageCount = count
    let start = current.start
    let index = Search.first(days.count) { days[$0].start >= start }
    days[index] = current
  }

  /// Words that are zero.
  private func take(_ count: Int) -> UnsafeMutablePointer<Atomic<UInt64>> {
    let words = unsafe arena.take(count * 8).bindMemory(to: Atomic<UInt64>.self, capacity: count)
    // SAFETY: the block has room for `count` words.
    for index in 0..<count { unsafe (words + index).initialize(to: Atomic(0)) }
    return unsafe words
  }

  private func retire(_ words: UnsafeMutablePointer<Atomic<UInt64>>, _ count: Int) {
    // SAFETY: taken by `take` with this count; versions that have them keep them (Arena).
    unsafe arena.retire(UnsafeMutableRawPointer(words), count * 8)
  }

  private func retire(_ day: DayPages) {
    for index in 0..<day.pageCount {
      // SAFETY: pages were taken in `addPage`, and no other day has them.
      if let page = unsafe day.page(index) { unsafe retire(page, DayPages.pageTokens) }
    }
    // SAFETY: taken in `select` or `growCurrent`.
    unsafe retire(day.pages.unsafelyUnwrapped, day.pageCount)
  }

  deinit {
    for index in 0..<days.count { retire(days[index]) }
  }
}

/// The bounds as one version has them; cells may be newer, and greater.
@safe struct DayVolumesView: BitwiseCopyable {
  private let days: UnsafePointer<DayPages>?
  private let count: Int

  // SAFETY: as in `DayVolumes.view`.
  @inline(__always)
  fileprivate init(_ days: UnsafePointer<DayPages>?, _ count: Int) {
    unsafe self.days = days
    self.count = count
  }

  private func day(_ index: Int) -> DayPages {
    precondition(index >= 0 && index < count, "days are read within their count")
    // SAFETY: index < count; the slots of a version stay as they are (ColumnHandle).
    return unsafe days.unsafelyUnwrapped[index]
  }

  /// What each token's volume from one instant up to another is at most, by number; 0 without a swap on those days.
  /// O(tokens × days).
  func bounds(from first: Timestamp, through last: Timestamp, tokens: Int) -> [Double] {
    var bounds = [Double](repeating: 0, count: tokens)
    var index = Search.first(count) { day($0).start >= first.startOfDay.microseconds }
    while index < count, day(index).start <= last.microseconds {
      add(day(index), to: &bounds)
      index += 1
    }
    return bounds
  }

  private func add(_ day: DayPages, to bounds: inout [Double]) {
    var bounds = bounds.mutableSpan
    for start in stride(from: 0, to: bounds.count, by: DayPages.pageTokens) {
      guard let page = unsafe day.page(start / DayPages.pageTokens) else { continue }
      for cell in 0..<min(DayPages.pageTokens, bounds.count - start) {
        // SAFETY: a page has a cell for each of its tokens.
        let volume = unsafe Double(bitPattern: page[cell].load(ordering: .relaxed))
        bounds[start + cell] = VolumeBound.sum(bounds[start + cell], volume)
      }
    }
  }
}

// SAFETY: the words themselves are atomic; what else it refers to does not change, and outlives who may read it (Arena).
extension DayVolumesView: @unchecked Sendable {}
