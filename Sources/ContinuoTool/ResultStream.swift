// A result on its way to stdout: rows in, written in pieces as they are made.
// Invariant: bytes reach stdout in order and whole; what is not finished is not complete.
// Not here: the columns and formats (ContinuoFormats).

internal import ContinuoBytes
internal import ContinuoFormats

struct ResultStream<Row> {
  private static var pieceBytes: Int { 1 << 16 }

  private var writer: ResultWriter<Row>
  /// The last piece's memory, for the next.
  private var piece: [UInt8] = []

  init(_ table: ResultTable<Row>, _ output: OutputOptions, _ console: Console) {
    writer = ResultWriter(table, as: output.format, isBold: console.allowsColour)
  }

  mutating func write(_ row: Row) throws {
    writer.write(row)
    if writer.byteCount >= Self.pieceBytes { try writePiece() }
  }

  private mutating func writePiece() throws {
    writer.swapBytes(&piece)
    try StandardOutput.write(piece)
  }

  mutating func finish() throws {
    writer.finish()
    try writePiece()
  }
}

enum StandardOutput {
  static func write(_ bytes: [UInt8]) throws {
    do {
      try DescriptorHandle.standardOutput.write(bytes)
    } catch DescriptorFailure.closed {
      throw DescriptorFailure.closed
    } catch {
      throw Failure(
        .storageFailed, "standard output: \(error)", remedy: "see whether the disk is full, then ask again")
    }
  }
}
