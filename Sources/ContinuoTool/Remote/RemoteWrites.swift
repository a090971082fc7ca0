// The commands that change something, or look after it, asked of a server.
// Invariant: a result is written of what the server says that it did; what its answer has no word for is refused before.
// Not here: events (RemoteIngest), what a directory does (Commands).

#if CONTINUO_SERVER
  internal import ArgumentParser
  internal import Continuo
  internal import ContinuoFormats

  extension RemoteServer {
    /// Sends a question for operators, and writes the columns of its answer.
    fileprivate func write<Row>(
      _ object: RemoteObject, _ table: ResultTable<Row>, _ output: OutputOptions, _ console: Console
    ) throws {
      var result = ResultStream(ResultTable<CellRow>(like: table), output, console)
      try result.write(try row(object, table))
      try result.finish()
    }

    fileprivate func post(_ path: [String], _ fill: (inout JSONObject) -> Void = { _ in }) throws -> RemoteObject {
      var body = JSONObject()
      fill(&body)
      return try object(post(path, .admin, Self.trimmed(body.finished())))
    }

    /// Without the line feed: a body of nothing is {} and no more.
    private static func trimmed(_ text: [UInt8]) -> [UInt8] { text.last == 0x0A ? Array(text.dropLast()) : text }
  }

  extension Checkpoint {
    func ask(_ server: RemoteServer, _ console: Console) throws {
      try server.write(server.post(["v1", "admin", "checkpoint"]), .checkpoint, output, console)
    }
  }

  extension Backup {
    func ask(_ server: RemoteServer, _ console: Console) throws {
      let console = console.with(options.consoleOptions)
      guard !options.digest else {
        throw ValidationError(
          "--digest and --url are both given: no answer has the digest of a backup; 'continuo inspect --digest' on the backup does"
        )
      }
      let object = try server.post(["v1", "admin", "backup"]) { $0.put("to", ByteString(to)) }
      try server.write(object, .copy(withDigest: false), options.output, console)
    }
  }

  extension Verify {
    func ask(_ server: RemoteServer, _ console: Console) throws {
      let reply = try server.post(["v1", "admin", "verify"], .admin, Array("{}".utf8))
      let object = try server.object(reply)
      guard let differences = RemoteList(reply.body)?.differences, let damaged = object.count("damaged"),
        let files = object.count("files")
      else { throw server.badAnswer("no list of differences") }
      for difference in differences { console.note("continuo: \(Visible.text(difference))") }
      guard differences.isEmpty else {
        throw Failure(
          .damaged,
          "\(Visible.text(server.base)): \(damaged) files are damaged, \(differences.count - damaged) summaries "
            + "differ, \(files) files are sound",
          remedy:
            "keep a copy of the directory; 'continuo repair --dry-run' says what can be brought back without a backup")
      }
      try server.write(object, .verify, output, console)
    }
  }

  extension Rollback {
    func ask(_ server: RemoteServer, _ console: Console) throws {
      guard !dryRun else {
        throw ValidationError(
          "--dry-run and --url are both given: no route counts what would be undone; try it on a backup, with --data-dir"
        )
      }
      if !yes {
        try Writing.requireTerminal(orSee: nil)
        try Writing.confirm(
          "undo every event of chain \(chain) above block \(block) at \(Visible.text(server.base))?",
          orSay: "nothing was undone")
      }
      let object = try server.post(["v1", "chains", String(chain), "rollback"]) { $0.put("block", count: block) }
      try server.write(object, .rollback, output, console)
    }
  }

  extension Retract {
    func ask(_ server: RemoteServer, _ identity: EventIdentity, _ console: Console) throws {
      let object = try server.post(["v1", "events", "retract"]) { $0.put("events", [identity], ResultTable.identities) }
      guard object.count("undone") == 1 else { throw notHeld }
      var result = ResultStream(.retract, output, console)
      try result.write(RetractAnswer(undone: 1))
      try result.finish()
    }
  }
#endif
