// Who took something back is written down before it is done.
// Invariant: what cannot be written down is not done.
// Not here: the file on a disk that fails (ContinuoStorageTests), the command line (ContinuoToolTests).

#if Server
  import ContinuoServer
  import Foundation
  import HTTPTypes
  import Testing

  @Suite("The audit log of a server")
  struct AuditTests {
    private static let (writing, ruling) = ("writing-token-0001", "ruling-token-00001")

    private static func lines(_ served: Served) throws -> [[String: Any]] {
      let text = try String(contentsOf: served.directory.appending(path: "audit.ndjson"), encoding: .utf8)
      return TestLog.objects(text.split(separator: "\n").map(String.init))
    }

    /// Rules 3.7, 3.8, 14.1: a line before and one behind each rollback and retraction, with whose token it was and from where.
    @Test("Rollbacks and retractions")
    func lines() async throws {
      try await Served.run { options in
        options.access.write = Secret(Array(Self.writing.utf8))
        options.access.admin = Secret(Array(Self.ruling.utf8))
      } _: { served in
        let bearer: HTTPFields = [.authorization: "Bearer \(Self.ruling)"]
        let row = "kind,block,timestamp,token,amount_usd,price_usd\nswap,7,2024-12-01T13:00:00Z,ART,1,1\n"
        let sent = try await served.post("/v1/events", row.utf8, type: "text/csv", bearer)
        #expect(sent.object["accepted"] as? Int == 1, "\(sent.text)")
        // Refused before it is an act, and bodies that are none.
        let refused: HTTPFields = [.authorization: "Bearer \(Self.writing)"]
        #expect(try await served.post("/v1/chains/0/rollback", #"{"block":1}"#.utf8, refused).status == 403)
        #expect(try await served.post("/v1/chains/0/rollback", #"{"blok":1}"#.utf8, bearer).status == 400)
        #expect(try Self.lines(served).isEmpty)

        let body = #"{"events":[{"kind":"swap","block":7},{"kind":"transfer","chain":2,"block":8,"log_index":9}]}"#
        let retracted = try await served.post("/v1/events/retract", body.utf8, bearer)
        #expect(retracted.object["undone"] as? Int == 1, "\(retracted.text)")
        let rolled = try await served.post("/v1/chains/5/rollback", #"{"block":100}"#.utf8, bearer)
        #expect(rolled.status == 200)
        let lines = try Self.lines(served)
        try #require(lines.count == 4)
        #expect(lines.allSatisfy { $0["who"] as? String == "admin token" && $0["from"] as? String == "127.0.0.1" })
        #expect(lines.allSatisfy { ($0["time"] as? String)?.hasSuffix("Z") == true })
        #expect(lines.compactMap { $0["act"] as? String } == ["retract", "retract", "rollback", "rollback"])
        #expect(lines.compactMap { $0["outcome"] as? String } == ["begun", "done", "begun", "done"])
        let numbers = lines.compactMap { $0["number"] as? Int }
        #expect(numbers[0] == numbers[1] && numbers[2] == numbers[3] && numbers[1] < numbers[2])
        let events = try #require(lines[0]["events"] as? [[String: Any]])
        #expect(events.count == 2 && events[1]["log_index"] as? Int == 9 && events[1]["kind"] as? String == "transfer")
        #expect(lines[1]["undone"] as? Int == 1 && lines[1]["sequence"] as? Int == retracted.object["sequence"] as? Int)
        #expect(lines[3]["chain"] as? Int == 5 && lines[3]["block"] as? Int == 100)
        #expect(lines[3]["undone"] as? Int == 0 && lines[3]["sequence"] as? Int == rolled.object["sequence"] as? Int)
      }
    }

    /// Rules 3.7, 3.8: a full disk under the log: nothing is taken back, and everything else goes on.
    @Test("A log that cannot be written")
    func full() async throws {
      try await Served.run { options in
        options.auditLog = "/dev/full"
      } _: { served in
        try await served.sample()
        let before = try await served.get("/v1/inspect?digest=1").object["state_digest"] as? String
        for (target, body) in [
          ("/v1/chains/1/rollback", #"{"block":1}"#),
          ("/v1/events/retract", #"{"events":[{"kind":"swap","chain":1,"block":100}]}"#),
        ] {
          let refused = try await served.post(target, body.utf8)
          #expect(refused.status == 503 && refused.code == "storage_failed", "\(refused.text)")
          #expect(refused.text.contains("/dev/full"), "\(refused.text)")
        }
        let after = try await served.get("/v1/inspect?digest=1").object["state_digest"] as? String
        #expect(before != nil && before == after)
        let line =
          #"{"block":9001,"timestamp":"2024-12-01T13:00:00Z","token":"ART","amount_usd":"1","price_usd":"1"}"#
        let taken = try await served.events(line)
        #expect(taken.object["accepted"] as? Int == 1, "\(taken.text)")
      }
    }
  }
#endif
