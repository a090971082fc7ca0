// What a follower is sent of candles that change, and the queue in which it waits.
// Invariant: of one candle at most one update waits, the newest; what waits is bounded, whatever the reader does; an update's
// sequence is told with the last one of those that have it, so nothing before a sequence that was told is missing.
// Not here: which updates there are (CandleFeed).

internal import Synchronization

/// A change of a token's candles.
public struct CandleUpdate: Equatable, Sendable {
  /// What changed.
  public enum Change: Equatable, Sendable {
    /// This candle is what it is now.
    case candle(Bar)
    /// There is no candle in this bucket any more: what was in it was undone.
    case deleted(bucket: Timestamp)
    /// Candles from this bucket on have changed, or all of them: they are to be asked for again.
    case reset(from: Timestamp?)
  }

  /// The token's name.
  public let token: ByteString
  /// How long the candles are.
  public let interval: Interval
  /// What changed.
  public let change: Change
  /// Who asks for what came behind this sequence misses nothing; nil where more of the same moment follows.
  public internal(set) var sequence: UInt64?
}

/// The updates of candles, as they come: a sequence that ends when its feed does, or the task is cancelled.
///
/// It has one reader at a time. Who reads slowly gets fewer updates, never old ones.
public struct CandleUpdates: AsyncSequence, Sendable {
  let subscription: CandleSubscription

  /// Reads updates.
  public struct AsyncIterator: AsyncIteratorProtocol {
    let subscription: CandleSubscription
    var taken: ArraySlice<CandleUpdate> = []

    /// Waits for the next update; nil at the end. O(1).
    public mutating func next() async -> CandleUpdate? {
      while taken.isEmpty {
        guard let more = await subscription.next() else { return nil }
        taken = more[...]
      }
      return taken.removeFirst()
    }
  }

  public func makeAsyncIterator() -> AsyncIterator { AsyncIterator(subscription: subscription) }
}

/// One follower's place in a feed. It is left when the last reference goes.
public final class CandleSubscription: Sendable {
  fileprivate struct Key: Hashable {
    let token: ByteString
    let interval: Interval
    /// nil for a reset.
    let bucket: Timestamp?

    init(_ update: CandleUpdate) {
      (token, interval) = (update.token, update.interval)
      switch update.change {
      case .candle(let bar): bucket = bar.bucket
      case .deleted(let deleted): bucket = deleted
      case .reset: bucket = nil
      }
    }
  }

  fileprivate struct Queue {
    /// In the order in which they are sent.
    var updates: [CandleUpdate] = []
    var places: [Key: Int] = [:]
    var waiting: CheckedContinuation<Void, Never>?
    var isWoken = false
    var isOver = false
  }

  /// So many updates wait at most, or four for each pair, whichever is more: who is behind them begins anew.
  static let waitingMax = 1024

  private let queue = Mutex(Queue())
  let number: Int
  private let pairs: [CandlePair]
  private let feed: CandleFeed

  init(_ number: Int, _ pairs: [CandlePair], _ feed: CandleFeed) {
    (self.number, self.pairs, self.feed) = (number, pairs, feed)
  }

  deinit { feed.leave(number, pairs) }

  /// Changes the queue, and lets who waits look at it.
  private func change(_ body: (inout Queue) -> Void) {
    let waiting = queue.withLock { queue -> CheckedContinuation<Void, Never>? in
      body(&queue)
      defer { queue.waiting = nil }
      return queue.waiting
    }
    waiting?.resume()
  }

  /// Puts updates of one moment into the queue. O(updates).
  func put(_ updates: [CandleUpdate]) {
    change { queue in
      guard !queue.isOver else { return }
      for update in updates { queue.put(update, Key(update)) }
      if queue.places.count > max(Self.waitingMax, 4 * pairs.count) { queue.beginAnew(pairs, updates.last?.sequence) }
    }
  }

  /// Sends nothing more, once what waits is taken. O(1).
  public func end() { change { $0.isOver = true } }

  /// Lets who waits go on with nothing: there is something else to do. O(1).
  public func wake() { change { $0.isWoken = true } }

  /// Everything that waits; if nothing does, what comes next, or nothing behind a ``wake()``. nil at the end. One caller at a time.
  /// O(updates).
  public func next() async -> [CandleUpdate]? {
    while true {
      let (taken, isOver, isWoken) = queue.withLock { queue in
        defer { queue.isWoken = false }
        return (queue.take(), queue.isOver, queue.isWoken)
      }
      guard taken.isEmpty else { return taken }
      if isOver { return nil }
      if isWoken { return [] }
      guard await wait() else { return nil }
    }
  }

  /// What waits now, whether anything does or not: for tests. O(updates).
  package func waiting() -> [CandleUpdate] { queue.withLock { $0.take() } }

  /// Whether it is worth another look; false where the task is cancelled.
  private func wait() async -> Bool {
    await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        let isThere = queue.withLock { queue in
          guard queue.updates.isEmpty, !queue.isOver, !queue.isWoken, !Task.isCancelled else { return true }
          queue.waiting = continuation
          return false
        }
        if isThere { continuation.resume() }
      }
    } onCancel: {
      end()
    }
    return !Task.isCancelled
  }
}

extension CandleSubscription.Queue {
  /// Puts an update behind all others, or in the place of one of the same candle: what is sent early is no older for that, and
  /// what was put in between is not told to be complete by it.
  fileprivate mutating func put(_ update: CandleUpdate, _ key: CandleSubscription.Key) {
    if case .reset(let from) = update.change { return put(resetOf: update, from: from, key) }
    guard let place = places[key] else {
      places[key] = updates.count
      return updates.append(update)
    }
    updates[place] = CandleUpdate(
      token: update.token, interval: update.interval, change: update.change, sequence: updates[place].sequence)
  }

  /// Puts word to ask again: what waits of candles that are asked for again is not sent, or it would be taken for newer. What then
  /// stands before it no longer says that nothing before is missing.
  fileprivate mutating func put(resetOf update: CandleUpdate, from: Timestamp?, _ key: CandleSubscription.Key) {
    var from = from
    var isBehind = false
    let held = updates
    (updates, places) = ([], [:])
    for var one in held {
      let its = CandleSubscription.Key(one)
      if its.token == key.token, its.interval == key.interval {
        if case .reset(let earlier) = one.change {
          from = earlier.flatMap { earlier in from.map { Swift.min(earlier, $0) } }
          isBehind = true
          continue
        }
        if let bucket = its.bucket, from.map({ bucket >= $0 }) ?? true {
          isBehind = true
          continue
        }
      }
      if isBehind { one.sequence = nil }
      places[its] = updates.count
      updates.append(one)
    }
    places[key] = updates.count
    updates.append(
      CandleUpdate(
        token: update.token, interval: update.interval, change: .reset(from: from), sequence: update.sequence))
  }

  /// Instead of all that waits every pair is asked for again.
  fileprivate mutating func beginAnew(_ pairs: [CandlePair], _ sequence: UInt64?) {
    (updates, places) = ([], [:])
    for (index, pair) in pairs.enumerated() {
      let update = CandleUpdate(
        token: pair.token, interval: pair.interval, change: .reset(from: nil),
        sequence: index == pairs.count - 1 ? sequence : nil)
      put(update, CandleSubscription.Key(update))
    }
  }

  fileprivate mutating func take() -> [CandleUpdate] {
    defer { (updates, places) = ([], [:]) }
    return updates
  }
}
