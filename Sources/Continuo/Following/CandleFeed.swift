// Candles as they change, for those who follow them: each change once, soon, and only the newest of many.
// Invariant: who applies what is sent to an answer that is no older than the beginning has the engine's candles at the end; the
// writer is never waited for, nor does it wait for a follower.
// Not here: what has changed (CandleChanges), what one pair is sent (FollowedPair), waiting for a reader (CandleSubscription).
// Rules 12.1.

internal import Synchronization

/// A token and an interval.
public struct CandlePair: Hashable, Sendable {
  /// The token's name; it need not have traded yet.
  public let token: ByteString
  /// How long the candles are.
  public let interval: Interval

  /// O(1).
  public init(_ token: ByteString, _ interval: Interval) { (self.token, self.interval) = (token, interval) }
}

/// Tells followers of one engine's candles.
///
///     let feed = CandleFeed(engine.publication())
///     for await update in feed.updates(of: "ART", interval: .oneMinute) { print(update.change) }
public final class CandleFeed: Sendable {
  /// How a feed is set up.
  public struct Options: Sendable {
    /// A pair is told of at most once in so long; what changes meanwhile is told at its end.
    public var window: Duration = .milliseconds(250)
    /// What time it is for an engine whose own clock says so: by it candles are closed, also where nothing is traded. nil: they
    /// are when the engine's clock comes behind them.
    public var clock: (@Sendable (Timestamp?) -> Timestamp?)?
    /// How far everything is that a version holds which is read behind this call; nil: versions are counted.
    public var sequence: (@Sendable () -> UInt64)?

    /// O(1).
    public init() {}
  }

  private struct State {
    var pairs: [CandlePair: FollowedPair] = [:]
    /// The pairs of a token, by its number.
    var byToken: [UInt32: Set<CandlePair>] = [:]
    /// Pairs whose token has no event yet.
    var unnamed: Set<CandlePair> = []
    /// Pairs that have something to tell.
    var due: Set<CandlePair> = []
    var places = FeedPlaces()
    /// Up to where everything was told that was not held back.
    var told: UInt64 = 0
    var subscriptions: [Int: WeakSubscription] = [:]
    var next = 0
    /// The bucket of each interval that the clock was in.
    var buckets: [Interval: Timestamp] = [:]
    var alarm: (at: ContinuousClock.Instant, task: Task<Void, Never>)?
    var isOver = false
  }

  private struct WeakSubscription {
    weak var subscription: CandleSubscription?
  }

  private let publication: Publication
  private let options: Options
  private let state = Mutex(State())
  private let bell: FeedBell

  /// Makes a feed of what an engine publishes. It costs nothing until somebody follows, and from then on each step O(tokens changed).
  public init(_ publication: Publication, _ options: Options = Options()) {
    (self.publication, self.options) = (publication, options)
    let (wakes, continuation) = AsyncStream<Void>.makeStream(bufferingPolicy: .bufferingNewest(1))
    bell = FeedBell(continuation)
    Task.detached { [weak self] in
      for await _ in wakes { self?.tell() }
    }
  }

  deinit {
    publication.changes.remove(bell)
    bell.end()
  }

  /// Notes changes from now on, so that who follows later is not told to begin anew. O(1).
  public func begin() { publication.changes.add(bell) }

  /// How many follow. O(subscriptions).
  public var followers: Int { state.withLock { $0.subscriptions.count } }

  /// Ends every subscription, once what waits is taken, and takes no more. O(subscriptions).
  public func end() {
    let all = state.withLock { state in
      state.isOver = true
      state.alarm?.task.cancel()
      return state.subscriptions.values.compactMap(\.subscription)
    }
    for subscription in all { subscription.end() }
  }

  // MARK: following

  /// The updates of one token's candles: first the newest one. O(1).
  public func updates(of token: ByteString, interval: Interval) -> CandleUpdates {
    CandleUpdates(subscription: subscribe([CandlePair(token, interval)]))
  }

