// The page about HTTP: every request of it is sent, every answer compared.
// Invariant: "…" in an answer stands for any value; all else must be there as it is.
// Not here: what the routes promise besides (RouteTests).

#if Server
  import Foundation
  import HTTPTypes
  import Testing

  @Suite("docs/http.md")
  struct PageTests {
    private struct Example {
      let method: String
      let target: String
      let headers: HTTPFields
      let body: String
      let answer: String
      let isCSV: Bool
      let status: Int
    }

    /// Rules 11.1, 11.3: the page shows what is answered.
    @Test("Every request of the page gets its answer")
    func page() async throws {
      let text = try String(contentsOf: Served.root.appending(path: "docs/http.md"), encoding: .utf8)
      let examples = try Self.examples(text)
      #expect(examples.count > 15)
      try await Served.run { served in
        try await served.sample()
        for example in examples {
          let reply =
            example.method == "GET"
            ? try await served.get(example.target, example.headers)
            : try await served.post(example.target, example.body.utf8, type: nil, example.headers)
          #expect(reply.status == example.status, "\(example.target): \(reply.text)")
          if example.isCSV {
            #expect(reply.text == example.answer, "\(example.target)")
          } else {
            let wanted = try JSONSerialization.jsonObject(with: Data(example.answer.utf8))
            let found = try JSONSerialization.jsonObject(with: Data(reply.bytes))
            #expect(Self.fits(found, wanted), "\(example.target): \(reply.text)")
          }
        }
      }
    }

    /// Whether a value is the one that is wanted.
    private static func fits(_ found: Any, _ wanted: Any) -> Bool {
      if wanted as? String == "…" { return !(found is NSNull) }
      if let wanted = wanted as? [String: Any] {
        guard let found = found as? [String: Any], found.count == wanted.count else { return false }
        return wanted.allSatisfy { name, value in found[name].map { fits($0, value) } ?? false }
      }
      if let wanted = wanted as? [Any] {
        guard let found = found as? [Any], found.count == wanted.count else { return false }
        return zip(found, wanted).allSatisfy { fits($0, $1) }
      }
      return (found as? NSObject) == (wanted as? NSObject)
    }

    /// The requests of the page, each with the answer behind it.
    private static func examples(_ text: String) throws -> [Example] {
      var examples: [Example] = []
      for part in text.components(separatedBy: "```http\n").dropFirst() {
        let blocks = part.components(separatedBy: "```")
        try #require(blocks.count >= 3, "a request without an answer: \(part.prefix(80))")
        let sides = blocks[0].components(separatedBy: "\n\n")
        var lines = sides[0].split(separator: "\n").map(String.init)
        let first = lines.removeFirst().split(separator: " ").map(String.init)
        var headers = HTTPFields()
        for line in lines {
          let pair = line.components(separatedBy: ": ")
          headers[try #require(HTTPField.Name(pair[0]))] = pair[1]
        }
        let answer = blocks[2].split(separator: "\n", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        examples.append(
          Example(
            method: first[0], target: first[1], headers: headers,
            body: sides.dropFirst().joined(separator: "\n\n").trimmingCharacters(in: .newlines), answer: answer[1],
            isCSV: answer[0] == "csv",
            status: blocks[1].split(separator: ":").first.flatMap { Int($0.filter(\.isNumber)) } ?? 200))
      }
      return examples
    }
  }
#endif
