// One result of libpq: what kind it is, its rows, its error.
// Invariant: the result is freed with the handle; what is handed out are copies.
// Not here: asking for it (ServerHandle), what follows from it (Connection).

#if Postgres
  internal import CPostgres

  @safe final class ResultHandle {
    enum Kind { case command, rows, copyIn, copyOut, copyBoth, error, pipelineEnd, pipelineAborted, other }

    private let result: OpaquePointer

    /// Takes over a result that libpq has given.
    init(owning result: OpaquePointer) {
      // SAFETY: handed over by ServerHandle, which forgets it.
      unsafe self.result = result
    }

    deinit {
      // SAFETY: ours alone, freed once.
      unsafe PQclear(result)
    }

    var kind: Kind {
      // SAFETY: the result lives as long as self.
      switch unsafe PQresultStatus(result) {
      case PGRES_COMMAND_OK: .command
      case PGRES_TUPLES_OK: .rows
      case PGRES_COPY_IN: .copyIn
      case PGRES_COPY_OUT: .copyOut
      case PGRES_COPY_BOTH: .copyBoth
      case PGRES_FATAL_ERROR, PGRES_BAD_RESPONSE: .error
      case PGRES_PIPELINE_SYNC: .pipelineEnd
      case PGRES_PIPELINE_ABORTED: .pipelineAborted
      default: .other
      }
    }

    var error: ServerError {
      ServerError(
        sqlState: field("C"), message: field("M").isEmpty ? message : field("M"), detail: field("D"), hint: field("H"))
    }

    /// All rows. O(bytes).
    var rows: Rows {
      var rows = Rows()
      // SAFETY: the result lives as long as self; row and column are within what it says; texts end with zero.
      let (height, width) = unsafe (PQntuples(result), PQnfields(result))
      rows.columns = (0..<width).map { column in unsafe PQfname(result, column).map { unsafe String(cString: $0) } ?? ""
      }
      rows.isBinary = unsafe PQfformat(result, 0) == 1 && width > 0
      rows.rows.reserveCapacity(Int(height))
      for row in 0..<height { rows.rows.append((0..<width).map { cell(row, $0) }) }
      if let affected = unsafe PQcmdTuples(result) { rows.affected = unsafe Int(String(cString: affected)) ?? 0 }
      return rows
    }

    private func cell(_ row: Int32, _ column: Int32) -> [UInt8]? {
      // SAFETY: within the result, which lives as long as self; libpq says how long the value is.
      guard unsafe PQgetisnull(result, row, column) == 0, let value = unsafe PQgetvalue(result, row, column) else {
        return nil
      }
      let count = unsafe Int(PQgetlength(result, row, column))
      return unsafe Array(UnsafeRawBufferPointer(start: value, count: count))
    }

    private func field(_ code: Character) -> String {
      // SAFETY: a text that ends with zero, the result's own, or none.
      let text = unsafe PQresultErrorField(result, Int32(code.asciiValue ?? 0))
      return unsafe text.map { unsafe String(cString: $0) } ?? ""
    }

    private var message: String {
      // SAFETY: as in `field`.
      let text = unsafe PQresultErrorMessage(result)
      return unsafe ConnectionHandle.line(text.map { unsafe String(cString: $0) } ?? "")
    }
  }
#endif
