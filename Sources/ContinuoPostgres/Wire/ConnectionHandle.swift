// One connection of libpq, without waiting: each call does what can be done now and says what to wait for.
// Invariant: the connection is finished with the handle; no pointer leaves it; a call never waits for the server.
// Not here: waiting, deadlines, what an answer means (Connection).

#if Postgres
  internal import CPostgres
  internal import ContinuoBytes

  @safe final class ConnectionHandle {
    enum Progress { case done, failed, wantsRead, wantsWrite }

    private let connection: OpaquePointer

    /// Begins to connect; nil where there is no memory. Names of hosts are looked up here, which takes as long as it takes.
    init?(_ options: [(keyword: String, value: String)]) {
      // One piece of memory for all texts, each with a zero behind it.
      var (memory, offsets): ([UInt8], [(Int, Int)]) = ([], [])
      for (keyword, value) in options {
        let first = memory.count
        memory += Array(keyword.utf8) + [0]
        offsets.append((first, memory.count))
        memory += Array(value.utf8) + [0]
      }
      let made = unsafe memory.withUnsafeBytes { bytes in
        var (keywords, values): ([UnsafePointer<CChar>?], [UnsafePointer<CChar>?]) = unsafe ([], [])
        for (keyword, value) in offsets {
          unsafe keywords.append(bytes.baseAddress.map { unsafe ($0 + keyword).assumingMemoryBound(to: CChar.self) })
          unsafe values.append(bytes.baseAddress.map { unsafe ($0 + value).assumingMemoryBound(to: CChar.self) })
        }
        unsafe keywords.append(nil)
        unsafe values.append(nil)
        // SAFETY: both arrays end with nil, their texts with zero; they live for as long as the call takes, and libpq copies them.
        return unsafe PQconnectStartParams(keywords, values, 1)
      }
      guard let made = unsafe made else { return nil }
      unsafe connection = made
      // What the server says besides would go to stderr.
      unsafe _ = PQsetNoticeReceiver(made, { _, _ in }, nil)
    }

    deinit {
      // SAFETY: ours alone, finished once.
      unsafe PQfinish(connection)
    }

    /// Goes on with connecting.
    func advance() -> Progress {
      // SAFETY: the connection lives as long as self.
      if unsafe PQstatus(connection) == CONNECTION_BAD { return .failed }
      switch unsafe PQconnectPoll(connection) {
      case PGRES_POLLING_OK: return unsafe PQsetnonblocking(connection, 1) == 0 ? .done : .failed
      case PGRES_POLLING_READING: return .wantsRead
      case PGRES_POLLING_WRITING: return .wantsWrite
      default: return .failed
      }
    }

    // SAFETY (of all below): the connection lives as long as self, and texts that libpq hands out end with zero and are copied.

    /// SAFETY: see above.
    var socket: Int32 { unsafe PQsocket(connection) }
    /// SAFETY: see above.
    var isBad: Bool { unsafe PQstatus(connection) == CONNECTION_BAD }
    /// SAFETY: see above.
    var isTLS: Bool { unsafe PQsslInUse(connection) != 0 }
    /// SAFETY: see above.
    var version: Int { unsafe Int(PQserverVersion(connection)) }
    /// SAFETY: see above.
    var isInTransaction: Bool { unsafe PQtransactionStatus(connection) != PQTRANS_IDLE }

    /// What libpq says is wrong, in one line.
    var message: String {
      // SAFETY: see above.
      Self.line(unsafe PQerrorMessage(connection).map { unsafe String(cString: $0) } ?? "")
    }

    /// Several lines as one.
    static func line(_ text: String) -> String {
      text.split(whereSeparator: \.isNewline).map { $0.trimmingPrefix { $0 == "\t" || $0 == " " } }.joined(
        separator: "; ")
    }

    /// Sends a statement with its parameters, all in binary; whether libpq took it.
    func send(_ statement: String, _ parameters: [PostgresValue]) -> Bool {
      let bytes = parameters.map(\.bytes)
      let types = parameters.map(\.type)
      var (values, lengths): ([UnsafePointer<CChar>?], [Int32]) = unsafe ([], [])
      // One piece of memory for all of them, which does not move for as long as the call takes.
      let all = bytes.reduce(into: [UInt8]()) { $0 += ($1 ?? []) + [0] }
      return unsafe all.withUnsafeBytes { memory in
        var offset = 0
        for value in bytes {
          // SAFETY: within `all`; libpq reads as many bytes as `lengths` says.
          let start = unsafe memory.baseAddress.map { unsafe ($0 + offset).assumingMemoryBound(to: CChar.self) }
          unsafe values.append(value == nil ? nil : start)
          lengths.append(Int32(value?.count ?? 0))
          offset += (value?.count ?? 0) + 1
        }
        let formats = [Int32](repeating: 1, count: bytes.count)
        return unsafe PQsendQueryParams(
          connection, statement, Int32(bytes.count), types, values, lengths, formats, 1) == 1
      }
    }

    /// Sends statements without parameters, whose rows come as text; whether libpq took them.
    func send(script: String) -> Bool {
      // SAFETY: see above.
      unsafe PQsendQuery(connection, script) == 1
    }

    /// Sends what waits to be sent: `.done`, or `.wantsWrite` where there is more.
    func flush() -> Progress {
      // SAFETY: see above.
      switch unsafe PQflush(connection) {
      case 0: .done
      case 1: .wantsWrite
      default: .failed
      }
    }

    /// Takes what has come.
    func consume() -> Bool {
      // SAFETY: see above.
      unsafe PQconsumeInput(connection) == 1
    }

    /// Whether the next result has not come as a whole.
    var isBusy: Bool {
      // SAFETY: see above.
      unsafe PQisBusy(connection) == 1
    }

    /// The next result of what was sent; nil behind the last one. Not to be called while it is busy.
    func result() -> ResultHandle? {
      // SAFETY: a result is handed over to its handle.
      guard let result = unsafe PQgetResult(connection) else { return nil }
      return unsafe ResultHandle(owning: result)
    }

    // MARK: pipeline

    /// SAFETY: see above.
    func enterPipeline() -> Bool { unsafe PQenterPipelineMode(connection) == 1 }
    /// SAFETY: see above.
    func exitPipeline() -> Bool { unsafe PQexitPipelineMode(connection) == 1 }
    /// SAFETY: see above.
    func syncPipeline() -> Bool { unsafe PQpipelineSync(connection) == 1 }

    // MARK: COPY

    /// Puts bytes into a COPY; nil where it has to be flushed first.
    func put(_ bytes: [UInt8]) -> Bool? {
      // SAFETY: libpq copies what is lent.
      let outcome = unsafe bytes.withUnsafeBytes { memory in
        unsafe PQputCopyData(
          connection, memory.baseAddress?.assumingMemoryBound(to: CChar.self), Int32(memory.count))
      }
      return outcome == 0 ? nil : outcome == 1
    }

    /// Ends a COPY, with an error where one is given; nil where it has to be flushed first.
    func end(_ error: String?) -> Bool? {
      // SAFETY: see above.
      let outcome = unsafe PQputCopyEnd(connection, error)
      return outcome == 0 ? nil : outcome == 1
    }

    enum Piece {
      case bytes([UInt8])
      case none, end, failed
    }

    /// The next piece of a COPY, if it has come.
    func piece() -> Piece {
      var buffer: UnsafeMutablePointer<CChar>?
      // SAFETY: libpq allocates what it says the length of; it is copied and freed.
      let count = unsafe PQgetCopyData(connection, &buffer, 1)
      guard count > 0, let start = unsafe buffer else { return count == 0 ? .none : count == -1 ? .end : .failed }
      defer { unsafe PQfreemem(start) }
      return unsafe .bytes(Array(UnsafeRawBufferPointer(start: start, count: Int(count))))
    }

    // MARK: cancelling

    /// Asks the server to end what it does, on a thread of its own: a server that does not answer would hold this one.
    func cancel() {
      // SAFETY: libpq copies what it needs of the connection; the copy is used and freed by the thread alone.
      guard let request = unsafe PQgetCancel(connection) else { return }
      let address = Int(bitPattern: request)
      let thread = ThreadHandle {
        // SAFETY: the copy that was made for this thread.
        guard let request = unsafe OpaquePointer(bitPattern: address) else { return }
        var message = [CChar](repeating: 0, count: 256)
        _ = unsafe PQcancel(request, &message, Int32(message.count))
        unsafe PQfreeCancel(request)
      }
      guard let thread else {
        unsafe PQfreeCancel(request)
        return
      }
      thread.detach()
    }
  }
#endif
