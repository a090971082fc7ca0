// What reading an input came to, as values that tests compare.
// Invariant: two readings are equal iff every row, rejection, warning and failure is.
// Not here: what should have come (the tests).

import Continuo
import ContinuoFormats

/// Everything that reading one input gives.
struct Reading: Equatable {
  /// The accepted rows, in order, as text: `line kind chain/block/log_index time token …`.
  var rows: [String] = []
  /// The rejected rows, in order, as text: `line reason field value`.
  var rejections: [String] = []
  var warnings: [String] = []
  var failure: InputFailure?
  /// How many rows each batch had.
  var batches: [Int] = []

  /// All of it but how it was cut into batches.
  var content: Reading {
    var copy = self
    copy.batches = []
    return copy
  }

  /// The first thing that differs, nil where nothing does. How the rows were cut into batches does not matter.
  func difference(from other: Reading) -> String? {
    for (mine, others, what) in [
      (rows, other.rows, "row"), (rejections, other.rejections, "rejection"), (warnings, other.warnings, "warning"),
    ] where mine != others {
      let index = zip(mine, others).prefix { $0 == $1 }.count
      let texts = [mine, others].map { index < $0.count ? String($0[index].prefix(200)) : "none" }
      return "\(what) \(index): \(texts[0]) instead of \(texts[1])"
    }
    return failure == other.failure
      ? nil : "\(String(describing: failure)) instead of \(String(describing: other.failure))"
  }

  var offered: Int { batches.reduce(0, +) }

  /// Reads a text as a file of that name.
  init(
    _ text: String, name: String = "test.csv", blockBytes: Int = 64 * 1024,
    _ configure: (inout InputOptions) -> Void = { _ in }
  ) {
    self.init(bytes: Array(text.utf8), name: name, blockBytes: blockBytes, configure)
  }

  /// Reads bytes as a file of that name.
  init(
    bytes: [UInt8], name: String = "test.csv", blockBytes: Int = 64 * 1024,
    _ configure: (inout InputOptions) -> Void = { _ in }
  ) {
    var options = InputOptions()
    configure(&options)
    do throws(InputFailure) {
      var file = try InputFile(bytes: bytes, name: name, options: options, blockBytes: blockBytes)
      read(&file)
    } catch {
      failure = error
    }
  }

  /// Reads a file on disk.
  init(path: String, blockBytes: Int = 64 * 1024, _ configure: (inout InputOptions) -> Void = { _ in }) {
    var options = InputOptions()
    configure(&options)
    do throws(InputFailure) {
      var file = try InputFile(path: path, options: options, blockBytes: blockBytes)
      read(&file)
    } catch {
      failure = error
    }
  }

  /// Reads a file on disk whose batches are made on another thread.
  init(ahead path: String, _ configure: (inout InputOptions) -> Void = { _ in }) {
    var options = InputOptions()
    configure(&options)
    var batch = EventBatch()
    do throws(InputFailure) {
      var file = try ReadAhead(path: path, options: options)
      do throws(InputFailure) {
        while try file.nextBatch(into: &batch) { add(batch) }
      } catch {
        failure = error
      }
      warnings = file.takeWarnings()
    } catch {
      failure = error
    }
  }

  private mutating func read(_ file: inout InputFile) {
    var batch = EventBatch()
    do throws(InputFailure) {
      while try file.nextBatch(into: &batch) { add(batch) }
    } catch {
      failure = error
    }
    warnings = file.takeWarnings()
  }

  private mutating func add(_ batch: EventBatch) {
    batches.append(batch.offered)
    for row in batch.rows where row.operation != .markIncomplete { rows.append(Self.text(row, batch)) }
    for rejection in batch.rejections { rejections.append(Self.text(rejection)) }
  }

  private static func text(_ rejection: Rejection) -> String {
    "\(rejection.line) \(rejection.reason.name) \(rejection.field?.name ?? "-") \(rejection.value)"
  }

  private static func text(_ row: BatchRow, _ batch: EventBatch) -> String {
    func name(_ name: PackedName) -> String {
      if name == .absent { return "absent" }
      if name == .zeroAddress { return "zero" }
      return "'\(batch.bytes(of: name))'"
    }
    let identity = "\(row.line) \(row.operation) \(row.key.chain)/\(row.key.block)/\(row.key.logIndex) \(row.timestamp)"
    let names = "\(name(row.token)) \(row.side?.name ?? "-") \(name(row.wallet)) \(name(row.to))"
    let id = row.tokenID < 0 ? "-" : "\(batch.tokenIDs[Int(row.tokenID)])"
    return "\(identity) \(names) \(row.amount) \(row.tokenAmount) \(row.price) \(id)"
  }
}
