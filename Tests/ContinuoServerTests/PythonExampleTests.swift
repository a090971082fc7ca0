// The programs in Python that the README and the page about HTTP show, run: they print what stands behind them.
// Invariant: a program runs as it stands but for the server's address.
// Not here: requests by themselves (PageTests), the command line's examples (ReadmeTests of the tool).

#if Server
  import Foundation
  import Testing

  @Suite("Examples in Python")
  struct PythonExampleTests {
    /// The address that the examples name.
    private static let address = "http://127.0.0.1:8321"

    @Test("Each prints what it shows", arguments: ["README.md", "docs/http.md"])
    func examples(page: String) async throws {
      let text = try String(contentsOf: Served.root.appending(path: page), encoding: .utf8)
      let parts = text.components(separatedBy: "```python\n").dropFirst()
      #expect(!parts.isEmpty)
      try await Served.run { served in
        try await served.sample()
        for part in parts {
          let blocks = part.components(separatedBy: "```")
          try #require(
            blocks.count >= 3 && blocks[2].hasPrefix("plain\n"), "a program without its output: \(part.prefix(80))")
          #expect(blocks[0].contains(Self.address))
          let program = blocks[0].replacing(Self.address, with: "http://127.0.0.1:\(served.port)")
          let outcome = try await Program.outcome(["-c", program], program: "python3")
          #expect(outcome.status == 0, "\(outcome.error)")
          #expect(outcome.out == String(blocks[2].dropFirst("plain\n".count)))
        }
      }
    }
  }
#endif
