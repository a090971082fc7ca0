// What ends the waiting of threads that wait for a server: a pipe that becomes readable once, for good.
// Invariant: who looks at it after `interrupt` finds it, whenever they begin to wait.
// Not here: the waiting itself (Connection).

#if canImport(Glibc)
  internal import Glibc
#else
  internal import Darwin
#endif

/// Ends waits from another thread.
@safe package final class InterruptHandle: Sendable {
  private let reading: Int32
  private let writing: Int32

  /// Makes one that nobody has used; where the system has no pipe to give it interrupts nothing. O(1).
  package init() {
    var ends: [Int32] = [-1, -1]
    // SAFETY: pipe(2) writes two descriptors into the array, which has room for two.
    _ = unsafe ends.withUnsafeMutableBufferPointer { buffer in unsafe pipe(buffer.baseAddress!) }
    (reading, writing) = (ends[0], ends[1])
    for end in ends where end >= 0 { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
  }

  deinit {
    if reading >= 0 { _ = close(reading) }
    if writing >= 0 { _ = close(writing) }
  }

  /// Ends all waits, those to come too. O(1).
  package func interrupt() {
    var byte: UInt8 = 1
    // SAFETY: one byte, ours.
    _ = unsafe write(writing, &byte, 1)
  }

  /// Whether it was interrupted. O(1).
  package var isInterrupted: Bool { Poll.wait(nil, reads: false, writes: false, self, microseconds: 0) == .interrupted }

  /// Sleeps; true where it was interrupted instead.
  package func sleep(microseconds: Int64) -> Bool {
    Poll.wait(nil, reads: false, writes: false, self, microseconds: microseconds) == .interrupted
  }

  /// What a wait came to.
  enum Outcome { case ready, tooLate, interrupted }

  /// Waits on a socket and an interrupt at once.
  @safe enum Poll {
    static func wait(
      _ socket: Int32?, reads: Bool, writes: Bool, _ interrupt: InterruptHandle?, microseconds: Int64
    ) -> Outcome {
      let events = (reads ? Int16(POLLIN) : 0) | (writes ? Int16(POLLOUT) : 0)
      let end = ContinuousClock.now.advanced(by: .microseconds(max(0, microseconds)))
      while true {
        // A negative descriptor is passed over.
        var polled = [
          pollfd(fd: interrupt?.reading ?? -1, events: Int16(POLLIN), revents: 0),
          pollfd(fd: socket ?? -1, events: events, revents: 0),
        ]
        let left = ContinuousClock.now.duration(to: end)
        let (seconds, attoseconds) = left.components
        let milliseconds = max(0, seconds * 1000 + (attoseconds + 999_999_999_999_999) / 1_000_000_000_000_000)
        // SAFETY: two entries, ours, for as long as the call takes.
        let found = unsafe polled.withUnsafeMutableBufferPointer { buffer in
          unsafe poll(buffer.baseAddress, 2, Int32(clamping: milliseconds))
        }
        if polled[0].revents != 0 { return .interrupted }
        if polled[1].revents != 0 { return .ready }
        if found == 0, ContinuousClock.now >= end { return .tooLate }
        if found < 0, errno != EINTR { return .ready }
      }
    }
  }
}
