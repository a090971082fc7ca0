// Threads of the operating system, for tests of what threads do to each other.
// Invariant: every thread has ended when `run` returns; what it answered is read behind its end.
// Not here: what the threads do (ReadingProperties).
// POSIX threads and not Foundation's: the thread sanitizer knows what starting and joining one means.

import Foundation

/// A few threads at work while the calling one works too.
package enum Threads {
  private final class Job {
    let body: () -> Void
    init(_ body: @escaping () -> Void) { self.body = body }
  }

  private final class Slot<Answer>: @unchecked Sendable {
    // SAFETY of @unchecked: one thread writes, and the one that joined it reads.
    var answer: Answer?
  }

  /// Runs `body` on `count` threads, each told its number, and `main` on the calling one; what the threads answered.
  package static func run<Answer: Sendable>(
    _ count: Int, _ body: @escaping @Sendable (Int) -> Answer, while main: () -> Void
  ) -> [Answer] {
    let slots = (0..<count).map { _ in Slot<Answer>() }
    let threads = slots.enumerated().map { index, slot in start(Job { slot.answer = body(index) }) }
    main()
    for thread in threads { join(thread) }
    return slots.compactMap(\.answer)
  }

  /// Starts a thread and says how to join it.
  private static func start(_ job: Job) -> pthread_t {
    #if canImport(Darwin)
      var thread: pthread_t?
    #else
      var thread = pthread_t()
    #endif
    // SAFETY: the job is retained here and released by the thread that it is handed to.
    let failure = unsafe pthread_create(
      &thread, nil,
      { argument in
        #if canImport(Darwin)
          unsafe Unmanaged<Job>.fromOpaque(argument).takeRetainedValue().body()
        #else
          unsafe Unmanaged<Job>.fromOpaque(argument.unsafelyUnwrapped).takeRetainedValue().body()
        #endif
        return nil
      }, Unmanaged.passRetained(job).toOpaque())
    precondition(failure == 0, "a thread starts")
    #if canImport(Darwin)
      return unsafe thread.unsafelyUnwrapped
    #else
      return thread
    #endif
  }

  private static func join(_ thread: pthread_t) {
    // SAFETY: each thread is joined once, by who started it.
    let failure = pthread_join(thread, nil)
    precondition(failure == 0, "a thread ends")
  }
}
