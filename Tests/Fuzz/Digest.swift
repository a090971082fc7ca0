// What reading an input comes to, small enough to be made a hundred thousand times a second.
// Invariant: equal readings have equal digests within one process.
// Not here: what the reading should be.

import Continuo
import ContinuoFormats

/// A reading as one number a row.
struct Digest {
  private(set) var rows: [Int] = []
  private(set) var failure: InputFailure?

  /// Reads `bytes` as a file of that name; checks that every row offered is accepted or rejected.
  init(_ bytes: [UInt8], _ name: String, _ options: InputOptions, blockBytes: Int, rowsMax: Int = .max) {
    do throws(InputFailure) {
      var file = try InputFile(bytes: bytes, name: name, options: options, blockBytes: blockBytes)
      var batch = EventBatch()
      while rows.count < rowsMax, try file.nextBatch(into: &batch) {
        require(batch.offered >= 1 && batch.offered <= max(1, options.batchRows), "a batch of \(batch.offered) rows")
        let accepted = batch.rows.filter { $0.operation != .markIncomplete }
        require(
          accepted.count + batch.rejections.count == batch.offered,
          "\(batch.offered) rows offered, \(accepted.count) accepted, \(batch.rejections.count) rejected")
        add(accepted, batch)
      }
      if rows.count > rowsMax { rows.removeLast(rows.count - rowsMax) }
      require(file.takeWarnings().count <= 2 * Limits.unknownNamesListedMax, "too many warnings")
    } catch {
      failure = error
    }
  }

  /// Adds the rows of a batch, accepted and rejected ones in the order of their lines.
  private mutating func add(_ accepted: [BatchRow], _ batch: EventBatch) {
    var rejections = batch.rejections[...]
    for row in accepted {
      while let rejection = rejections.first, rejection.line < row.line {
        add(rejection)
        rejections.removeFirst()
      }
      var hasher = Hasher()
      hasher.combine(row.line)
      hasher.combine(row.key.timestamp)
      hasher.combine(row.key.block)
      hasher.combine([row.amount, row.tokenAmount, row.price])
      hasher.combine(row.operation)
      hasher.combine(row.side)
      for name in [row.token, row.wallet, row.to] { hasher.combine(batch.bytes(of: name)) }
      rows.append(hasher.finalize())
    }
    for rejection in rejections { add(rejection) }
  }

  private mutating func add(_ rejection: Rejection) {
    var hasher = Hasher()
    hasher.combine(rejection.line)
    hasher.combine(rejection.reason)
    hasher.combine(rejection.field)
    hasher.combine(rejection.value)
    rows.append(hasher.finalize())
  }

  /// Ends the process where the two differ.
  func requireEqual(_ other: Digest) {
    let index = zip(rows, other.rows).prefix { $0 == $1 }.count
    require(rows == other.rows, "row \(index) differs: \(rows.count) rows and \(other.rows.count)")
    require((failure == nil) == (other.failure == nil), "fails only in some blocks")
  }

  /// Ends the process where the two differ as far as both go, or only one fails.
  func requireSameStart(_ other: Digest) {
    let count = min(rows.count, other.rows.count)
    require(rows.prefix(count) == other.rows.prefix(count), "rows before damage differ")
    require((failure == nil) == (other.failure == nil), "fails only in some blocks")
  }
}
