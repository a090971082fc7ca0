// Commands of the shell that a test runs beside a server: curl, openssl.
// Invariant: nobody waits for them on a thread that others need.
// Not here: the program itself (ServedProcess).

#if Server
  import ContinuoTestSupport
  import Foundation
  import Testing

  /// A folder of a test's own, in which commands are run; gone with the value.
  final class Shell: Sendable {
    let folder: URL

    init() throws {
      folder = FileManager.default.temporaryDirectory.appending(path: "continuo-\(UUID().uuidString)")
      try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(at: folder) }

    func path(_ name: String) -> String { folder.appending(path: name).path }

    /// Runs a command; its status and what it printed.
    func run(_ command: String) async throws -> (status: Int32, text: String) {
      let printed = folder.appending(path: "printed-\(UUID().uuidString)")
      try Data().write(to: printed)
      let process = Process()
      process.executableURL = URL(filePath: "/bin/sh")
      process.arguments = ["-c", command]
      process.currentDirectoryURL = folder
      process.standardInput = FileHandle.nullDevice
      process.standardOutput = try FileHandle(forWritingTo: printed)
      process.standardError = FileHandle.nullDevice
      let status = await (try ProcessEnd(starting: process)).status
      return (status, String(decoding: try Data(contentsOf: printed), as: UTF8.self))
    }

    /// Waits until something is so; however busy the machine is, a minute is enough.
    func wait(
      _ what: String, _ place: SourceLocation = #_sourceLocation, until isSo: () async throws -> Bool
    ) async throws {
      let end = ContinuousClock.now + .seconds(60)
      while try await !isSo() {
        try #require(ContinuousClock.now < end, "\(what)", sourceLocation: place)
        try await Task.sleep(for: .milliseconds(50))
      }
    }
  }
#endif
