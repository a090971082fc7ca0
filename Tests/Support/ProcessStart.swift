// Processes of tests are started one at a time.
// Invariant: one lock for all tests of a run.
// Not here: which programs are started, and what is expected of them (the tests).

public import Foundation
internal import Synchronization

extension Process {
  private static let starting = Mutex(())

  /// Starts it, one at a time: Foundation that starts two processes at once may read memory that is gone.
  ///
  /// - Throws: what `run` throws where there is no such program.
  public func start() throws { try Self.starting.withLock { _ in try run() } }
}
