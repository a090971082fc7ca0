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

    /// Rule 10.7: `ingest -` on a terminal prints its usage instead of waiting.
    @Test("ingest on a terminal prints its usage", arguments: ["continuo ingest -", "continuo ingest"])
    func ingest(line: String) throws {
      let outcome = try terminal(line)
      #expect(outcome.status == 2)
      #expect(outcome.out.contains("continuo ingest [<options>]"))
    }
  }
#endif
