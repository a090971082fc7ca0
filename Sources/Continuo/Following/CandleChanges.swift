// What is remembered of the steps that changed candles: of each token since which instant they are others than at a version.
// Invariant: who asks for the changes since a version gets every one of them, or is told that they are not known any more; what is
// told may begin earlier than the first change, by less than a minute.
// Not here: noting within a step (StepChanges), what followers are sent (CandleFeed).

internal import Synchronization

/// What has changed of a token's candles since a version.
package enum CandleChange: Equatable {
  case none
  /// Candles from this instant on; whether some may be gone.
  case since(Timestamp, isUndone: Bool)
  case unknown
}

/// The changes of one token, as far back as they are kept.
package struct TokenChanges: Sendable {
  /// So many minutes with changes at least are told apart: so far back it is known what has changed.
  package static let entriesMax = 64

  /// Versions ascending, and so are the instants: an entry that a later one reaches behind is not needed any more.
  private var entries: [(version: UInt64, earliest: Timestamp)] = []
  /// The last version with an entry that was dropped.
  private var forgotten: UInt64 = 0
  private var undone: UInt64 = 0

  package init() {}

  /// Notes a change that a version has. O(1) amortised.
  package mutating func note(_ version: UInt64, _ earliest: Timestamp, isUndone: Bool) {
    if isUndone { undone = version }
    while let last = entries.last, last.earliest >= earliest { entries.removeLast() }
    // No candle is shorter than a minute.
    if let last = entries.last, Interval.oneMinute.start(of: last.earliest) == Interval.oneMinute.start(of: earliest) {
      entries[entries.count - 1].version = version
      return
    }
    entries.append((version, earliest))
    // Half of them at a time: dropping one moves all the others.
    guard entries.count >= 2 * Self.entriesMax else { return }
    forgotten = entries[Self.entriesMax - 1].version
    entries.removeFirst(Self.entriesMax)
  }

  /// What has changed since a version. O(entries).
  package func since(_ version: UInt64) -> CandleChange {
    guard version >= forgotten else { return .unknown }
    guard let first = entries.first(where: { $0.version > version }) else { return .none }
    return .since(first.earliest, isUndone: undone > version)
  }
}

/// Who is told of each step: the tokens that it changed in any way, and where their candles changed. It must return soon.
package typealias ChangeListener = @Sendable (_ tokens: [UInt32], _ candles: [StepChange]) -> Void

extension Publication {
  /// Tells somebody of every token that a step changes, from the next step on and for good. O(1).
  package func listen(_ listener: @escaping ChangeListener) { changes.add(listener) }
}

/// The changes of all tokens, written by the engine, asked by feeds.
final class CandleChanges: Sendable {
  private struct State {
    /// From the version behind this one on changes are noted; nil: they are not yet.
    var start: UInt64?
    /// Up to this version followers have been woken.
    var rung: UInt64 = 0
    /// By token's number.
    var tokens: [TokenChanges] = []
    var bells: [FeedBell] = []
    var listeners: [ChangeListener] = []
  }

  private let state = Mutex(State())
  private let wanted = Atomic<Bool>(false)
  private let heard = Atomic<Bool>(false)

  /// Whether somebody follows: from then on for good.
  var isWanted: Bool { wanted.load(ordering: .relaxed) }

  /// Rings a bell from now on. O(bells).
  func add(_ bell: FeedBell) {
    state.withLock { state in if !state.bells.contains(where: { $0 === bell }) { state.bells.append(bell) } }
    wanted.store(true, ordering: .sequentiallyConsistent)
  }

  /// Rings a bell no more. O(bells).
  func remove(_ bell: FeedBell) { state.withLock { state in state.bells.removeAll { $0 === bell } } }

  /// Tells somebody of every token that a step changes, from now on and for good. O(1).
  func add(_ listener: @escaping ChangeListener) {
    state.withLock { $0.listeners.append(listener) }
    heard.store(true, ordering: .releasing)
    wanted.store(true, ordering: .sequentiallyConsistent)
  }

  /// Whether there is somebody to tell.
  var isHeard: Bool { heard.load(ordering: .acquiring) }

