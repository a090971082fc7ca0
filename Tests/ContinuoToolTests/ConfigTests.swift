// `continuo config`: what a server would be started with, and where each value comes from.
// Invariant: it is what `serve` would take; no token is shown.
// Not here: how values are found (SettingsTests).

#if Server
  import Foundation
  import Testing

  @Suite("The effective settings")
  struct ConfigTests {
    private static func rows(_ outcome: Outcome) -> [String: [String]] {
      var rows: [String: [String]] = [:]
      for line in outcome.out.split(separator: "\n").dropFirst() {
        let cells = line.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
        rows[cells[0]] = Array(cells.dropFirst())
      }
      return rows
    }

    /// Rule 10.0: flag before environment before file before default, each named; tokens only as set.
    @Test("Every value with its source")
    func sources() throws {
      try Tool.withScratch { scratch in
        let file = scratch.appending(path: "server.json").path
        let json = #"{"listen": "127.0.0.1:9", "max-body": 7, "idle-timeout": 5, "insecure": true, "data-dir": "x"}"#
        try Data(json.utf8).write(to: URL(filePath: file))
        let token = "a-token-that-nobody-is-shown"
        let outcome = try Tool.run(
          [
            "config", "--config", file, "--listen", "127.0.0.1:1", "--max-header=8", "--format", "csv", "--quiet=false",
          ],
          environment: [
            "CONTINUO_MAX_BODY": "9", "CONTINUO_LISTEN": "127.0.0.1:2", "CONTINUO_WRITE_TOKEN": token,
          ])
        #expect(outcome.status == 0 && outcome.err == "", "\(outcome.err)")
        #expect(!outcome.out.contains(token))
        let rows = Self.rows(outcome)
        #expect(rows["listen"] == ["127.0.0.1:1", "flag"])
        #expect(rows["max-header"] == ["8", "flag"])
        #expect(rows["quiet"] == ["false", "flag"])
        #expect(rows["config"] == [file, "flag"])
        #expect(rows["max-body"] == ["9", "environment CONTINUO_MAX_BODY"])
        #expect(rows["idle-timeout"] == ["5", "file \(file)"])
        #expect(rows["insecure"] == ["true", "file \(file)"])
        #expect(rows["data-dir"] == ["x", "file \(file)"])
        #expect(rows["request-timeout"] == ["60", "default"])
        #expect(rows["durability"] == ["sync", "default"])
        #expect(rows["no-color"] == ["false", "default"])
        #expect(rows["backup-root"] == ["", "default"])
        #expect(rows["write-token"] == ["set", "environment CONTINUO_WRITE_TOKEN"])
        #expect(rows["read-token"] == ["", "default"])
      }
    }

    /// Rule 10.0: what `serve` would refuse is refused here too, with the name and where it comes from.
    @Test("What serve would refuse")
    func refusals() throws {
      let address = try Tool.run(["config"], environment: ["CONTINUO_LISTEN": "0.0.0.0:1"])
      #expect(address.status == 2 && address.err.contains("--write-token-file"), "\(address.err)")
      let number = try Tool.run(["config"], environment: ["CONTINUO_MAX_BODY": "none"])
      #expect(number.status == 2 && number.err.contains("CONTINUO_MAX_BODY"), "\(number.err)")
      try Tool.withScratch { scratch in
        let file = scratch.appending(path: "server.json").path
        try Data(#"{"max-bodi": 7}"#.utf8).write(to: URL(filePath: file))
        let unknown = try Tool.run(["config", "--config", file])
        #expect(unknown.status == 2 && unknown.err.contains("\"max-bodi\""), "\(unknown.err)")
      }
    }
  }
#endif
