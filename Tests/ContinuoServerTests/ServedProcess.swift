// The built program as a test runs it: a command to its end, or `serve` as long as a test lasts.
// Invariant: only processes that were started here are ended; a server is asked when it says that it is ready.
// Not here: what is expected of it (the tests).

#if Server
  import ContinuoTestSupport
  import Foundation
  import HummingbirdTesting
  import Testing

  #if canImport(Glibc)
    import Glibc
  #else
    import Darwin
  #endif

  enum Program {
    private static let program = BuiltPrograms.folder?.appending(path: "continuo")

    fileprivate static func process(_ arguments: [String], _ environment: [String: String] = [:]) throws -> Process {
      let process = Process()
      let program: URL = try #require(Self.program, "no built 'continuo' beside the tests")
      process.executableURL = program
      process.arguments = arguments
      process.setEnvironment(environment)
      process.currentDirectoryURL = Served.root
      return process
    }

    /// Where it is, for a shell.
    static func path() throws -> String { try #require(program, "no built 'continuo' beside the tests").path }

    /// What a run came to.
    struct Outcome: Sendable {
      let status: Int32
      let out: String
      let error: String
    }

    /// Runs a command to its end; what it printed.
    static func run(_ arguments: [String]) async throws -> String {
      let outcome = try await outcome(arguments)
      try #require(outcome.status == 0, "continuo \(arguments.joined(separator: " ")): \(outcome.error)")
      return outcome.out
    }

    /// Runs a command, or another program of the machine, to its end.
    static func outcome(
      _ arguments: [String], _ environment: [String: String] = [:], program: String? = nil
    ) async throws -> Outcome {
      let process = try process(arguments, environment)
      if let program {
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = [program] + arguments
        process.setEnvironment(["PATH": "/usr/local/bin:/usr/bin:/bin"])
      }
      // Through files: neither can fill up while the other one is read, and no process that is started meanwhile holds an end open.
      let scratch = FileManager.default.temporaryDirectory.appending(path: "continuo-\(UUID().uuidString)")
      try FileManager.default.createDirectory(at: scratch, withIntermediateDirectories: true)
      defer { try? FileManager.default.removeItem(at: scratch) }
      let places = ["out", "error"].map { scratch.appending(path: $0) }
      for place in places { try Data().write(to: place) }
      process.standardOutput = try FileHandle(forWritingTo: places[0])
      process.standardError = try FileHandle(forWritingTo: places[1])
      process.standardInput = FileHandle.nullDevice
      let status = await (try ProcessEnd(starting: process)).status
      let texts = try places.map { String(decoding: try Data(contentsOf: $0), as: UTF8.self) }
      return Outcome(status: status, out: texts[0], error: texts[1])
    }
  }

  /// `continuo serve` in a process of its own.
  final class ServedProcess: Sendable {
    private let number: pid_t
    private let end: ProcessEnd
    /// The lines that it printed when it was ready.
    let lines: [String]

    var port: Int { lines.count > 1 ? Int(lines[1].split(separator: ":").last ?? "") ?? 0 : 0 }

    /// Starts it on a port that is free, and waits until it has printed its five lines.
    ///
    /// - Parameter errors: where its stderr goes.
    init(
      _ directory: String, _ arguments: [String] = [], environment: [String: String] = [:],
      errors: FileHandle = .standardError
    ) async throws {
      let process = try Program.process(
        ["serve", "--data-dir", directory, "--listen", "127.0.0.1:0"] + arguments, environment)
      let printed = FileManager.default.temporaryDirectory.appending(path: "continuo-\(UUID().uuidString)")
      try Data().write(to: printed)
      defer { try? FileManager.default.removeItem(at: printed) }
      process.standardOutput = try FileHandle(forWritingTo: printed)
      process.standardError = errors
      let end = try ProcessEnd(starting: process)
      (self.end, number) = (end, process.processIdentifier)
      var text = ""
      repeat {
        let isOver = end.isOver
        text = String(decoding: try Data(contentsOf: printed), as: UTF8.self)
        if text.split(separator: "\n").count >= 5, text.hasSuffix("\n") { break }
        try #require(!isOver, "the server ended: \(text)")
        try await Task.sleep(for: .milliseconds(2))
      } while true
      lines = text.split(separator: "\n").map(String.init)
    }

    /// Sends it a signal that it is to survive.
    func send(_ signal: Int32) { _ = Glibc.kill(number, signal) }

    /// Kills it as a crash would.
    func kill() async { _ = await end(SIGKILL) }

    /// Asks it to end; its status.
    func end(_ signal: Int32 = SIGTERM) async -> Int32 {
      send(signal)
      return await end.status
    }

    /// Asks it to end, and expects that it says that all went well.
    func endWell(_ signal: Int32 = SIGTERM, _ place: SourceLocation = #_sourceLocation) async {
      let status = await end(signal)
      #expect(status == 0, sourceLocation: place)
    }

    deinit { if !end.isOver { send(SIGKILL) } }
  }
#endif