  /// Tells which tokens a step changed, once it can be seen, on the writer's thread. O(listeners).
  func tell(_ tokens: [UInt32], _ changes: [StepChange]) {
    for listener in state.withLock({ $0.listeners }) { listener(tokens, changes) }
  }

  /// From here on it is the engine that notes. O(1).
  func begin(behind version: UInt64) { state.withLock { ($0.start, $0.rung) = (version, version) } }

  /// The version up to which followers have been woken; nil where nothing is noted yet. O(1).
  var rung: UInt64? { state.withLock { $0.start == nil ? nil : $0.rung } }

  /// Remembers what a version changed, before anybody can see it. O(changes).
  func note(_ version: UInt64, _ changes: [StepChange]) {
    guard !changes.isEmpty else { return }
    state.withLock { state in
      for change in changes {
        let token = Int(change.token)
        while state.tokens.count <= token { state.tokens.append(TokenChanges()) }
        state.tokens[token].note(version, change.earliest, isUndone: change.isUndone)
      }
    }
  }

  /// Tells who follows, once the version can be seen. O(changes × feeds).
  func ring(_ version: UInt64, _ changes: [StepChange], _ clock: Timestamp?) {
    for bell in state.withLock({ $0.bells }) { bell.ring(changes, clock) }
    state.withLock { $0.rung = version }
  }

  /// What has changed of a token since a version. O(1).
  func since(_ version: UInt64, of token: TokenID) -> CandleChange {
    state.withLock { state in
      guard let start = state.start else { return .none }
      guard version >= start else { return .unknown }
      return token.index < state.tokens.count ? state.tokens[token.index].since(version) : .none
    }
  }
}

extension Publication {
  /// What has changed of a token's candles since a version that was read once a feed had begun; the horizon's moves do not count. O(1).
  package func candles(of token: TokenID, since version: UInt64) -> CandleChange { changes.since(version, of: token) }
}

/// Wakes a feed when a token that it follows has changed.
final class FeedBell: Sendable {
  private struct State {
    /// By token's number.
    var followed: [Bool] = []
    var changed: Set<UInt32> = []
    /// How many tokens there were when names were looked up that had none, as far as is known here; nil: nobody waits.
    var known: Int?
    var hasNew = false
    /// The minute that the engine's clock was in: with its end candles are closed.
    var minute: Timestamp?
  }

  private let state = Mutex(State())
  private let wakes: AsyncStream<Void>.Continuation

  init(_ wakes: AsyncStream<Void>.Continuation) { self.wakes = wakes }

  /// Wakes the feed. O(1).
  func wake() { wakes.yield() }

  /// Ends the feed's walk.
  func end() { wakes.finish() }

  /// Called by the writer. O(changes).
  func ring(_ changes: [StepChange], _ clock: Timestamp?) {
    let minute = clock.map { Interval.oneMinute.start(of: $0) }
    let isHeard = state.withLock { state in
      let isLater = state.minute != minute
      state.minute = minute
      let before = state.changed.count
      for change in changes {
        let token = Int(change.token)
        if token < state.followed.count, state.followed[token] { state.changed.insert(change.token) }
        if let known = state.known, token >= known { (state.known, state.hasNew) = (token + 1, true) }
      }
      return state.changed.count > before || state.hasNew || isLater
    }
    if isHeard { wake() }
  }

  /// Follows a token, which counts as changed: nobody knows what came before. O(1) amortised.
  func follow(_ token: TokenID) {
    state.withLock { state in
      while state.followed.count <= token.index { state.followed.append(false) }
      state.followed[token.index] = true
      state.changed.insert(UInt32(truncatingIfNeeded: token.index))
    }
    wake()
  }

  func unfollow(_ token: TokenID) {
    state.withLock { if token.index < $0.followed.count { $0.followed[token.index] = false } }
  }

  /// Waits for new tokens: any that was not there before counts, and one may have come just now. O(1).
  func awaitTokens() {
    state.withLock { ($0.known, $0.hasNew) = ($0.known ?? 0, true) }
    wake()
  }

  /// What has changed since it was last asked, and whether there are new tokens. O(1).
  func take() -> (changed: Set<UInt32>, hasNew: Bool) {
    state.withLock { state in
      defer { (state.changed, state.hasNew) = ([], false) }
      return (state.changed, state.hasNew)
    }
  }
}
