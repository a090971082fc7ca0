// What follows from a database being the source: nobody else writes its chains, and tokens are called what it calls them.
// Invariant: a label is shown and found, and names no token.
// Not here: the same refusal over HTTP (CommandTests).

#if Server && Postgres
  import Continuo
  import ContinuoPostgres
  import ContinuoTestSupport
  import Foundation
  import Testing

  @Suite("A database as the source", .serialized)
  struct OwnershipTests {
    /// Rule 20.10: commands that work on a directory ask whose a chain is.
    @Test("ingest, rollback and retract leave the database's chains alone")
    func commands() throws {
      let (name, server, options) = try WriterTests.setUp()
      _ = name
      var application = try Application(server, seed: 31)
      for _ in 0..<30 { try application.step() }
      let folder = try Folder()
      let directory = folder.path + "/data"
      let following = try Following(options, directory: directory)
      try following.catchUp(server)
      let held = following.ledger.hourCandles
      following.end()
      func file(_ chain: Int) throws -> String {
        let path = folder.path + "/events-\(chain).ndjson"
        let event =
          #"{"kind":"swap","chain":\#(chain),"block":7,"timestamp":"\#(wallClock())","token":"OTHER","amount_usd":"1","token_amount":"1"}"#
        try (event + "\n").write(toFile: path, atomically: true, encoding: .utf8)
        return path
      }
      let commands = [
        ["ingest", "--data-dir", directory, try file(1)],
        ["rollback", "--data-dir", directory, "--chain", "1", "--block", "0", "--yes"],
        ["retract", "--data-dir", directory, "--kind", "swap", "--chain", "2", "--block", "1001", "--log-index", "1"],
      ]
      for command in commands {
        let refused = try Program.run(command)
        #expect(refused.status == 1 && refused.error.contains("source_owned"), "\(command[0]): \(refused.error)")
      }
      let other = try Program.run(["ingest", "--data-dir", directory, try file(77)])
      #expect(other.status == 0, "\(other.error)")
      // So does a server that was started without the database.
      let served = try ServedBeside(nil, directory: directory)
      while served.page("/readyz")?.contains("\"ready\":true") != true { usleep(20_000) }
      func event(_ chain: Int) -> String {
        #"{"block":8,"chain":\#(chain),"timestamp":"\#(wallClock())","token":"OTHER","amount_usd":"1","token_amount":"1"}"#
      }
      let refused = served.page("/v1/events", body: event(1))
      #expect(refused?.contains("source_owned") == true, "\(refused ?? "")")
      let taken = served.page("/v1/events", body: event(77))
      #expect(taken?.contains("\"accepted\":1") == true, "\(taken ?? "")")
      #expect(served.end() == 0)
      #expect(
        try Program.run(["rollback", "--data-dir", directory, "--chain", "77", "--block", "0", "--yes"]).status == 0)
      // It goes on where it was: reading whose the chains are has changed nothing.
      for _ in 0..<10 { try application.step() }
      let again = try Following(options, directory: directory)
      try again.catchUp(server)
      #expect(again.status.snapshots == 0 && again.ledger.hourCandles.count >= held.count)
      #expect(try again.ledger.hourCandles == Application.candles(server))
    }

    /// Rule 20.1: the label is the application's symbol, also where that changes; it is found, and is no name.
    @Test("Tokens are shown and found by what the application calls them")
    func labels() throws {
      let (name, server, _) = try WriterTests.setUp()
      let application = try Application(server, seed: 32)
      let token = application.tokens[1]
      try server.script(
        """
        update artist_tokens set symbol = 'Beat <b>"1"' where id = '\(token)';
        insert into pool_events (artist_token_id, chain_id, block_number, log_index, tx_hash, event_type, side, amount_usd, token_amount,
          block_timestamp) select id, 1, 1, row_number() over (), 'x', 'swap', 'buy', 10, 4, now() from artist_tokens
        """)
      let folder = try Folder()
      let served = try ServedBeside(
        try Cluster.shared.get().url(name), directory: folder.path + "/data", ["--postgres-name", name])
      func until(_ path: String, _ holds: (String) -> Bool, _ place: SourceLocation = #_sourceLocation) throws -> String
      {
        let end = ContinuousClock.now + .seconds(20)
        while true {
          let page = served.page(path) ?? ""
          if holds(page) { return page }
          try #require(ContinuousClock.now < end, "\(path): \(page) \(served.errors)", sourceLocation: place)
          usleep(50_000)
        }
      }
      let label = #""label":"Beat <b>\"1\"""#
      let found = try until("/v1/tokens?q=bEAT", { $0.contains(token) })
      #expect(found.contains(label) && !found.contains(application.tokens[0]), "\(found)")
      #expect(served.page("/v1/tokens/\(token)")?.contains(label) == true)
      #expect(served.page("/udf/search?query=beat")?.contains(#""description":"Beat <b>\"1\"""#) == true)
      #expect(served.page("/udf/symbols?symbol=\(token)")?.contains(#""description":"Beat <b>\"1\"""#) == true)
      #expect(served.page("/udf/symbols?symbol=Beat")?.contains("unknown_symbol") == true)
      #expect(served.page("/v1/top")?.contains(label) == true)
      try server.script("update artist_tokens set symbol = 'Chorus' where id = '\(token)'")
      _ = try until("/v1/tokens?q=chorus", { $0.contains(token) })
      #expect(served.page("/v1/tokens?q=beat")?.contains(token) == false)
      #expect(served.page("/v1/top")?.contains(#""label":"Chorus""#) == true)
      #expect(served.end() == 0)
    }
  }
#endif
