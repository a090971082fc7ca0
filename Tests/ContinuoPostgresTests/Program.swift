// The built program as a test runs it beside a database: a command to its end, or `serve` for as long as a test lasts.
// Invariant: only processes that were started here are ended.
// Not here: what is expected of it (the tests).

#if Server && Postgres
  import ContinuoTestSupport
  import Foundation
  import Testing

  #if canImport(Glibc)
    import Glibc
  #else
    import Darwin
  #endif

  enum Program {
    private static let program = BuiltPrograms.folder?.appending(path: "continuo")

    /// What a run came to.
    struct Outcome {
      let status: Int32
      let out: String
      let error: String
    }

    /// Runs a command to its end.
    static func run(_ arguments: [String], _ environment: [String: String] = [:]) throws -> Outcome {
      let folder = try Folder()
      let process = try process(arguments, environment)
      for name in ["out", "error"] { try Data().write(to: URL(filePath: folder.path + "/" + name)) }
      process.standardOutput = try FileHandle(forWritingTo: URL(filePath: folder.path + "/out"))
      process.standardError = try FileHandle(forWritingTo: URL(filePath: folder.path + "/error"))
      try process.start()
      process.waitUntilExit()
      let texts = try ["out", "error"].map { try String(contentsOfFile: folder.path + "/" + $0, encoding: .utf8) }
      return Outcome(status: process.terminationStatus, out: texts[0], error: texts[1])
    }

    fileprivate static func process(_ arguments: [String], _ environment: [String: String]) throws -> Process {
      let process = Process()
      let program: URL = try #require(Self.program, "no built 'continuo' beside the tests")
      process.executableURL = program
      process.arguments = arguments
      process.setEnvironment(environment)
      process.standardInput = FileHandle.nullDevice
      return process
    }

    fileprivate static func start(_ process: Process) throws { try process.start() }
  }

  /// `continuo serve --postgres` in a process of its own.
  final class ServedBeside {
    private let process: Process
    private let folder: Folder
    private let out: Pipe

    /// Starts it, and waits until it answers.
    init(_ url: String?, directory: String, _ arguments: [String] = []) throws {
      folder = try Folder()
      out = Pipe()
      process = try Program.process(
        ["serve", "--data-dir", directory, "--listen", "127.0.0.1:0"] + (url.map { ["--postgres", $0] } ?? [])
          + arguments,
        [:])
      process.standardOutput = out
      try Data().write(to: URL(filePath: folder.path + "/error"))
      process.standardError = try FileHandle(forWritingTo: URL(filePath: folder.path + "/error"))
      try Program.start(process)
      var text = ""
      while text.split(separator: "\n").count < 2 || !text.hasSuffix("\n") {
        let more = out.fileHandleForReading.availableData
        try #require(!more.isEmpty, "the server ended: \(errors)")
        text += String(decoding: more, as: UTF8.self)
      }
      url0 = String(text.split(separator: "\n")[1])
    }

    private var url0 = ""

    /// What it said on stderr.
    var errors: String { (try? String(contentsOfFile: folder.path + "/error", encoding: .utf8)) ?? "" }

    /// Asks it for a page, or sends it an event; nil where there is none.
    func page(_ path: String, body: String? = nil) -> String? {
      let process = Process()
      let pipe = Pipe()
      process.executableURL = URL(filePath: "/usr/bin/env")
      let sent = body.map { ["--header", "Content-Type: application/x-ndjson", "--data", $0] } ?? []
      process.arguments = ["curl", "--silent", "--max-time", "10"] + sent + [url0 + path]
      process.standardOutput = pipe
      process.standardError = FileHandle.nullDevice
      guard (try? Program.start(process)) != nil else { return nil }
      let bytes = pipe.fileHandleForReading.readDataToEndOfFile()
      process.waitUntilExit()
      return String(decoding: bytes, as: UTF8.self)
    }

    /// A figure of its metrics.
    func figure(_ name: String) -> Double? {
      page("/metrics")?.split(separator: "\n").first { $0.hasPrefix(name + " ") }
        .flatMap { Double($0.split(separator: " ").last ?? "") }
    }

    func send(_ signal: Int32) { _ = Glibc.kill(process.processIdentifier, signal) }

    /// Ends it; its status.
    func end(_ signal: Int32 = SIGTERM) -> Int32 {
      send(signal)
      process.waitUntilExit()
      return process.terminationStatus
    }

    deinit { if process.isRunning { _ = end(SIGKILL) } }
  }
#endif
