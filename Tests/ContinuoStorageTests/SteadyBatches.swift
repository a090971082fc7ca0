// Batches for tests that ask how much there is, not what it says: a block each, as far apart as the test likes.
// Invariant: the same block is the same batch.
// Not here: markets (RandomMarket), what becomes of the batches (FailingCheckpointTests, ScrubTests).

import Continuo
import ContinuoTestSupport

extension EventBatch {
  /// The swaps of a block: of seven tokens in turn, each of a wallet of its own.
  ///
  /// - Parameter microseconds: how far a block lies behind the one before.
  static func steady(_ block: Int, rows: Int, every microseconds: Int64, side: Side? = nil) -> EventBatch {
    let start = Timestamp(microseconds: 1_730_419_200_000_000)
    var batch = EventBatch()
    for index in 0..<rows {
      batch.append(
        Swap(
          block: UInt64(block), logIndex: UInt32(index), timestamp: start + Int64(block) * microseconds,
          token: ByteString("T\(index % 7)"), side: side, amountUSD: Decimal18(whole: Int64(index + 1)),
          priceUSD: .one, wallet: ByteString("wallet \(block) \(index)")))
    }
    return batch
  }
}