  /// Follows pairs: first come the newest candles, or what changed behind a sequence that was told before. O(pairs).
  ///
  /// - Parameters:
  ///   - pairs: each counts once.
  ///   - sequence: what the last update told; nil begins anew.
  public func subscribe(_ pairs: [CandlePair], after sequence: UInt64? = nil) -> CandleSubscription {
    var (unique, seen) = ([CandlePair](), Set<CandlePair>())
    for pair in pairs where seen.insert(pair).inserted { unique.append(pair) }
    publication.changes.add(bell)
    var reader = publication.reader()
    return state.withLock { state in
      let subscription = CandleSubscription(state.next, unique, self)
      guard !state.isOver else {
        subscription.end()
        return subscription
      }
      state.subscriptions[state.next] = WeakSubscription(subscription: subscription)
      state.next += 1
      // Followed before it is looked at: whatever comes behind the look rings the bell.
      for pair in unique where state.pairs[pair] == nil {
        name(pair, reader.read { $0.number(of: pair.token) }, &state)
      }
      let (rung, told) = (publication.changes.rung, options.sequence?())
      reader.read { market in
        let place = place(market, told, rung)
        let since = sequence.map { state.places.place($0, now: place.sequence) }
        var updates: [CandleUpdate] = []
        for pair in unique {
          var followed = state.pairs[pair] ?? FollowedPair(pair)
          if followed.followers.isEmpty {
            followed.number = followed.number ?? market.number(of: pair.token)
            followed.begin(market, place)
          }
          followed.followers.append(subscription.number)
          updates += followed.beginning(market, place, since: since, publication.changes)
          state.pairs[pair] = followed
        }
        state.places.note(place)
        if !updates.isEmpty { updates[updates.count - 1].sequence = place.sequence }
        subscription.put(updates)
        if state.buckets.isEmpty { noteBuckets(place.clock, &state) }
        setAlarm(place.clock, &state)
      }
      return subscription
    }
  }

  /// Notes a pair under its token's number, or that it has none yet.
  private func name(_ pair: CandlePair, _ token: TokenID?, _ state: inout State) {
    var followed = state.pairs[pair] ?? FollowedPair(pair)
    followed.number = token
    state.pairs[pair] = followed
    if let token {
      state.unnamed.remove(pair)
      state.byToken[UInt32(truncatingIfNeeded: token.index), default: []].insert(pair)
      bell.follow(token)
    } else {
      state.unnamed.insert(pair)
      bell.awaitTokens()
    }
  }

  /// A subscription is gone.
  func leave(_ number: Int, _ pairs: [CandlePair]) {
    state.withLock { state in
      guard state.subscriptions.removeValue(forKey: number) != nil else { return }
      for pair in pairs {
        guard var followed = state.pairs[pair] else { continue }
        followed.followers.removeAll { $0 == number }
        guard followed.followers.isEmpty else {
          state.pairs[pair] = followed
          continue
        }
        state.pairs[pair] = nil
        state.unnamed.remove(pair)
        state.due.remove(pair)
        guard let token = followed.number else { continue }
        let key = UInt32(truncatingIfNeeded: token.index)
        state.byToken[key]?.remove(pair)
        if state.byToken[key]?.isEmpty ?? false {
          state.byToken[key] = nil
          bell.unfollow(token)
        }
      }
    }
  }

  // MARK: telling

  /// Whether nothing waits for the end of its window: for tests. O(1).
  package var isQuiet: Bool { state.withLock { $0.due.isEmpty } }

  /// Tells followers what has changed, as far as it is time for it. O(pairs that changed × their followers).
  package func tell() {
    var reader = publication.reader()
    // They may be the last references: who goes leaves the feed, for which the state must be free.
    let followers = state.withLock { state -> [CandleSubscription] in
      guard !state.isOver, !state.pairs.isEmpty else { return [] }
      // In this order: what was rung for up to here is taken, and is in what is read.
      let rung = publication.changes.rung
      let (changed, hasNew) = bell.take()
      let told = options.sequence?()
      return reader.read { market in
        let place = place(market, told, rung)
        if hasNew {
          for pair in state.unnamed {
            guard let token = market.number(of: pair.token) else { continue }
            name(pair, token, &state)
            mark(pair, &state)
          }
        }
        for token in changed { for pair in state.byToken[token] ?? [] { mark(pair, &state) } }
        markClosed(place.clock, &state)
        let followers = send(market, place, &state)
        state.places.note(place)
        state.told = place.sequence
        setAlarm(place.clock, &state)
        return followers
      }
    }
    withExtendedLifetime(followers) {}
  }

