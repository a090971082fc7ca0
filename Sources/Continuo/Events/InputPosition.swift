// How far inputs have come: which ones, and an opaque place in each that only grows.
// Invariant: a position moves with the batch that it came with, and never back; sources ascend by the bytes of their names.
// Not here: what a source is (PostgreSQL's log, a file), journalling positions and keeping them (ContinuoStorage).

/// How far an input has come that batches are made of.
///
///     // Of PostgreSQL: the place of the commit in its log.
///     let position = InputPosition("postgres 7344910", 0x16_B374_D848)
public struct InputPosition: Equatable, Sendable {
  /// Which input: 1 to ``Limits/sourceBytesMax`` bytes of UTF-8.
  public let source: ByteString
  /// How far: what comes later is greater.
  public let position: UInt128

  /// A position of a source; nil where the name is empty, too long, or no UTF-8. O(length).
  public init?(_ source: ByteString, _ position: UInt128) {
    guard (1...Limits.sourceBytesMax).contains(source.bytes.count),
      String(validating: source.bytes, as: UTF8.self) != nil
    else { return nil }
    (self.source, self.position) = (source, position)
  }
}

/// The position of each source.
package struct InputPositions: Equatable, Sendable {
  /// Ascending by source.
  package private(set) var all: [InputPosition] = []

  package init() {}

  /// Those of some sources, which ascend; nil where they do not, or are too many. O(sources).
  package init?(_ ascending: [InputPosition]) {
    guard ascending.count <= Limits.sourcesMax,
      zip(ascending, ascending.dropFirst()).allSatisfy({ $0.source < $1.source })
    else { return nil }
    all = ascending
  }

  /// How far a source has come; nil where nothing of it was taken. O(sources).
  package func position(of source: ByteString) -> UInt128? { all.first { $0.source == source }?.position }

  /// Why a batch with this position is not taken; nil: it is. The same position again is: a step of the source may take more
  /// than one batch. O(sources).
  package func refusal(of next: InputPosition) -> Refusal? {
    guard let applied = position(of: next.source) else {
      return all.count < Limits.sourcesMax ? nil : .tooManySources
    }
    return next.position >= applied
      ? nil : .positionGoesBack(source: next.source, offered: next.position, applied: applied)
  }

  /// Moves on, behind a batch that was taken. O(sources).
  package mutating func advance(to next: InputPosition) {
    if let index = all.firstIndex(where: { $0.source == next.source }) {
      all[index] = next
    } else {
      all.insert(next, at: all.firstIndex { next.source < $0.source } ?? all.count)
    }
  }
}

extension Engine {
  /// How far each source has come that batches were taken of, ascending by the bytes of its name. O(sources).
  public var positions: [InputPosition] { inputs.all }

  /// Takes a batch in together with how far its source is; of a batch that is refused neither. O(rows).
  ///
  /// - Throws: ``Refusal``; nothing was changed.
  package mutating func apply(
    _ batch: borrowing EventBatch, _ bounds: BatchBounds, at position: InputPosition
  ) throws(Refusal) -> Receipt {
    if let refusal = inputs.refusal(of: position) { throw refusal }
    let receipt = try apply(batch, bounds)
    inputs.advance(to: position)
    return receipt
  }
}
