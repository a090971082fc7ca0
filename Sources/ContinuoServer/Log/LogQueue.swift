// Lines of the log on their way out, by a thread of their own.
// Invariant: who tells something never waits for who reads it; what is too much is not kept, but counted and told.
// Not here: how a line looks (LogLines).

#if Server
  public import Continuo
  internal import ContinuoBytes
  internal import Logging
  internal import Synchronization

  /// Takes lines from anybody at once, and writes them one after the other.
  public final class LogQueue: Sendable {
    private struct State: Sendable {
      var waiting: [UInt8] = []
      var lost = 0
      var isClosed = false
      var hasEnded = false
      /// Keeps the queue, and with it a thread that is stuck in a write, to the end of the process.
      var stuck: LogQueue?
    }

    /// More is not kept while nobody reads.
    private static let bytesMax = 1 << 20
    /// So long the end waits for who reads.
    private static let lingeringMicroseconds: Int64 = 1_000_000

    private let state: MonitorHandle<State>
    private let thread: Mutex<ThreadHandle?>
    private let write: @Sendable ([UInt8]) -> Void

    /// Begins to write.
    ///
    /// - Parameters:
    ///   - form: how the line looks that says how many others are lost.
    ///   - write: takes lines, each with its line feed; may wait.
    public init(
      _ form: LogLines.Form, clock: @escaping @Sendable () -> Timestamp,
      write: @escaping @Sendable ([UInt8]) -> Void = LogLines.toStandardError
    ) {
      let state = MonitorHandle(State())
      self.write = write
      self.state = state
      thread = Mutex(
        ThreadHandle {
          let own = Logger(label: "continuo") { _ in LogLines(form, level: .warning, clock: clock, write: write) }
          while true {
            let (bytes, lost, isClosed) = state.locked(
              when: { !$0.waiting.isEmpty || $0.isClosed },
              { state in
                defer { (state.waiting, state.lost) = ([], 0) }
                return (state.waiting, state.lost, state.isClosed)
              })
            if !bytes.isEmpty { write(bytes) }
            if lost > 0 {
              own.warning("lines are lost: nobody read them", metadata: ["count": .stringConvertible(lost)])
            }
            if isClosed, bytes.isEmpty { break }
          }
          state.locked { $0.hasEnded = true }
        })
    }

    /// Takes a line. O(length).
    public func take(_ line: [UInt8]) {
      // Where the system has no thread to give, whoever tells something writes it.
      guard thread.withLock({ $0 != nil }) else { return write(line) }
      state.locked { state in
        if state.waiting.count + line.count > Self.bytesMax { state.lost += 1 } else { state.waiting += line }
      }
    }

    /// Writes what waits, as far as it is read.
    public func close() {
      state.locked { $0.isClosed = true }
      let hasEnded = state.locked(
        when: { $0.hasEnded }, withinMicroseconds: Self.lingeringMicroseconds, { $0.hasEnded })
      if !hasEnded { state.locked { $0.stuck = self } }
    }
  }
#endif
