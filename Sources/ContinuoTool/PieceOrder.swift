// Pieces of a long result that several threads make, brought to stdout in order.
// Invariant: stdout gets the bytes that one thread would write, in that order; a piece that is long waits for its turn, so that
// no more than `aheadMax` pieces of `bytesMax` are held.
// Not here: what the pieces hold (PieceStream), locks (MonitorHandle).

internal import ContinuoBytes

/// Who makes which piece, and when it may be written.
struct PieceOrder: Sendable {
  /// A piece as long as this is not gathered any further: it waits until all before it are written.
  static let bytesMax = 1 << 20
  /// How many pieces may be in the making or finished before the one that is written.
  private static let aheadMax = 8

  /// What the threads know of each other.
  private struct State: Sendable {
    /// How many pieces were begun.
    var taken = 0
    /// How many pieces are written.
    var written = 0
    /// Whether one thread is writing finished pieces.
    var isWriting = false
    /// Pieces that are finished, by number.
    var finished: [Int: [UInt8]] = [:]
    /// Memory for pieces to come.
    var spare: [[UInt8]] = []
    var failure: (any Error)?
  }

  /// What a thread throws where another one has failed.
  private struct Ended: Error {}

  private let pieces: Int
  private let state = MonitorHandle(State())
  private let write: @Sendable ([UInt8]) throws -> Void

  /// Makes an order of so many pieces, for `write` to bring out. O(1).
  init(pieces: Int, _ write: @escaping @Sendable ([UInt8]) throws -> Void) {
    self.pieces = pieces
    self.write = write
  }

  /// What the first thread failed with, nil where none did.
  var failure: (any Error)? { state.locked { $0.failure } }

  /// Makes pieces until none is left: the work of one thread. What goes wrong ends the work of all.
  ///
  /// - Parameter make: makes the piece of that number; a piece that grows long is drained in between (``drain(_:_:)``).
  func work(_ make: (_ piece: Int, _ bytes: inout [UInt8]) throws -> Void) {
    do {
      while let (piece, memory) = take() {
        var bytes = memory
        try make(piece, &bytes)
        try finish(piece, bytes)
      }
    } catch is Ended {
      // The one that failed has said why.
    } catch {
      state.locked { $0.failure = $0.failure ?? error }
    }
  }

  /// Waits for a piece's turn, then writes what there is of it. O(bytes).
  func drain(_ piece: Int, _ bytes: [UInt8]) throws {
    let isOver = state.locked(when: { $0.written == piece || $0.failure != nil }, { $0.failure != nil })
    if isOver { throw Ended() }
    // Nobody else writes before this piece is finished.
    try write(bytes)
  }

  private func take() -> (piece: Int, memory: [UInt8])? {
    state.locked(
      when: { $0.taken < $0.written + Self.aheadMax || $0.taken >= pieces || $0.failure != nil },
      { state in
        guard state.taken < pieces, state.failure == nil else { return nil }
        state.taken += 1
        return (state.taken - 1, state.spare.popLast() ?? [])
      })
  }

  /// Hands a piece in, and writes it with those behind it if it is next.
  private func finish(_ piece: Int, _ bytes: [UInt8]) throws {
    var next: [UInt8]? = state.locked { state in
      state.finished[piece] = bytes
      guard !state.isWriting, let next = state.finished.removeValue(forKey: state.written) else { return nil }
      state.isWriting = true
      return next
    }
    while var turn = next {
      next = nil
      try write(turn)
      turn.removeAll(keepingCapacity: true)
      next = state.locked { state in
        state.spare.append(turn)
        state.written += 1
        let next = state.finished.removeValue(forKey: state.written)
        state.isWriting = next != nil
        return next
      }
    }
  }
}
