// Rows that are rejected, when the process ends between taking a batch and writing them down: each has one letter.
// Invariant: what ended is a sink that never comes to the note, or never takes; the directory is opened anew as behind a crash.
// Not here: a file that is full (FollowerBoundsTests).

#if Postgres
  import Continuo
  import ContinuoPostgres
  import ContinuoStorage
  import Foundation
  import Testing

  /// A directory whose process ends at a batch with rejected rows: in front of it, or behind it and in front of its letters.
  private final class EndingSink: WrappedSink {
    enum Place: CaseIterable { case before, behind }
    struct Ended: Error {}
    let whole: LedgerSink
    private let place: Place

    init(_ whole: LedgerSink, _ place: Place) { (self.whole, self.place) = (whole, place) }

    func take(
      whole batches: [EventBatch], at position: InputPosition, note: ([Receipt]) throws -> Void
    ) throws -> [Receipt] {
      if place == .before, batches.contains(where: { $0.offered > 5 }) { throw Ended() }
      return try whole.take(whole: batches, at: position) { receipts in
        guard receipts.allSatisfy(\.rejections.isEmpty) else { throw Ended() }
        try note(receipts)
      }
    }
  }

  @Suite("Letters of rejected rows", .serialized)
  struct LetterTests {
    private static let insert = """
      insert into pool_events (artist_token_id, chain_id, block_number, log_index, tx_hash, event_type, side, wallet, amount_usd,
        token_amount, block_timestamp) select
      """

    /// Rule 20.11: rejected rows are in the file before the position is confirmed, whenever the process ends, and none is there twice.
    @Test("Ended in front of a batch, and between it and its letters", arguments: [false, true])
    func ended(isBehind: Bool) throws {
      let (_, server, options) = try FollowerTests.setUp()
      let application = try Application(server, seed: 71)
      let folder = try Folder()
      let path = folder.path + "/data/postgres.rejected.ndjson"
      func letters() throws -> [[String: Any]] {
        try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n").map {
          try #require(JSONSerialization.jsonObject(with: Data($0.utf8)) as? [String: Any])
        }
      }
      var following = try Following(options, directory: folder.path + "/data") {
        EndingSink($0, isBehind ? .behind : .before)
      }
      try following.catchUp(server)
      // Rows that are nothing, rows that come from the future, and one that is well.
      try server.script(
        """
        begin;
        \(Self.insert) '\(application.tokens[0])', 1, n, 0, 'tx', 'swap', 'hodl', 'w', n, 2, now() from generate_series(1, 3) n;
        \(Self.insert) '\(application.tokens[0])', 1, n, 0, 'tx', 'swap', 'buy', 'w', n, 2, now() + interval '1 day'
          from generate_series(11, 14) n;
        \(Self.insert) '\(application.tokens[0])', 1, 20, 0, 'tx', 'swap', 'buy', 'w', 1, 2, now();
        commit
        """)
      try following.wait("it has ended") { $0.failure?.contains("Ended") == true }
      following.end()
      #expect(try letters().count == 3, "what was rejected when it was read is written down first")
      for _ in 0..<3 {
        following = try Following(options, directory: folder.path + "/data")
        try following.catchUp(server)
        try following.wait("all of it is taken") { _ in following.ledger.eventCount(chain: 1, above: 0) == 1 }
        following.end()
        let all = try letters()
        #expect(all.count == 7, "\(all)")
        let late = all.filter { $0["reason"] as? String == "in_future" }
        #expect(late.count == 4)
        for letter in late {
          let row = try #require(letter["row"] as? [String: String])
          #expect(row["wallet"] == "w" && row["token_amount"] == "2" && row["side"] == "buy" && row["chain"] == "1")
          #expect(letter["key"] is Int && (letter["table"] as? String)?.contains("pool_events") == true)
        }
        #expect(Set(late.compactMap { ($0["row"] as? [String: String])?["block"] }) == ["11", "12", "13", "14"])
      }
    }

    /// Rule 20.11: rows that say the same are several, half a line is no letter, and what was taken long ago keeps nothing away.
    @Test("The same content under another key, behind a restart and half a line")
    func same() throws {
      let (_, server, options) = try FollowerTests.setUp()
      let application = try Application(server, seed: 72)
      let folder = try Folder()
      let path = folder.path + "/data/postgres.rejected.ndjson"
      func lines() throws -> [Substring] {
        try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n", omittingEmptySubsequences: true)
      }
      let bad =
        "\(Self.insert) '\(application.tokens[0])', 1, 1, n, 'tx', 'swap', 'hodl', 'w', 5, 2, '2026-01-01' from generate_series"
      var following = try Following(options, directory: folder.path + "/data")
      try following.catchUp(server)
      try server.script("\(bad)(1, 1) n")
      try following.wait("one") { $0.rejected == 1 }
      following.end()
      // The process ended within a line.
      let handle = try FileHandle(forWritingTo: URL(filePath: path))
      try handle.seekToEnd()
      try handle.write(
        contentsOf: Data(#"{"lsn":"0/1","table":"public.pool_events","key":"#.utf8)
          + Data(repeating: 0x31, count: 2_000))
      try handle.close()
      following = try Following(options, directory: folder.path + "/data")
      // The same content, but for the key, in two rows.
      try server.script("delete from pool_events; \(bad)(1, 1) n")
      try following.wait("another") { $0.rejected == 1 }
      try server.script("delete from pool_events; \(bad)(1, 1) n")
      try following.wait("and another") { $0.rejected == 2 }
      following.end()
      let all = try lines()
      #expect(all.count == 3, "\(all)")
      for line in all { #expect(throws: Never.self) { try JSONSerialization.jsonObject(with: Data(line.utf8)) } }
    }
  }
#endif
