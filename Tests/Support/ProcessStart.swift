// Processes of tests: started one at a time, and waited for on no thread that others need.
// Invariant: one lock for all tests of a run; who waits for an end is suspended, and holds no thread of the language's pool.
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

/// A process's end, for any number of tasks that wait for it.
///
/// There are as many threads in the language's pool as processors: two tests that hold them keep a server in the same process from
/// answering, and all other tests from going on.
public final class ProcessEnd: Sendable {
  private struct State {
    var status: Int32?
    var waiting: [CheckedContinuation<Int32, Never>] = []
  }

  private let state = Mutex(State())

  /// Starts a process that has not been started.
  ///
  /// - Throws: what `run` throws where there is no such program.
  public init(starting process: Process) throws {
    process.terminationHandler = { [self] in
      came($0.terminationReason == .exit ? $0.terminationStatus : -$0.terminationStatus)
    }
    do {
      try process.start()
    } catch {
      process.terminationHandler = nil
      throw error
    }
  }

  private func came(_ status: Int32) {
    let waiting = state.withLock { state in
      state.status = status
      defer { state.waiting = [] }
      return state.waiting
    }
    for continuation in waiting { continuation.resume(returning: status) }
  }

  /// Its status; less than 0 where a signal ended it.
  public var status: Int32 {
    get async {
      await withCheckedContinuation { continuation in
        let known = state.withLock { state in
          if state.status == nil { state.waiting.append(continuation) }
          return state.status
        }
        if let known { continuation.resume(returning: known) }
      }
    }
  }

  /// Whether it is over.
  public var isOver: Bool { state.withLock { $0.status != nil } }
}

extension Process {
  /// Gives it these variables, and what tools/test knows its own processes by.
  public func setEnvironment(_ variables: [String: String]) {
    let own = ProcessInfo.processInfo.environment["CONTINUO_STEP"].map { ["CONTINUO_STEP": $0] } ?? [:]
    environment = own.merging(variables) { $1 }
  }
}
