// What the system tells of a terminal, and of who wants the program to end.
// Invariant: asks only; while an end is waited for, SIGINT and SIGTERM come here and nowhere else.
// Not here: what is shown (WatchScreen, CandleDrawing).

#if canImport(Glibc)
  internal import Glibc
#else
  internal import Darwin
#endif

/// The terminal on stdout.
enum TerminalHandle {
  /// How many columns it has; nil where stdout is none, or does not tell.
  static var columns: Int? { size.flatMap { $0.ws_col > 0 ? Int($0.ws_col) : nil } }

  /// How many rows it has; nil where stdout is none, or does not tell.
  static var rows: Int? { size.flatMap { $0.ws_row > 0 ? Int($0.ws_row) : nil } }

  private static var size: winsize? {
    var size = winsize()
    // SAFETY: the call fills in the structure, which is ours.
    return unsafe ioctl(1, UInt(TIOCGWINSZ), &size) == 0 ? size : nil
  }
}

/// The wish of somebody that the program ends: Ctrl-C.
enum EndWishHandle {
  private static let pauseMicroseconds: UInt32 = 20_000

  /// From now on Ctrl-C ends nothing by itself: ``wait(microseconds:)`` tells of it. Before other threads begin.
  static func hold() {
    var wishes = sigset_t()
    // SAFETY: the set is ours.
    unsafe sigemptyset(&wishes)
    for wish in [SIGINT, SIGTERM, SIGHUP] { unsafe sigaddset(&wishes, wish) }
    unsafe pthread_sigmask(SIG_BLOCK, &wishes, nil)
  }

  /// Waits so long; false at once when somebody wants the end.
  static func wait(microseconds: Int64) -> Bool {
    let end = ContinuousClock.now + .microseconds(microseconds)
    while true {
      var pending = sigset_t()
      // SAFETY: the call fills in the set, which is ours.
      unsafe sigpending(&pending)
      for wish in [SIGINT, SIGTERM, SIGHUP] where unsafe sigismember(&pending, wish) == 1 { return false }
      guard ContinuousClock.now < end else { return true }
      usleep(pauseMicroseconds)
    }
  }
}
