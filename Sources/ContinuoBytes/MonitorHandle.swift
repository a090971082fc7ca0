// What several threads share, and wait for each other on.
// Invariant: the state is touched by one thread at a time; who waits looks again after every change.
// Not here: what is shared (PieceOrder, ReadAhead, LedgerStages), threads (ThreadHandle).
// Source: C. A. R. Hoare, "Monitors: An Operating System Structuring Concept", 1974.

#if canImport(Glibc)
  internal import Glibc
#else
  internal import Darwin
#endif

/// A state that threads change one at a time, each once the state is as it needs it.
@safe package final class MonitorHandle<State: Sendable>: @unchecked Sendable {
  // SAFETY (of @unchecked Sendable): `state` is touched under `lock` alone.
  private var state: State
  private let lock: UnsafeMutablePointer<pthread_mutex_t>
  private let changed: UnsafeMutablePointer<pthread_cond_t>

  /// Makes a monitor. O(1).
  package init(_ state: State) {
    self.state = state
    // SAFETY: allocated here, set up before use, and given back in deinit, when no thread has a reference any more.
    unsafe lock = .allocate(capacity: 1)
    unsafe changed = .allocate(capacity: 1)
    unsafe pthread_mutex_init(lock, nil)
    unsafe pthread_cond_init(changed, nil)
  }

  deinit {
    // SAFETY: the last reference goes, so nobody waits or locks.
    unsafe pthread_cond_destroy(changed)
    unsafe pthread_mutex_destroy(lock)
    unsafe changed.deallocate()
    unsafe lock.deallocate()
  }

  /// Waits until `isReady`, then runs `body`, while no other thread is in such a call.
  package func locked<Answer>(
    when isReady: (borrowing State) -> Bool = { _ in true }, _ body: (inout State) -> Answer
  ) -> Answer {
    // SAFETY: both were set up in init.
    unsafe pthread_mutex_lock(lock)
    while !isReady(state) { unsafe pthread_cond_wait(changed, lock) }
    let answer = body(&state)
    unsafe pthread_cond_broadcast(changed)
    unsafe pthread_mutex_unlock(lock)
    return answer
  }

  /// Waits until `isReady`, or so long, by the system's clock; then runs `body`, while no other thread is in such a call.
  package func locked<Answer>(
    when isReady: (borrowing State) -> Bool, withinMicroseconds microseconds: Int64, _ body: (inout State) -> Answer
  ) -> Answer {
    var end = timespec()
    // SAFETY: `end` is ours; lock and condition were set up in init.
    unsafe clock_gettime(CLOCK_REALTIME, &end)
    let nanoseconds = Int64(end.tv_nsec) + max(0, microseconds) % 1_000_000 * 1000
    // A year is for ever, and no number is too great for the clock.
    end.tv_sec += Int(min(max(0, microseconds) / 1_000_000, 31_536_000) + nanoseconds / 1_000_000_000)
    end.tv_nsec = Int(nanoseconds % 1_000_000_000)
    unsafe pthread_mutex_lock(lock)
    while !isReady(state) {
      if unsafe pthread_cond_timedwait(changed, lock, &end) != 0 { break }
    }
    let answer = body(&state)
    unsafe pthread_cond_broadcast(changed)
    unsafe pthread_mutex_unlock(lock)
    return answer
  }
}
