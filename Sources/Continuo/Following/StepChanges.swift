// Where a step changed candles: of each token the earliest instant.
// Invariant: nothing is noted while nobody follows, which costs an event one look; behind a step nothing is left.
// Not here: what is remembered of past steps (CandleChanges), which stretches are to be kept again (ChangedTimes).

/// A change of one token's candles in one step.
package struct StepChange: BitwiseCopyable, Sendable {
  /// The token's number.
  package var token: UInt32
  /// The earliest instant of an event that was accepted or undone.
  package var earliest: Timestamp
  /// Whether any was undone, so that candles may be gone.
  package var isUndone: Bool

  package init(token: UInt32, earliest: Timestamp, isUndone: Bool) {
    (self.token, self.earliest, self.isUndone) = (token, earliest, isUndone)
  }
}

/// What the step at hand has changed so far.
struct StepChanges: ~Copyable {
  /// Whether changes are noted.
  var isOn = false
  /// By token's number; the latest instant there is where nothing changed.
  private var earliest: ColumnHandle<Int64>
  private var undone: Set<UInt32> = []

  init(_ arena: Arena) { earliest = ColumnHandle(arena) }

  /// Notes that a swap was accepted or undone. O(1) amortised.
  @inline(__always)
  mutating func note(_ token: Int, _ instant: Timestamp, isUndone: Bool = false) {
    if isOn { add(token, instant.microseconds, isUndone) }
  }

  @inline(never)
  private mutating func add(_ token: Int, _ instant: Int64, _ isUndone: Bool) {
    while earliest.count <= token { earliest.append(.max) }
    if instant < earliest[token] { earliest[token] = instant }
    if isUndone { undone.insert(UInt32(truncatingIfNeeded: token)) }
  }

  /// What has changed of a token; it is not noted any more then. nil where nothing has. O(1).
  mutating func take(_ token: Int) -> StepChange? {
    guard token < earliest.count, earliest[token] != .max else { return nil }
    let number = UInt32(truncatingIfNeeded: token)
    defer { earliest[token] = .max }
    return StepChange(
      token: number, earliest: Timestamp(microseconds: earliest[token]), isUndone: undone.remove(number) != nil)
  }
}

extension Engine {
  /// Begins to note what changes, if somebody follows by now. Before the first change of a step. O(1).
  @inline(__always)
  mutating func beginStep() {
    // What is held back has begun already: a part of its changes would be no feed.
    if let readers, !isHeld, !stepChanges.isOn, readers.changes.isWanted { beginFollowing(readers) }
  }

  /// The same behind a step whose changes were not noted: who read the version before has all of its tokens read again.
  @inline(never)
  mutating func beginFollowing(_ readers: Publication, behind tokens: [UInt32]) {
    beginFollowing(readers)
    let changes = tokens.map { StepChange(token: $0, earliest: .first, isUndone: true) }
    readers.changes.ring(readers.version, changes, engineClock.now)
    if readers.changes.isHeard, !tokens.isEmpty { readers.changes.tell(tokens, changes) }
  }

  @inline(never)
  private mutating func beginFollowing(_ readers: Publication) {
    stepChanges.isOn = true
    readers.changes.begin(behind: readers.version)
  }

  /// What the step has changed, for who follows. O(tokens changed).
  mutating func takeStepChanges() -> [StepChange] {
    var changes: [StepChange] = []
    changes.reserveCapacity(changedTokens.count)
    for index in 0..<changedTokens.count {
      if let change = stepChanges.take(Int(changedTokens[index])) { changes.append(change) }
    }
    return changes
  }
}
