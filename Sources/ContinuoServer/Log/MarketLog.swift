// What the log tells of the directory: that it is open, whether checkpoints and steps work, that it is closed.
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
    private let isStopped = Atomic<Bool>(false)

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

    /// Tells that what is left of a directory is answered, and no more.
    func damaged(_ failure: StorageFailure) {
      logger.error("the directory is damaged", metadata: ["what": "\(failure.what)", "remedy": "\(failure.remedy)"])
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

    /// Tells that steps are not taken any more, and that they are again; what failed is nil for one that was taken.
    func step(_ failure: StorageFailure?) {
      guard let failure else {
        // Nearly always, and then nobody changes what others look at.
        guard isStopped.load(ordering: .relaxed), isStopped.exchange(false, ordering: .relaxed) else { return }
        return logger.notice("ingestion works again")
      }
      switch failure {
      case .poisoned, .damageFound, .noRoom, .journalTooLong, .disk: break
      default: return
      }
      guard !isStopped.exchange(true, ordering: .relaxed) else { return }
      logger.error("ingestion has stopped", metadata: ["what": "\(failure.what)", "remedy": "\(failure.remedy)"])
    }

    func stopped() { logger.notice("stopped") }
  }
#endif
