// What changes where a stream is a terminal: colours, the progress bar, `ingest -`.
// Invariant: each stream by itself; nothing of it reaches a file or a pipe.
// Not here: the text itself (GoldenTests).

import Foundation
import Testing

#if os(Linux)
  @Suite("Terminals", .enabled(if: FileManager.default.isExecutableFile(atPath: "/usr/bin/script")))
  struct TerminalTests {
    /// Runs a line of shell under a terminal of its own.
    private func terminal(_ line: String, environment: [String: String] = ["TERM": "xterm"]) throws -> Outcome {
      try Tool.withScratch { scratch in
        let file = scratch.appending(path: "line.sh")
        try Data(line.utf8).write(to: file)
        return try Tool.shell("script -qec '/bin/sh \(file.path)' /dev/null", environment: environment)
      }
    }

    /// Rule 10.7: `--no-color`, `NO_COLOR` and `TERM=dumb` are honoured, each stream by itself.
    @Test("colours only on a terminal that takes them")
    func colours() throws {
      let line = "continuo holders --input data/sample.csv --token ART --quiet"
      #expect(try terminal(line).out.contains("\u{1B}[1m"))
      #expect(try !terminal(line + " --no-color").out.contains("\u{1B}"))
      #expect(try !terminal(line, environment: ["TERM": "dumb"]).out.contains("\u{1B}"))
      #expect(try !terminal(line, environment: ["TERM": "xterm", "NO_COLOR": "1"]).out.contains("\u{1B}"))
      #expect(try !terminal(line + " | cat").out.contains("\u{1B}"))
      #expect(try !terminal(line + " --format csv").out.contains("\u{1B}"))
    }

    /// Rule 10.0: long work shows a progress bar where stderr is a terminal, and wipes it.
    @Test("a progress bar on long work")
    func progress() throws {
      let feed = "{ cat data/sample.csv; sleep 0.8; tail -n 1 data/sample.csv; }"
      let line = "\(feed) | continuo top --input - --batch-size 1 --format csv"
      let shown = try terminal(line + " >/dev/null")
      #expect(shown.out.contains("\r\u{1B}[K"))
      #expect(shown.out.contains(" MB"))
      #expect(try !terminal(line + " --quiet >/dev/null").out.contains("\u{1B}"))
      #expect(try !terminal(line + " 2>&1 >/dev/null | cat").out.contains("\u{1B}"))
      #expect(try !terminal(line + " >/dev/null", environment: ["TERM": "dumb"]).out.contains("\u{1B}"))
    }

    /// Rule 10.0: a load says what it is at outside of the timed part.
    @Test("a load says what it is at")
    func load() throws {
      let line = "continuo load --in-process --events 1000 --format csv"
      let shown = try terminal(line + " >/dev/null").out
      #expect(shown.contains("\rdrawing 1000 events\u{1B}[K\r\u{1B}[Ktimed part begins"))
      #expect(shown.hasSuffix("timed part ends\r\n\rcounting what is served\u{1B}[K\r\u{1B}[K"))
      #expect(try !terminal(line + " 2>&1 >/dev/null | cat").out.contains("drawing"))
    }

    /// Rule 10.0: a copy says what it is at.
    @Test("a copy says what it is at")
    func copy() throws {
      try Tool.withScratch { scratch in
        let path = scratch.appending(path: "market").path
        #expect(try Tool.run(["ingest", "--data-dir", path, "data/sample.csv", "--quiet"]).status == 0)
        let line = "continuo backup --data-dir '\(path)' --to '\(path)"
        let shown = try terminal(line + "-1' >/dev/null").out
        #expect(shown.hasPrefix("\rreading \(path)\u{1B}[K"))
        #expect(shown.hasSuffix("\rreading \(path)-1\u{1B}[K\r\u{1B}[K"))
        #expect(try terminal(line + "-2' --quiet >/dev/null").out == "")
      }
    }

    /// Rule 10.7: `rollback` asks on a terminal, and only a yes is one.
    @Test("rollback asks", arguments: [("y", 0), ("yes", 0), ("n", 1), ("", 1)])
    func rollback(answer: String, status: Int32) throws {
      try Tool.withScratch { scratch in
        let path = scratch.appending(path: "market").path
        #expect(try Tool.run(["ingest", "--data-dir", path, "data/sample.csv", "--quiet"]).status == 0)
        let line = "continuo rollback --data-dir \(path) --chain 1 --block 101 --format csv"
        let outcome = try Tool.shell(
          "{ sleep 0.2; echo \(answer); sleep 0.5; } | script -qec '\(line)' /dev/null", environment: ["TERM": "xterm"])
        #expect(outcome.out.contains("undo 5 events of chain 1 above block 101 in \(path)? [y/N] "), "\(outcome.out)")
        #expect(outcome.status == status)
        #expect(outcome.out.contains("1,101,5") == (status == 0))
        #expect(outcome.out.contains("continuo: not_confirmed: nothing was undone; ") == (status == 1))
      }
    }

    /// Rule 10.3: what is watched is asked again, what moved is marked, and Ctrl-C ends it with the terminal as it was.
    @Test("top --watch, on a terminal and in a pipe", arguments: [true, false])
    func watch(isTerminal: Bool) throws {
      try Tool.withScratch { scratch in
        let rows = """
          block,timestamp,token,side,amount_usd,token_amount
          1,2024-12-01T10:00:00Z,ART,buy,20,10
          2,2024-12-01T10:00:00Z,BEAT,buy,30,10

          """
        try Data(rows.utf8).write(to: scratch.appending(path: "trades.csv"))
        let top = "continuo top --input trades.csv --watch"
        let started =
          isTerminal ? "script -qec 'echo $$ >pid; exec \(top)' /dev/null" : "sh -c 'echo $$ >pid; exec \(top) 1'"
        let outcome = try Tool.shell(
          """
          cd '\(scratch.path)'
          \(started) >out 2>&1 &
          until_seen() { n=0; until grep -q "$1" out; do sleep 0.05; n=$((n + 1)); [ $n -lt 2400 ] || exit 9; done; }
          until_seen ' ART '
          printf '4,2024-12-01T10:01:00Z,ART,buy,30,10\n5,2024-12-01T10:01:00Z,BEAT,buy,10,10\n6,2024-12-01T10:01:00Z,NEW,buy,1,1\n' >>trades.csv
          until_seen '▲ .* ART '
          kill -INT "$(cat pid)"
          wait $!
          echo "status $?" >>out
          cat out
          """, environment: ["TERM": "xterm"])
        #expect(outcome.out.hasSuffix("status 0\n"), "\(outcome)")
        #expect(outcome.out.contains("▼ ") && outcome.out.contains("• "), "\(outcome.out)")
        #expect(outcome.out.contains("\u{1B}[?1049h") == isTerminal)
        #expect(outcome.out.contains("\u{1B}[?25h\u{1B}[?1049l") == isTerminal)
        #expect(outcome.out.contains("\u{1B}") == isTerminal)
      }
    }

    /// Rule 10.7: a drawing is as wide as the terminal, and has colours there alone.
    @Test("candles are drawn as wide as the terminal")
    func chart() throws {
      let line = "continuo candles --input data/sample.csv --token ART --format chart --quiet"
      let narrow = try terminal("stty cols 50; " + line).out
      #expect(narrow.contains("\u{1B}[32m"))
      let plain = try terminal("stty cols 50; " + line + " --no-color").out
      #expect(!plain.contains("\u{1B}"))
      let widths = plain.split(separator: "\r\n").filter { $0.contains("┤") }.map(\.count)
      #expect(widths.max().map { $0 <= 50 && $0 > 40 } == true, "\(plain)")
      #expect(try Tool.shell(line).out.split(separator: "\n").map(\.count).max()! <= 80)
    }

    /// Rule 10.7: `ingest -` on a terminal prints its usage instead of waiting.
    @Test("ingest on a terminal prints its usage", arguments: ["continuo ingest -", "continuo ingest"])
    func ingest(line: String) throws {
      let outcome = try terminal(line)
      #expect(outcome.status == 2)
      #expect(outcome.out.contains("continuo ingest [<options>]"))
    }
  }
#endif
