// One input file that is parsed on a thread of its own while its batches are taken in elsewhere.
// Invariant: the same batches, failures and warnings in the same order as InputFile gives by itself; three batches at most
// are in the making or waiting. Whoever stops early is not kept waiting for a read that may never end.
// Not here: what is done with a batch (who calls), reading and judging (InputFile).

public import Continuo
internal import ContinuoBytes

#if canImport(Glibc)
  internal import Glibc
#else
  internal import Darwin
#endif

/// An input file whose next batches are made while the last one is used.
///
///     var file = try ReadAhead(path: "trades.csv.gz", options: InputOptions())
///     var batch = EventBatch()
///     while try file.nextBatch(into: &batch) { try engine.apply(batch, wallClock: nil) }
public struct ReadAhead: ~Copyable {
  private let shelf: Shelf

  /// How many bytes were read for the batches so far, compressed ones of a compressed file: for progress.
  public private(set) var bytesRead: Int64 = 0
  /// How long the file is in bytes, nil where that is not known (standard input, a pipe).
  public let bytesTotal: Int64?

  /// Opens a file and begins to read it. O(1), but on standard input waits for its first bytes.
  ///
  /// - Parameter path: the file, `-` for standard input.
  /// - Throws: ``InputFailure``, as ``InputFile/init(path:options:)`` does.
  public init(path: String, options: InputOptions) throws(InputFailure) {
    let file = try InputFile(path: path, options: options)
    bytesTotal = file.bytesTotal
    shelf = Shelf(file, EventBatch(price: options.price, timeUnit: options.timeUnit))
    shelf.start()
  }

  deinit { shelf.close() }

  /// Swaps `batch` for the next one: its memory is used again. O(1), but waits until a batch is made.
  ///
  /// - Returns: false at the end of the file.
  /// - Throws: ``InputFailure``, after the rows before it were handed out; and again on every later call.
  public mutating func nextBatch(into batch: inout EventBatch) throws(InputFailure) -> Bool {
    let outcome = shelf.take(&batch)
    bytesRead = outcome.bytesRead
    if let failure = outcome.failure { throw failure }
    return !outcome.isLast
  }

  /// What the user should be told: unknown columns and keys, each once. Known at the end of the file. O(warnings).
  public mutating func takeWarnings() -> [String] { shelf.takeWarnings() }
}

/// Where batches wait between the thread that makes them and the one that uses them.
@safe private final class Shelf: @unchecked Sendable {
  /// What a call for the next batch came to.
  struct Outcome {
    var bytesRead: Int64 = 0
    var failure: InputFailure?
    var isLast = false
  }

  private struct Batches: Sendable {
    var ready: [(batch: EventBatch, outcome: Outcome)] = []
    var spare: [EventBatch] = []
    var warnings: [String] = []
    var isClosed = false
  }

  /// How many batches there are: one in the making, one ready, one that is given back.
  private static let batchesMax = 3

  // SAFETY (of @unchecked Sendable): `file` belongs to the reading thread alone once it runs, `hasThread` to the other one; all
  // else is in the monitor.
  private var file: InputFile
  private let batches: MonitorHandle<Batches>
  /// Whether the system gave a thread; without one a batch is made when it is asked for.
  private var hasThread = true

  init(_ file: consuming InputFile, _ batch: EventBatch) {
    self.file = file
    batches = MonitorHandle(Batches(spare: [EventBatch](repeating: batch, count: Self.batchesMax)))
  }

  // MARK: the thread that uses batches

  func take(_ batch: inout EventBatch) -> Outcome {
    guard hasThread else {
      let (outcome, told) = read(&batch)
      batches.locked { $0.warnings += told }
      return outcome
    }
    return batches.locked(
      when: { !$0.ready.isEmpty },
      { state in
        let outcome = state.ready[0].outcome
        guard !outcome.isLast, outcome.failure == nil else {
          batch.removeAll()
          return outcome
        }
        swap(&batch, &state.ready[0].batch)
        state.spare.append(state.ready.removeFirst().batch)
        return outcome
      })
  }

  func takeWarnings() -> [String] {
    batches.locked { state in
      defer { state.warnings = [] }
      return state.warnings
    }
  }

  func close() { batches.locked { $0.isClosed = true } }

  // MARK: the thread that makes them

  func start() {
    #if canImport(Glibc)
      var thread: pthread_t = 0
    #else
      var thread: pthread_t?
    #endif
    // SAFETY: the thread gets a reference of its own, and lets it go at its end; without a thread it is let go here.
    let context = unsafe Unmanaged.passRetained(self)
    guard unsafe pthread_create(&thread, nil, Self.main, context.toOpaque()) == 0 else {
      unsafe context.release()
      hasThread = false
      return
    }
    #if canImport(Glibc)
      pthread_detach(thread)
    #else
      if let thread { unsafe pthread_detach(thread) }
    #endif
  }

  #if canImport(Glibc)
    private static let main: @convention(c) (UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? = { context in
      // SAFETY: `start` passes a retained shelf.
      unsafe Unmanaged<Shelf>.fromOpaque(context.unsafelyUnwrapped).takeRetainedValue().run()
      return nil
    }
  #else
    private static let main: @convention(c) (UnsafeMutableRawPointer) -> UnsafeMutableRawPointer? = { context in
      // SAFETY: `start` passes a retained shelf.
      unsafe Unmanaged<Shelf>.fromOpaque(context).takeRetainedValue().run()
      return nil
    }
  #endif

  private func run() {
    var batch = EventBatch()
    while takeSpare(&batch) {
      let (outcome, told) = read(&batch)
      batches.locked { state in
        state.warnings += told
        state.ready.append((EventBatch(), outcome))
        swap(&state.ready[state.ready.count - 1].batch, &batch)
      }
      if outcome.isLast || outcome.failure != nil { return }
    }
  }

  private func read(_ batch: inout EventBatch) -> (Outcome, warnings: [String]) {
    var outcome = Outcome()
    do throws(InputFailure) {
      outcome.isLast = try !file.nextBatch(into: &batch)
    } catch {
      outcome.failure = error
    }
    outcome.bytesRead = file.bytesRead
    return (outcome, file.takeWarnings())
  }

  /// Waits for a batch that may be filled; false where nobody wants any.
  private func takeSpare(_ batch: inout EventBatch) -> Bool {
    batches.locked(
      when: { !$0.spare.isEmpty || $0.isClosed },
      { state in
        guard !state.isClosed else { return false }
        batch = state.spare.removeLast()
        return true
      })
  }
}
