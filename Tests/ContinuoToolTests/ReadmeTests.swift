// Every example in the README, run: what it shows is what there is.
// Invariant: a `console` block is one command and its exact output, stderr first; the library example is a program of
// this package, and its output stands below it.
// Not here: the examples in `--help` (ExitTests).

import Foundation
import Testing

@Suite("README")
struct ReadmeTests {
  /// The blocks of the README that are fenced with a language.
  private static func blocks(_ language: String) throws -> [String] {
    try Tool.text("README.md").components(separatedBy: "```\(language)\n").dropFirst().map {
      try #require($0.components(separatedBy: "```").first)
    }
  }

  /// Rule 10.0: the command line by example.
  @Test("the command line's examples show their exact output")
  func commandLine() throws {
    let examples = try Self.blocks("console")
    #expect(examples.count >= 8)
    try Tool.withScratch { scratch in
      // Some make a data directory: where they run there is nothing but the data.
      try FileManager.default.createSymbolicLink(
        at: scratch.appending(path: "data"), withDestinationURL: Tool.root.appending(path: "data"))
      for example in examples {
        let lines = example.split(separator: "\n", maxSplits: 1, omittingEmptySubsequences: false)
        let command = try #require(lines.first)
        try #require(command.hasPrefix("$ ") && lines.count == 2)
        let outcome = try Tool.shell("cd '\(scratch.path)'; { \(command.dropFirst(2)); } 2>&1")
        let out = outcome.out.hasSuffix("\n") ? outcome.out : outcome.out + "\n"
        #expect(out == lines[1], "\(command)")
      }
    }
  }

  /// The ten lines compile as they stand, and print what the README says.
  @Test("the library's example is a program that prints what is shown")
  func library() throws {
    let swift = try #require(try Self.blocks("swift").first)
    let file = try Tool.text("Tests/Examples/Readme/main.swift")
    #expect(swift.hasPrefix("import Continuo\n"))
    #expect(file.hasSuffix("\n\n" + swift))
    #expect(file.dropLast(swift.count).split(separator: "\n").allSatisfy { $0.hasPrefix("//") })
    let program = try #require(Tool.programs).appending(path: "ReadmeExample")
    let outcome = try Tool.run(program, [], input: Data(), environment: [:])
    #expect(outcome.status == 0)
    #expect([outcome.out] == (try Self.blocks("text")))
  }

  /// Every flag of every command stands in the README's table.
  @Test("the table names every flag")
  func table() throws {
    let readme = try Tool.text("README.md")
    let dump = try Tool.run(["--experimental-dump-help"])
    let names = dump.out.components(separatedBy: "\"name\" : \"").dropFirst().compactMap {
      $0.split(separator: "\"").first
    }
    let flags = Set(names).subtracting(["h", "help", "version"])
    #expect(flags.count > 20)
    for flag in flags { #expect(readme.contains("`--\(flag)"), "--\(flag) is not in the table") }
  }
}
