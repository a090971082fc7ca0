// Who asks before the directory is back: candles are answered from parts of it, all else waits.
// Invariant: one question at a time reads a part, so that the whole is not held up by more than it; nobody waits longer than is
// said, and nobody who waits is forgotten.
// Not here: reading parts (ContinuoStorage's DirectoryParts), what a route needs (Route), what is answered (HTTPFront).

internal import ContinuoStorage
internal import Synchronization

final class EarlyAsks: Sendable {
  private struct Waiting {
    let number: Int
    let wantsPart: Bool
    let continuation: CheckedContinuation<DirectoryParts?, Never>
    let timer: Task<Void, any Error>

    /// Lets it go on, with a part that it may read or without.
    func go(_ parts: DirectoryParts?) {
      timer.cancel()
      continuation.resume(returning: parts)
    }
  }

  private struct State {
    var parts: DirectoryParts?
    /// Whether somebody reads a part.
    var isTaken = false
    /// Whether nobody need wait for the whole.
    var isWhole = false
    var next = 0
    var waiting: [Waiting] = []
  }

  private let state = Mutex(State())
  private let isEnded = Atomic<Bool>(false)
  /// How long anybody waits.
  private let limit: Duration

  init(limit: Duration) { self.limit = limit }

  /// Whether everything is answered by the market: looked at for every request. O(1).
  var isOver: Bool { isEnded.load(ordering: .acquiring) }

  /// What parts are read from; nil before there are any, and when they are not needed any more.
  var parts: DirectoryParts? { state.withLock { $0.parts } }

  /// Parts can be read from now on.
  func offer(_ parts: DirectoryParts) {
    state.withLock { $0.parts = parts }
    giveTurn()
  }

  /// The whole is there, or never will be: then parts may be answered all the same.
  func end(keepsParts: Bool = false) {
    let waiting = state.withLock { state in
      state.isWhole = true
      if !keepsParts { state.parts = nil }
      let (staying, going) = (
        state.waiting.filter { keepsParts && $0.wantsPart }, state.waiting.filter { !keepsParts || !$0.wantsPart }
      )
      state.waiting = staying
      return going
    }
    if !keepsParts { isEnded.store(true, ordering: .releasing) }
    for one in waiting { one.go(nil) }
  }

  /// When who asks now has waited long enough.
  var deadline: ContinuousClock.Instant { .now + limit }

  /// Waits until a part may be read, or none need be. O(waiting).
  ///
  /// - Returns: what it is read from, then ``leave()``; nil where the whole is there or never will be, it took too long, or who asked
  ///   has gone.
  func turn(until deadline: ContinuousClock.Instant) async -> DirectoryParts? {
    await wait(wantsPart: true, until: deadline)
  }

  /// Waits for the whole. O(waiting).
  func whole(until deadline: ContinuousClock.Instant) async { _ = await wait(wantsPart: false, until: deadline) }

  /// How many wait.
  var waiting: Int { state.withLock { $0.waiting.count } }

  /// Ends a turn.
  func leave() {
    state.withLock { $0.isTaken = false }
    giveTurn()
  }

  private func wait(wantsPart: Bool, until deadline: ContinuousClock.Instant) async -> DirectoryParts? {
    let number = state.withLock { state in
      state.next += 1
      return state.next
    }
    return await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        let (waits, parts): (Bool, DirectoryParts?) = state.withLock { state in
          if state.isWhole, !wantsPart || state.parts == nil { return (false, nil) }
          // Who has gone is not waited for: if that is noticed later, it finds itself here.
          if Task.isCancelled || deadline <= .now { return (false, nil) }
          if wantsPart, let parts = state.parts, !state.isTaken {
            state.isTaken = true
            return (false, parts)
          }
          let timer = Task { [self] in
            try await Task.sleep(until: deadline)
            expire(number)
          }
          state.waiting.append(
            Waiting(number: number, wantsPart: wantsPart, continuation: continuation, timer: timer))
          return (true, nil)
        }
        if !waits { continuation.resume(returning: parts) }
      }
    } onCancel: {
      expire(number)
    }
  }

  /// Lets the first one read a part that waits for it.
  private func giveTurn() {
    let (first, parts): (Waiting?, DirectoryParts?) = state.withLock { state in
      guard let parts = state.parts, !state.isTaken, let place = state.waiting.firstIndex(where: \.wantsPart) else {
        return (nil, nil)
      }
      state.isTaken = true
      return (state.waiting.remove(at: place), parts)
    }
    if let first, let parts { first.go(parts) }
  }

  private func expire(_ number: Int) {
    let late = state.withLock { state in
      state.waiting.firstIndex { $0.number == number }.map { state.waiting.remove(at: $0) }
    }
    late?.go(nil)
  }
}
