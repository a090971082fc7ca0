// Between Hummingbird and the service: heads into questions, bodies into batches, answers onto the wire.
// Invariant: nothing that waits, and nothing long, is done on a thread that serves connections.
// Not here: what is answered (Service, Routes), connections (ConnectionWatch).

#if Server
  internal import Continuo
  internal import ContinuoFormats
  internal import ContinuoStorage
  internal import HTTPTypes
  internal import Hummingbird
  internal import NIOCore
  internal import NIOHTTP1
  internal import NIOPosix

  struct HTTPFront: HTTPResponder {
    typealias Context = PeerContext

    let service: Service
    /// The threads that may wait.
    let threads: NIOThreadPool
    let log: RequestLog

    func respond(to request: Request, context: PeerContext) async throws -> Response {
      let start = ContinuousClock.now
      let ask = Ask(request)
      let answer: Answer
      var name: String?
      switch service.step(ask) {
      case .answer(let known): answer = known
      case .work(let route, var question):
        name = route.name
        if route.level == .admin { question.ask.peer = context.peer }
        answer = try await work(route, question, request.body)
      }
      log.note(ask, name, answer.status, start.duration(to: .now)) { context.peer }
      guard ask.takesGzip, answer.isLongToCompress else {
        return response(service.completed(answer, ask), ask, request.body)
      }
      return response(try await threads.runIfActive { service.completed(answer, ask) }, ask, request.body)
    }

    private func work(_ route: Route, _ question: Question, _ body: RequestBody) async throws -> Answer {
      var start = ContinuousClock.now
      var hasBody = question.ask.mayHaveLongBody
      let answer: Answer
      do {
        // Nearly always the market is there.
        if route.needsMarket, !question.market.early.isOver, let known = try await early(route, question, &start) {
          answer = known
        } else {
          // How long it waited for the directory says nothing of the route.
          start = .now
          answer = try await self.answer(route, question, body, &hasBody)
        }
      } catch let failure where Self.isOfConnection(failure) {
        throw failure
      } catch {
        return service.answer(Problem(error), to: question.ask, hasBody: hasBody)
      }
      question.market.metrics.note(route.name, seconds: (ContinuousClock.now - start).seconds)
      return answer
    }

    /// What a route answers.
    ///
    /// - Parameter hasBody: whether there may be a body that was not read yet.
    private func answer(
      _ route: Route, _ question: Question, _ body: RequestBody, _ hasBody: inout Bool
    ) async throws -> Answer {
      switch route.work {
      case .quick(let work): return try work(question)
      case .stream(let open): return question.ask.method == "HEAD" ? .stream(nil) : .stream(try open(question))
      case .slow(let work): return try await threads.runIfActive { try work(question) }
      case .posted(let work):
        let bytes = try await small(body)
        hasBody = false
        return try await threads.runIfActive { try work(question, bytes) }
      case .events:
        try question.market.memory.require()
        let batch = try await batch(question, body)
        hasBody = false
        return try await threads.runIfActive {
          let (receipt, sequence) = try question.market.take(batch)
          return .json(receipt.json(sequence: sequence))
        }
      }
    }

    /// The answer from a part of a directory that is still being read; waits for the whole where none is.
    ///
    /// - Parameter start: is set to when it was its turn.
    /// - Returns: nil where the market is there.
    private func early(
      _ route: Route, _ question: Question, _ start: inout ContinuousClock.Instant
    ) async throws -> Answer? {
      let early = question.market.early
      let deadline = early.deadline
      if let part = try route.part?(question) {
        if let parts = await early.turn(until: deadline) {
          start = .now
          if let answer = try await answer(route, question, part, parts) { return answer }
          await early.whole(until: deadline)
        }
      } else {
        await early.whole(until: deadline)
      }
      // Whoever waited too long is told why; where it never comes the threads that would say so may be gone.
      _ = try question.market.opened()
      return nil
    }

    /// The answer from a part, whose turn ends with it; nil where it needs the whole.
    private func answer(
      _ route: Route, _ question: Question, _ part: CandleQuestion, _ parts: DirectoryParts
    ) async throws -> Answer? {
      defer { question.market.early.leave() }
      return try await threads.runIfActive {
        do {
          return try parts.read(part) { try route.answer(question.with(EarlyVersion($0))) } ?? nil
        } catch is NeedsWholeMarket {
          return nil
        }
      }
    }

    /// Whether nobody is there to be answered, or nothing that could be told from what was sent.
    private static func isOfConnection(_ failure: any Error) -> Bool {
      failure is HTTPParserError || failure is ChannelError || failure is IOError || failure is CancellationError
        || failure is NIOAsyncWriterError
    }

    // MARK: bodies

    private func small(_ body: RequestBody) async throws -> [UInt8] {
      var bytes: [UInt8] = []
      var held = HeldBytes(service.market.metrics, service.limits)
      for try await piece in body {
        try held.add(piece.readableBytes)
        guard bytes.count + piece.readableBytes <= service.limits.smallBodyBytesMax else {
          throw Problem(
            .tooLarge, "the body is over \(service.limits.smallBodyBytesMax >> 10) KiB", remedy: "send it in parts")
        }
        bytes.append(contentsOf: piece.readableBytesView)
      }
      return bytes
    }

    private func batch(_ question: Question, _ body: RequestBody) async throws -> EventBatch {
      let intake = SharedIntake(try EventIntake(question, price: question.market.opened().ledger.price))
      for try await piece in body {
        try await threads.runIfActive { try intake.take(Array(piece.readableBytesView)) }
      }
      return try await threads.runIfActive { try intake.finish() }
    }

    // MARK: answers

    /// Names are looked at once, not for every answer.
    private static let always: HTTPFields = {
      var headers = HTTPFields()
      for (name, value) in Service.always {
        if let name = HTTPField.Name(name) { headers.append(HTTPField(name: name, value: value)) }
      }
      return headers
    }()

    private func response(_ answer: Answer, _ ask: Ask, _ request: RequestBody) -> Response {
      var headers = Self.always
      if let type = answer.type { headers[.contentType] = type }
      if let policy = answer.policy { headers[.contentSecurityPolicy] = policy }
      for (name, value) in answer.headers {
        if let name = name == "ETag" ? .eTag : HTTPField.Name(name) {
          headers.append(HTTPField(name: name, value: value))
        }
      }
      if answer.closes { headers[.connection] = "close" }
      let status = HTTPResponse.Status(code: answer.status)
      if let stream = answer.stream {
        return Response(
          status: status, headers: headers, body: StreamBody.body(stream, request))
      }
      if ask.method == "HEAD" {
        headers[.contentLength] = String(answer.body.count)
        return Response(status: status, headers: headers)
      }
      guard !answer.body.isEmpty else {
        var response = Response(status: status, headers: headers)
        // Neither has a body, and so no length of one.
        if answer.status == 304 || answer.status == 204 { response.headers[.contentLength] = nil }
        return response
      }
      return Response(
        status: status, headers: headers, body: ResponseBody(byteBuffer: ByteBuffer(bytes: answer.body)))
    }
  }

  extension Ask {
    private static let lastEventIDName = HTTPField.Name("Last-Event-ID")!

    /// What of a request's head counts. O(headers).
    init(_ request: Request) {
      self.init(method: request.method.rawValue, target: request.head.path ?? "")
      host = request.head.authority
      let headers = request.headers
      origin = headers[.origin]
      accept = headers[.accept]
      acceptEncoding = headers[.acceptEncoding]
      authorization = headers[.authorization]
      ifNoneMatch = headers[.ifNoneMatch]
      lastEventID = headers[Self.lastEventIDName]
      contentType = headers[.contentType]
      contentEncoding = headers[.contentEncoding]
      contentLength = headers[.contentLength].flatMap { Int($0) }
      preflightMethod = headers[.accessControlRequestMethod]
    }
  }
#endif