  /// Notes that a pair has something to tell, and up to where its followers have everything: what was told before.
  private func mark(_ pair: CandlePair, _ state: inout State) {
    if state.due.insert(pair).inserted { state.pairs[pair]?.complete = state.told }
  }

  /// Notes the pairs whose newest candle was open and is not any more.
  private func markClosed(_ clock: Timestamp?, _ state: inout State) {
    guard let clock else { return }
    let ended = Interval.allCases.filter { state.buckets[$0] != $0.start(of: clock) }
    guard !ended.isEmpty else { return }
    noteBuckets(clock, &state)
    for (pair, followed) in state.pairs where ended.contains(pair.interval) && followed.isToClose(clock) {
      mark(pair, &state)
    }
  }

  private func noteBuckets(_ clock: Timestamp?, _ state: inout State) {
    guard let clock else { return }
    for interval in Interval.allCases { state.buckets[interval] = interval.start(of: clock) }
  }

  private func send(
    _ market: borrowing Snapshot, _ place: FeedPlace, _ state: inout State
  ) -> [CandleSubscription] {
    let now = ContinuousClock.now
    var sent: [Int: [CandleUpdate]] = [:]
    var waiting: Set<CandlePair> = []
    var complete = place.sequence
    for pair in state.due {
      guard var followed = state.pairs[pair] else { continue }
      if let last = followed.told, last + options.window > now {
        waiting.insert(pair)
        if let earlier = followed.complete { complete = min(complete, earlier) }
        continue
      }
      let updates = followed.updates(market, place, publication.changes)
      if !updates.isEmpty { followed.told = now }
      state.pairs[pair] = followed
      for number in followed.followers { sent[number, default: []] += updates }
    }
    state.due = waiting
    var followers: [CandleSubscription] = []
    for (number, updates) in sent where !updates.isEmpty {
      guard let follower = state.subscriptions[number]?.subscription else { continue }
      var updates = updates
      updates[updates.count - 1].sequence = complete
      follower.put(updates)
      followers.append(follower)
    }
    return followers
  }

  /// The moment of a version.
  ///
  /// - Parameters:
  ///   - told: what its sequence is, asked before.
  ///   - rung: up to where the bell had been rung before.
  private func place(_ market: borrowing Snapshot, _ told: UInt64?, _ rung: UInt64?) -> FeedPlace {
    // Where nothing was noted then, and nothing is now, the version has no change that was.
    let complete = rung ?? publication.changes.rung ?? market.version
    return FeedPlace(
      sequence: told ?? market.version, version: min(market.version, complete), clock: clock(market.clock))
  }

  private func clock(_ own: Timestamp?) -> Timestamp? { options.clock.map { $0(own) } ?? own }

  /// Wakes at the end of the first window that something waits for, or of the minute: a candle may be closed then.
  private func setAlarm(_ clock: Timestamp?, _ state: inout State) {
    let now = ContinuousClock.now
    var at: ContinuousClock.Instant?
    for pair in state.due {
      guard let told = state.pairs[pair]?.told else { continue }
      at = min(at ?? told + options.window, told + options.window)
    }
    if options.clock != nil, let clock {
      let end = Interval.oneMinute.next(Interval.oneMinute.start(of: clock))
      let minute = now + .microseconds(end.microseconds - clock.microseconds)
      at = min(at ?? minute, minute)
    }
    guard let at else { return }
    if let alarm = state.alarm, alarm.at <= at, alarm.at > now { return }
    state.alarm?.task.cancel()
    state.alarm = (
      at,
      Task.detached { [bell] in
        try? await Task.sleep(until: at, tolerance: .zero)
        if !Task.isCancelled { bell.wake() }
      }
    )
  }
}

extension Publication {
  /// The updates of one token's candles, by a feed of their own: first the newest one. O(1).
  ///
  ///     for await update in publication.updates(of: "ART", interval: .oneHour) { print(update.change) }
  public func updates(of token: ByteString, interval: Interval) -> CandleUpdates {
    CandleFeed(self).updates(of: token, interval: interval)
  }
}
