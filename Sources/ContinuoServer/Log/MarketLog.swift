// What the log tells of the directory: that it is open, whether checkpoints work, that it is closed.
// Invariant: that something works again is told only behind a failure.
// Not here: how a line looks (LogLines), requests (RequestLog).

#if Server
  internal import Continuo
  internal import ContinuoStorage
  internal import Logging
  internal import Synchronization

  final class MarketLog: Sendable {
    private let logger: Logger
    private let isFailing = Atomic<Bool>(false)

    init(_ logger: Logger) { self.logger = logger }

    func ready(_ restored: Restored, _ held: Inspection, _ seconds: Double) {
      logger.notice(
        "ready",
        metadata: [
          "events": .stringConvertible(held.swaps + held.transfers), "tokens": .stringConvertible(held.tokens),
          "journal_steps": .stringConvertible(restored.records),
          "seconds": .stringConvertible((seconds * 1e6).rounded() / 1e6),
        ])
    }

    /// Tells how a checkpoint went.
    func checkpoint(_ failure: StorageFailure?) {
      let wasFailing = isFailing.exchange(failure != nil, ordering: .relaxed)
      if let failure {
        logger.error("checkpoint failed", metadata: ["what": "\(failure.what)", "remedy": "\(failure.remedy)"])
      } else if wasFailing {
        logger.notice("checkpoints work again")
      }
    }

    func stopped() { logger.notice("stopped") }
  }
#endif
