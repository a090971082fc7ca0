// A long result as CSV, made by two threads piece by piece.
// Invariant: stdout gets what ResultStream would write; what went wrong on either thread is thrown by the one that asked.
// Not here: whose turn it is (PieceOrder), the columns (ContinuoFormats).

internal import Continuo
internal import ContinuoBytes
internal import ContinuoFormats
internal import ContinuoMachine

/// Where a thread writes the rows of the piece that it makes.
struct PieceStream<Row: Sendable> {
  private let order: PieceOrder
  private var piece = 0
  private var writer: ResultWriter<Row>
  private var drained: [UInt8] = []

  private init(_ table: ResultTable<Row>, _ order: PieceOrder) {
    self.order = order
    writer = ResultWriter(table, as: .csv)
    writer.swapBytes(&drained)
  }

  /// Adds a row. O(columns); where the piece grows long, it waits until those before it are written.
  mutating func write(_ row: Row) throws {
    writer.write(row)
    guard writer.byteCount >= PieceOrder.bytesMax else { return }
    writer.swapBytes(&drained)
    try order.drain(piece, drained)
  }

  /// Writes a table whose rows `make` adds, so many pieces of them one behind the other.
  ///
  /// - Parameter make: adds the rows of the piece of that number; it is called on two threads.
  static func write(
    _ table: ResultTable<Row>, pieces: Int, _ make: @escaping @Sendable (Int, inout PieceStream) throws -> Void
  ) throws {
    try StandardOutput.write(ResultWriter(table, as: .csv).bytes)
    let order = PieceOrder(pieces: pieces) { try StandardOutput.write($0) }
    let work: @Sendable () -> Void = {
      var stream = PieceStream(table, order)
      order.work { piece, bytes in
        stream.piece = piece
        stream.writer.swapBytes(&bytes)
        try make(piece, &stream)
        stream.writer.swapBytes(&bytes)
      }
    }
    // Without a second thread the first one makes them all.
    let other = ThreadHandle(work)
    work()
    other?.join()
    if let failure = order.failure { throw failure }
  }
}

/// An engine's answers for other threads, as long as whoever made it borrows the engine and waits for them.
struct LentMarket: MarketAnswers, Sendable {
  let contents: EngineContents

  init(_ engine: borrowing Engine) { contents = engine.contents }
}
