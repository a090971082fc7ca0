// A thread of the operating system: what runs all the time beside something that is measured must not share its thread.
// Invariant: the work runs once; whoever started it waits for its end, or says that nobody does.
// Not here: what runs (LoadReaders).

#if canImport(Glibc)
  internal import Glibc
#else
  internal import Darwin
#endif

/// A running thread.
@safe package final class ThreadHandle {
  private final class Work: Sendable {
    let body: @Sendable () -> Void

    init(_ body: @escaping @Sendable () -> Void) { self.body = body }
  }

  #if canImport(Glibc)
    private var thread: pthread_t = 0
  #else
    private var thread: pthread_t?
  #endif
  private var isRunning = true

  /// Starts a thread; nil where the system has none to give.
  package init?(_ body: @escaping @Sendable () -> Void) {
    let work = unsafe Unmanaged.passRetained(Work(body))
    // SAFETY: the thread takes over the one reference to its work; without a thread it is given back here.
    let failed = unsafe pthread_create(
      &thread, nil,
      { argument in
        let argument: UnsafeMutableRawPointer? = unsafe argument
        if let argument = unsafe argument { unsafe Unmanaged<Work>.fromOpaque(argument).takeRetainedValue().body() }
        return nil
      }, work.toOpaque())
    guard failed == 0 else {
      unsafe work.release()
      return nil
    }
  }

  /// Waits for the thread's end.
  package func join() {
    guard isRunning else { return }
    isRunning = false
    #if canImport(Glibc)
      _ = pthread_join(thread, nil)
    #else
      // SAFETY: joined once.
      if let thread = unsafe thread { _ = unsafe pthread_join(thread, nil) }
    #endif
  }

  /// Nobody waits for its end: it ends by itself, or with the process.
  package func detach() {
    guard isRunning else { return }
    isRunning = false
    #if canImport(Glibc)
      _ = pthread_detach(thread)
    #else
      // SAFETY: neither joined nor detached before.
      if let thread = unsafe thread { _ = unsafe pthread_detach(thread) }
    #endif
  }

  deinit { join() }
}
