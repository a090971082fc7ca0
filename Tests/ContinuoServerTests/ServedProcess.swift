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
      process.environment = environment
      process.currentDirectoryURL = Served.root
      return process
    }

    /// Where it is, for a shell.
    static func path() throws -> String { try #require(program, "no built 'continuo' beside the tests").path }

    /// Runs a command to its end; what it printed.
    static func run(_ arguments: [String]) throws -> String {
      let (process, out) = (try process(arguments), Pipe())
      process.standardOutput = out
      process.standardError = FileHandle.standardError
      try process.start()
      let bytes = out.fileHandleForReading.readDataToEndOfFile()
      process.waitUntilExit()
      try #require(process.terminationStatus == 0, "continuo \(arguments.joined(separator: " "))")
      return String(decoding: bytes, as: UTF8.self)
    }

    /// What a run came to.
    struct Outcome: Sendable {
      let status: Int32
      let out: String
      let error: String
    }

    /// Runs a command, or another program of the machine, to its end, on a thread of its own: a server in this process has to go on.
    static func all(
      _ arguments: [String], _ environment: [String: String] = [:], program: String? = nil
    ) async throws -> Outcome {
      try await withCheckedThrowingContinuation { continuation in
        Thread { continuation.resume(with: Result { try Program.waited(arguments, environment, program) }) }.start()
      }
    }

    private static func waited(
      _ arguments: [String], _ environment: [String: String], _ program: String?
    ) throws -> Outcome {
      let process = try process(arguments, environment)
      if let program {
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = [program] + arguments
        process.environment = ["PATH": "/usr/local/bin:/usr/bin:/bin"]
      }
      // Through files, so that neither can fill up while the other one is read.
      let scratch = FileManager.default.temporaryDirectory.appending(path: "continuo-\(UUID().uuidString)")
      try FileManager.default.createDirectory(at: scratch, withIntermediateDirectories: true)
      defer { try? FileManager.default.removeItem(at: scratch) }
      let places = ["out", "error"].map { scratch.appending(path: $0) }
      for place in places { try Data().write(to: place) }
      process.standardOutput = try FileHandle(forWritingTo: places[0])
      process.standardError = try FileHandle(forWritingTo: places[1])
      process.standardInput = FileHandle.nullDevice
      try process.start()
      process.waitUntilExit()
      let texts = try places.map { String(decoding: try Data(contentsOf: $0), as: UTF8.self) }
      return Outcome(status: process.terminationStatus, out: texts[0], error: texts[1])
    }

    /// Runs a command to its end; its status, and what it printed to stderr.
    static func outcome(
      _ arguments: [String], _ environment: [String: String] = [:]
    ) throws -> (status: Int32, error: String) {
      let (process, error) = (try process(arguments, environment), Pipe())
      process.standardOutput = FileHandle.nullDevice
      process.standardError = error
      try process.start()
      let bytes = error.fileHandleForReading.readDataToEndOfFile()
      process.waitUntilExit()
      return (process.terminationStatus, String(decoding: bytes, as: UTF8.self))
    }
  }

  /// `continuo serve` in a process of its own.
  final class ServedProcess {
    private let process: Process
    private let out = Pipe()
    /// The lines that it printed when it was ready.
    private(set) var lines: [String] = []

    var port: Int { lines.count > 1 ? Int(lines[1].split(separator: ":").last ?? "") ?? 0 : 0 }

    /// Starts it on a port that is free, and waits until it has printed its five lines.
    ///
    /// - Parameter errors: where its stderr goes.
    init(
      _ directory: String, _ arguments: [String] = [], environment: [String: String] = [:],
      errors: FileHandle = .standardError
    ) throws {
      process = try Program.process(
        ["serve", "--data-dir", directory, "--listen", "127.0.0.1:0"] + arguments, environment)
      process.standardOutput = out
      process.standardError = errors
      try process.start()
      var text = ""
      while text.split(separator: "\n").count < 5 || !text.hasSuffix("\n") {
        let more = out.fileHandleForReading.availableData
        try #require(!more.isEmpty, "the server ended: \(text)")
        text += String(decoding: more, as: UTF8.self)
      }
      lines = text.split(separator: "\n").map(String.init)
    }

    /// Sends it a signal that it is to survive.
    func send(_ signal: Int32) { _ = Glibc.kill(process.processIdentifier, signal) }

    /// Kills it as a crash would.
    func kill() {
      _ = Glibc.kill(process.processIdentifier, SIGKILL)
      process.waitUntilExit()
    }

    /// Asks it to end; its status.
    func end(_ signal: Int32 = SIGTERM) -> Int32 {
      _ = Glibc.kill(process.processIdentifier, signal)
      process.waitUntilExit()
      return process.terminationReason == .exit ? process.terminationStatus : -process.terminationStatus
    }

    deinit { if process.isRunning { kill() } }
  }
#endif
