// What of the summaries the server does not have yet: tokens, and since when their candles are others.
// Invariant: bounded by the number of tokens, however long the server is away; what is taken out and not sent is put back.
// Not here: finding values (SummaryBatch), sending (SummaryWriter).
// Rules 20.14.

package import Continuo
internal import ContinuoBytes

/// What is unsent of one token.
package struct UnsentToken: Equatable, Sendable {
  /// From the hour of this instant on its candles are to be sent; nil: none are.
  package var since: Timestamp?
  /// Whether some may be gone.
  package var isUndone = false

  package init(since: Timestamp? = nil, isUndone: Bool = false) { (self.since, self.isUndone) = (since, isUndone) }

  /// Both at once.
  package mutating func add(_ other: UnsentToken) {
    if let theirs = other.since { since = min(since ?? theirs, theirs) }
    isUndone = isUndone || other.isUndone
  }
}

/// The keys that are to be sent, gathered by the engine's thread, taken by the writer's.
package final class Unsent: Sendable {
  private struct State: Sendable {
    /// By the token's number, which count from 0: the engine waits for who notes something here.
    var tokens: [UnsentToken?] = []
    /// The numbers of those of which there is something, in the order in which they came.
    var numbers: [UInt32] = []
    var isEnded = false

    mutating func add(_ token: UInt32, _ unsent: UnsentToken) {
      let index = Int(token)
      while tokens.count <= index { tokens.append(nil) }
      guard tokens[index] != nil else {
        tokens[index] = unsent
        return numbers.append(token)
      }
      tokens[index]?.add(unsent)
    }
  }

  private let state = MonitorHandle(State())

  package init() {}

  /// How many tokens have something unsent. O(1).
  package var count: Int { state.locked { $0.numbers.count } }

  /// Notes what a step changed: tokens, and of some of them, in the same order, candles. O(tokens).
  package func note(_ tokens: [UInt32], _ candles: [StepChange]) {
    state.locked { state in
      var next = 0
      for token in tokens {
        var unsent = UnsentToken()
        if next < candles.count, candles[next].token == token {
          unsent = UnsentToken(since: candles[next].earliest, isUndone: candles[next].isUndone)
          next += 1
        }
        state.add(token, unsent)
      }
      // In any other order they are found too.
      for change in candles[next...] {
        state.add(change.token, UnsentToken(since: change.earliest, isUndone: change.isUndone))
      }
    }
  }

  /// Notes some, or puts back what was not sent. O(tokens).
  package func add(_ tokens: [UInt32: UnsentToken]) {
    state.locked { state in for (token, unsent) in tokens { state.add(token, unsent) } }
  }

  /// Wakes who waits.
  package func end() { state.locked { $0.isEnded = true } }

  /// Takes some, once there are any or it has waited long enough; none where it was ended. O(tokens).
  package func take(atMost count: Int, withinMicroseconds microseconds: Int64) -> [UInt32: UnsentToken] {
    state.locked(
      when: { !$0.numbers.isEmpty || $0.isEnded }, withinMicroseconds: microseconds,
      { state in
        var taken: [UInt32: UnsentToken] = [:]
        for number in state.numbers.prefix(count) {
          taken[number] = state.tokens[Int(number)]
          state.tokens[Int(number)] = nil
        }
        state.numbers.removeFirst(min(count, state.numbers.count))
        return taken
      })
  }
}
