// Files sent to a server, batch by batch: each row as the file has it, each rejection with the line of the file.
// Invariant: batches go one after the other, in the order of the rows; what was answered is as durable as the server says.
// Not here: splitting files (ContinuoFormats), judging (the server), the receipt's form (IngestReport).

#if CONTINUO_SERVER
  internal import ArgumentParser
  internal import Continuo
  internal import ContinuoFormats
  internal import ContinuoStorage
  internal import FoundationEssentials

  extension Ingest {
    /// What only says how a directory is opened, or how an engine judges: a server was started with its own.
    func requireServersOwn() throws {
      let given = [
        ("durability", durability != .sync), ("verify-on-start", verifyOnStart), ("ordered", ordered),
        ("retention", kept.retention != nil), ("price", reading.price != .quoted),
        ("allow-future", reading.allowFuture),
        ("future-tolerance", reading.futureTolerance != Limits.futureToleranceMicroseconds),
      ]
      if let flag = given.first(where: \.1)?.0 {
        throw ValidationError("--\(flag) and --url are both given: that is the server's, as it was started")
      }
    }

    /// Sends the files. All of it is with the server when this returns.
    ///
    /// - Returns: what there is to say of how far it is.
    func send(_ files: [String], to server: RemoteServer, _ feed: inout Feed, _ console: Console) throws -> String {
      let options = try reading.inputOptions()
      var progress = Progress(console)
      defer { progress.finish() }
      do {
        for (index, path) in files.enumerated() {
          var input = try InputFile(path: path, options: options)
          while let batch = try RemoteBatch(&input, options) {
            feed.note(try batch.send(to: server, reading.timeUnit, &feed.report), file: path)
            progress.update(
              file: index + 1, of: files.count, bytes: input.bytesRead, total: input.bytesTotal, rows: feed.report.rows)
          }
          feed.note(warnings: input.takeWarnings())
        }
      } catch {
        progress.finish()
        if feed.report.sequence != nil {
          console.note("continuo: what was taken in before is kept: \(position(feed, server))")
        }
        if let failure = error as? InputFailure { throw Failure(failure) }
        throw error
      }
      let held = try server.object(server.get(["v1", "inspect"]))
      progress.finish()
      feed.noteWarnings(newest: held.instant("newest"), first: { held.instant("first") }, console)
      return "continuo: \(position(feed, server))"
    }

    private func position(_ feed: Feed, _ server: RemoteServer) -> String {
      "\(Visible.text(server.base)) has it, as far as sequence \(feed.report.sequence ?? 0)"
    }
  }

  /// One batch of a file, as the bodies of requests.
  private struct RemoteBatch {
    /// How long a body is before another one is begun.
    private static let bytesMax = 8 << 20

    private var bodies: [RowText] = []
    /// What is rejected here, since it cannot be sent as it is: nothing of it would change anything there either.
    private var rejections: [Rejection] = []

    /// Reads the next batch; nil at the end of the file.
    init?(_ input: inout InputFile, _ options: InputOptions) throws {
      var (bodies, rejections): ([RowText], [Rejection]) = ([RowText()], [])
      let hasRows = try input.nextRows { rows in
        let faulty = rows.faulty
        var kept: Set<Int> = []
        for row in 0..<rows.count {
          guard !faulty.contains(row), bodies[bodies.count - 1].append(row, of: rows) else {
            kept.insert(row)
            continue
          }
          if bodies[bodies.count - 1].bytes.count >= Self.bytesMax { bodies.append(RowText()) }
        }
        guard !kept.isEmpty else { return }
        var (judged, copy) = (EventBatch(price: options.price, timeUnit: options.timeUnit), copy rows)
        judged.judge(&copy)
        let byLine = Dictionary(judged.rejections.map { ($0.line, $0) }) { first, _ in first }
        for row in kept.sorted() {
          if let rejection = byLine[rows.lines[row]] {
            rejections.append(rejection)
          } else {
            // What is no UTF-8 stands where nobody looks.
            _ = bodies[bodies.count - 1].append(row, of: rows, leavesOutBadTexts: true)
          }
        }
      }
      guard hasRows else { return nil }
      (self.bodies, self.rejections) = (bodies, rejections)
    }

    /// Sends it; what became of all its rows.
    func send(to server: RemoteServer, _ unit: TimeUnit, _ report: inout IngestReport) throws -> Receipt {
      var sum = Receipt()
      sum.rejections = rejections
      for body in bodies where !body.lines.isEmpty {
        let reply: RemoteServer.Reply
        do {
          reply = try server.post(
            ["v1", "events"], query: [("time_unit", unit.rawValue)], .write, type: "application/x-ndjson", body.bytes)
        } catch let failure as Failure where failure.code == .tooLarge {
          throw Failure(.tooLarge, failure.what, remedy: "lower --batch-size")
        }
        guard let receipt = RemoteReceipt(reply.body), let rejections = receipt.rejections(lines: body.lines) else {
          throw server.badAnswer("a receipt that is none")
        }
        sum.accepted += receipt.accepted
        sum.duplicates += receipt.duplicates
        sum.rejections += rejections
        report.sequence = receipt.sequence
      }
      sum.rejections.sort { $0.line < $1.line }
      return sum
    }
  }

  /// The receipt of a batch, as a server answers it.
  private struct RemoteReceipt: Decodable {
    struct Line: Decodable {
      let line: Int
      let field: String?
      let value: String
      let reason: String
    }

    let accepted: Int
    let duplicates: Int
    let rejections: [Line]
    let sequence: UInt64?

    init?(_ body: [UInt8]) {
      guard let receipt = try? JSONDecoder().decode(RemoteReceipt.self, from: Data(body)) else { return nil }
      self = receipt
    }

    /// The rejections with the lines of the file; nil where one is none.
    func rejections(lines: [Int]) -> [Rejection]? {
      var found: [Rejection] = []
      for rejection in rejections {
        guard lines.indices.contains(rejection.line - 1),
          let reason = RejectionReason.allCases.first(where: { $0.name == rejection.reason })
        else { return nil }
        found.append(
          Rejection(
            line: lines[rejection.line - 1], field: EventField.allCases.first { $0.name == rejection.field },
            value: ByteString(rejection.value), reason: reason))
      }
      return found
    }
  }

  /// The one list of texts that a server answers beside plain values.
  struct RemoteList: Decodable {
    let differences: [String]

    init?(_ body: [UInt8]) {
      guard let list = try? JSONDecoder().decode(RemoteList.self, from: Data(body)) else { return nil }
      self = list
    }
  }
#endif
