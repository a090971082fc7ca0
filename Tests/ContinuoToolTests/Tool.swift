// The built program, run as a user runs it: arguments, environment, stdin in; status, stdout, stderr out.
// Invariant: the environment is empty but for what a test sets; the working directory is the project's root.
// Not here: what is expected of it (the tests).

import ContinuoTestSupport
import Foundation
import Testing

/// What a run of the program came to.
struct Outcome {
  let status: Int32
  let out: String
  let err: String
}

enum Tool {
  /// The project's root.
  static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent()

  /// Where the build puts its programs: beside the tests.
  static let programs = BuiltPrograms.folder

  /// Runs `continuo` with arguments.
  static func run(
    _ arguments: [String], input: String = "", environment: [String: String] = [:]
  ) throws -> Outcome {
    let program = try #require(programs, "no built 'continuo' beside the tests").appending(path: "continuo")
    return try run(program, arguments, input: Data(input.utf8), environment: environment)
  }

  /// Runs a line of shell in which `continuo` is the built program.
  static func shell(_ line: String, environment: [String: String] = [:]) throws -> Outcome {
    let path = try #require(programs, "no built 'continuo' beside the tests").path
    var environment = environment
    environment["PATH"] = path + ":/usr/local/bin:/usr/bin:/bin"
    return try run(URL(filePath: "/bin/sh"), ["-c", line], input: Data(), environment: environment)
  }

  /// Runs a program and waits for its end; its output goes through files, so that no pipe can fill up.
  static func run(
    _ program: URL, _ arguments: [String], input: Data, environment: [String: String]
  ) throws -> Outcome {
    try withScratch { scratch in
      let names = ["in", "out", "err"].map { scratch.appending(path: $0) }
      try input.write(to: names[0])
      for name in names.dropFirst() { try Data().write(to: name) }
      let process = Process()
      process.executableURL = program
      process.arguments = arguments
      process.environment = environment
      process.currentDirectoryURL = root
      process.standardInput = try FileHandle(forReadingFrom: names[0])
      process.standardOutput = try FileHandle(forWritingTo: names[1])
      process.standardError = try FileHandle(forWritingTo: names[2])
      try process.start()
      process.waitUntilExit()
      return Outcome(
        status: process.terminationReason == .exit ? process.terminationStatus : -process.terminationStatus,
        out: String(decoding: try Data(contentsOf: names[1]), as: UTF8.self),
        err: String(decoding: try Data(contentsOf: names[2]), as: UTF8.self))
    }
  }

  /// Lends a folder that is gone afterwards.
  static func withScratch<Result>(_ body: (URL) throws -> Result) throws -> Result {
    let scratch = FileManager.default.temporaryDirectory.appending(path: "continuo-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: scratch, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: scratch) }
    return try body(scratch)
  }

  /// A file of the project as text.
  static func text(_ path: String) throws -> String {
    String(decoding: try Data(contentsOf: root.appending(path: path)), as: UTF8.self)
  }
}
