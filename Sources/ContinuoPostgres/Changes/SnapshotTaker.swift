// Takes the batches of a snapshot on a thread of its own, while the next rows are read.
// Invariant: batches are taken in the order in which they are handed over; behind one that fails none is, and who hands over is told.
// Not here: reading rows, and which event is whose (SnapshotLoad).

#if Postgres
  internal import Continuo
  internal import ContinuoBytes
  internal import ContinuoStorage
  internal import Synchronization

  final class SnapshotTaker: Sendable {
    /// A row of a batch, for who has to see what was rejected.
    struct Row: Sendable {
      enum Content: Sendable {
        /// As it came, behind the head.
        case piece([UInt8])
        case event(MappedEvent)
      }

      var key: RowKey
      var content: Content
    }

    /// Rows of one table.
    struct Parcel: Sendable {
      var batch: EventBatch
      var rows: [Row] = []
      var reader: RowReader
      var columns: Int

      /// The event of a row.
      func event(_ line: Int) throws(MalformedChange) -> MappedEvent? {
        switch rows[line].content {
        case .event(let event): return event
        case .piece(let piece):
          var copy = CopyRowReader(isBehindHead: true)
          return try copy.row(piece, columns: columns).flatMap { reader.event($0) }
        }
      }
    }

    private struct State: Sendable {
      var waiting: [Parcel] = []
      var isEnded = false
      var failure: (any Error)?
    }

    /// So many wait while one is taken.
    private static let waitingMax = 2
    private let state = MonitorHandle(State())
    private let sink: any EventSink
    private let letters: DeadLetters
    private let generation: UInt16
    private let source: ByteString
    private let tell: @Sendable (@Sendable (inout FollowerStatus) -> Void) -> Void
    private let step = Atomic<UInt32>(0)

    init(
      _ sink: any EventSink, _ letters: DeadLetters, source: ByteString, generation: UInt16,
      _ tell: @escaping @Sendable (@Sendable (inout FollowerStatus) -> Void) -> Void
    ) {
      (self.sink, self.letters, self.source, self.generation, self.tell) = (sink, letters, source, generation, tell)
    }

    // MARK: who reads

    /// Hands a batch over, once there is room; where there is no thread it is taken at once.
    func put(_ parcel: Parcel, to thread: ThreadHandle?) throws {
      guard thread != nil else { return try take(parcel) }
      let failure = state.locked(
        when: { $0.waiting.count < Self.waitingMax || $0.failure != nil },
        { state in
          if state.failure == nil { state.waiting.append(parcel) }
          return state.failure
        })
      if let failure { throw failure }
    }

    /// Ends the thread, behind what waits, or in front of it.
    func end(_ thread: ThreadHandle?, isWhole: Bool) throws {
      state.locked { state in
        state.isEnded = true
        if !isWhole { state.waiting = [] }
      }
      thread?.join()
      if let failure = state.locked({ $0.failure }) { throw failure }
    }

    /// Takes a batch at the next position; while the thread runs it alone calls this.
    func submit(_ batch: EventBatch) throws -> Receipt {
      // While what was rejected last is not written down, or has no room, nothing more is taken.
      try letters.settle()
      let next = step.add(1, ordering: .relaxed).newValue
      return try sink.take(batch, at: ChangeStream.input(source, at(next)), isHistory: true)
    }

    /// The position of a step while a snapshot is taken.
    func at(_ step: UInt32) -> SourcePosition { SourcePosition(generation: generation, lsn: LSN(0), changes: step) }

    // MARK: the thread

    /// Takes what is handed over until it is ended.
    func run() {
      while true {
        let next = state.locked(
          when: { !$0.waiting.isEmpty || $0.isEnded },
          { state in state.waiting.isEmpty ? nil : state.waiting.removeFirst() })
        guard let next else { return }
        do {
          try take(next)
        } catch {
          return state.locked { ($0.failure, $0.waiting) = (error, []) }
        }
      }
    }

    /// Takes rows; what stands under the identity of one that says something else goes, also where the row is rejected.
    private func take(_ parcel: Parcel) throws {
      let receipt = try submit(parcel.batch)
      let table = parcel.reader.table
      var (other, rejected): (EventBatch, [Rejection]) = (EventBatch(price: sink.price), [])
      // What is below the horizon counts already, or never will: that is no news of a row that was there before.
      for rejection in receipt.rejections where rejection.reason != .tooLate {
        let event = try parcel.event(rejection.line)
        if let identity = event?.identity { other.retract(identity) }
        if rejection.reason == .conflict, let event {
          event.append(to: &other, kind: table.kind)
        } else {
          rejected.append(rejection)
        }
      }
      let replaced = other.offered > 0 ? try submit(other) : nil
      var lines: [UInt8] = []
      for rejection in rejected {
        guard let event = try parcel.event(rejection.line) else { continue }
        lines += DeadLetters.line(
          lsn: LSN(0), table: table.title, key: parcel.rows[rejection.line].key, rejection, row: event.texts(table.kind)
        )
      }
      try letters.append(lines)
      let (count, refused) = (parcel.rows.count, rejected.count)
      tell {
        $0.snapshotRows += count
        $0.accepted += receipt.accepted + (replaced?.accepted ?? 0)
        $0.undone += replaced?.undone ?? 0
        $0.rejected += refused
      }
    }
  }
#endif
