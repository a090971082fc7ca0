// Which stretches of time have changed since somebody kept them: what is to be kept again.
// Invariant: a stretch in which an event was accepted or undone since then is among them.
// Not here: who keeps them (ContinuoStorage), what is in them (HeldEvents).

/// Stretches of four hours, by number: stretch n begins n × four hours behind the epoch.
package struct ChangedTimes: Sendable {
  /// How long a stretch is, in microseconds: a bucket of 4h.
  package static let length: Int64 = 14_400_000_000

  /// The stretches, in no order.
  package private(set) var stretches: Set<Int64> = []
  /// Where the stretch begins that was noted last. Nothing is noted until somebody asks for it.
  private var start = Timestamp(microseconds: .min)
  private var reach: UInt64 = .max
  /// Stretches that are noted already, by the lowest bits of their number.
  private var recent = [64 of Int64](repeating: .min)

  /// Whether what is left of dropped events has changed.
  package private(set) var areBasesChanged = false

  init() {}

  /// Where a stretch begins. O(1).
  package static func start(_ stretch: Int64) -> Timestamp { Timestamp(microseconds: stretch &* length) }

  /// The stretch that an instant lies in. O(1).
  package static func stretch(_ instant: Timestamp) -> Int64 {
    let (quotient, rest) = instant.microseconds.quotientAndRemainder(dividingBy: length)
    return rest < 0 ? quotient - 1 : quotient
  }

  /// Begins to note what changes. O(1).
  mutating func begin() {
    guard reach == .max else { return }
    (start, reach) = (Timestamp(microseconds: .min), 0)
  }

  /// Notes that something changed at an instant. O(1).
  @inline(__always)
  mutating func note(_ instant: Timestamp) {
    if UInt64(bitPattern: instant.microseconds &- start.microseconds) >= reach { add(instant) }
  }

  @inline(never)
  private mutating func add(_ instant: Timestamp) {
    // While nobody asks the reach is all of time, but for one instant.
    guard reach != .max else { return }
    let stretch = Self.stretch(instant)
    (start, reach) = (Self.start(stretch), UInt64(Self.length))
    let place = Int(stretch & 63)
    guard recent[place] != stretch else { return }
    recent[place] = stretch
    stretches.insert(stretch)
  }

  /// Notes that what is left of dropped events has changed. O(1).
  mutating func noteBases() { areBasesChanged = true }

  /// The stretches that changed, and whether bases have; none is from now on. O(1).
  mutating func take() -> (stretches: Set<Int64>, areBasesChanged: Bool) {
    let taken = (stretches, areBasesChanged)
    stretches = []
    areBasesChanged = false
    (start, reach) = (Timestamp(microseconds: .min), reach == .max ? .max : 0)
    recent = .init(repeating: .min)
    return taken
  }

  /// Notes again what was taken: keeping it failed. O(stretches).
  mutating func giveBack(_ taken: Set<Int64>, _ areBasesChanged: Bool) {
    stretches.formUnion(taken)
    self.areBasesChanged = self.areBasesChanged || areBasesChanged
  }
}
