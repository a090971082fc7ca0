// Threads that are stopped at a call to a disk, until they are let go: one operation runs while another one stands still.
// Invariant: who is stopped has not made the call yet; nothing is waited for by the clock, but for a watch that ends a hang.
// Not here: which operations these are, and what must come of them (StepPairTests).

import ContinuoBytes
import ContinuoTestSupport
import Foundation

/// Stops the calls of two operations on a ledger.
final class CallGate: Sendable {
  /// Whose a call is.
  enum Role: Sendable {
    case first, second
    /// Who looks on.
    case bystander
  }

  /// A call that is about to be made.
  struct Call: Sendable {
    var role: Role
    var name: String
    var path: String
  }

  /// What became of an operation.
  enum Rest: Sendable { case stopped, ended, waiting }

  private struct State: Sendable {
    var roles: [ObjectIdentifier: Role] = [:]
    /// The system's names of the threads of each.
    var threads: [Role: Set<String>] = [:]
    /// Whose the calls of the ledger's own threads are.
    var steps: Role
    var isLearning = true
    var stops: [Role: Int] = [:]
    var calls: [Call] = []
    var stopped: Set<Role> = []
    var ended: Set<Role> = []

    func rest(_ role: Role) -> Rest? { stopped.contains(role) ? .stopped : ended.contains(role) ? .ended : nil }
  }

  private let state: MonitorHandle<State>

  /// - Parameter steps: which of the two the ledger's own threads work for.
  init(steps: Role) { state = MonitorHandle(State(steps: steps)) }

  /// The calls so far, the one too that somebody is stopped at.
  var calls: [Call] { state.locked { $0.calls } }

  /// Ends the time in which threads that nobody named are the ledger's own, and forgets the calls so far.
  func endLearning() {
    state.locked { state in
      state.calls = []
      state.isLearning = false
    }
  }

  /// Stops an operation at its call number `index`, from 0.
  func stop(_ role: Role, at index: Int) { state.locked { $0.stops[role] = index } }

  /// Lets an operation go on to its end.
  func release(_ role: Role) {
    state.locked { state in
      state.stops[role] = nil
      state.stopped.remove(role)
    }
  }

  /// Does something as one of the operations.
  func perform<Answer>(as role: Role, _ body: () throws -> Answer) rethrows -> Answer {
    state.locked { state in
      state.roles[Self.thread] = role
      state.threads[role, default: []].insert(Self.threadName)
    }
    defer {
      state.locked { state in
        state.roles[Self.thread] = nil
        state.ended.insert(role)
      }
    }
    return try body()
  }

  /// Is called before every call (``SimulatedDisk/setBeforeCall(_:)``).
  func pass(_ name: String, _ path: String) {
    let role = state.locked { state -> Role in
      if state.isLearning, state.roles[Self.thread] == nil {
        state.roles[Self.thread] = state.steps
        state.threads[state.steps, default: []].insert(Self.threadName)
      }
      // Threads that help to read come and go.
      let role = state.roles[Self.thread] ?? .bystander
      if role == .bystander { return role }
      if state.calls.count(where: { $0.role == role }) == state.stops[role] { state.stopped.insert(role) }
      state.calls.append(Call(role: role, name: name, path: path))
      return role
    }
    state.locked(when: { !$0.stopped.contains(role) }, { _ in })
  }

  /// Waits until an operation is stopped or has ended; one that does neither within a minute waits.
  func stand(_ role: Role) -> Rest {
    for _ in 0..<1_200_000 {
      if let rest = state.locked({ $0.rest(role) }) { return rest }
      usleep(50)
    }
    return .waiting
  }

  /// Waits until an operation is stopped, has ended, or waits for somebody: then all of its threads sleep, and have not been
  /// awake between two looks.
  func settle(_ role: Role) -> Rest {
    var before: [String: String] = [:]
    while true {
      let (rest, threads) = state.locked { state -> (Rest?, Set<String>) in
        (state.rest(role), state.threads[role] ?? [])
      }
      if let rest { return rest }
      var now: [String: String] = [:]
      for thread in threads { now[thread] = Self.sleep(of: thread) }
      if !threads.isEmpty, now.count == threads.count, now == before { return .waiting }
      before = now
      usleep(50)
    }
  }

  private static var thread: ObjectIdentifier { ObjectIdentifier(Thread.current) }

  #if os(Linux)
    private static var threadName: String {
      (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/thread-self")) ?? ""
    }

    /// How often a thread that sleeps has gone to sleep; nil: it is awake.
    private static func sleep(of thread: String) -> String? {
      guard let text = try? String(contentsOfFile: "/proc/\(thread)/status", encoding: .utf8),
        text.contains("State:\tS")
      else { return nil }
      return text.split(separator: "\n").first { $0.hasPrefix("voluntary_ctxt_switches") }.map(String.init)
    }
  #else
    private static var threadName: String { "\(thread)" }

    /// Nobody tells: it is given the time that two looks take.
    private static func sleep(of thread: String) -> String? { thread }
  #endif
}
