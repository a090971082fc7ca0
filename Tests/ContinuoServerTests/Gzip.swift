// Texts as gzip and back, by the program of that name: not by what is tested.
// Invariant: what cannot be read is thrown.
// Not here: anything of HTTP.

#if Server
  import ContinuoTestSupport
  import Foundation
  import Testing

  func gzipped(_ bytes: [UInt8]) throws -> [UInt8] { try piped(bytes, "gzip -9 -c") }

  func gunzipped(_ bytes: [UInt8]) throws -> [UInt8] { try piped(bytes, "gzip -d -c") }

  private func piped(_ bytes: [UInt8], _ command: String) throws -> [UInt8] {
    let file = FileManager.default.temporaryDirectory.appending(path: "continuo-\(UUID().uuidString)")
    try Data(bytes).write(to: file)
    defer { try? FileManager.default.removeItem(at: file) }
    let (process, out) = (Process(), Pipe())
    process.executableURL = URL(filePath: "/bin/sh")
    process.arguments = ["-c", "\(command) < '\(file.path)'"]
    process.standardOutput = out
    try process.start()
    let result = out.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    try #require(process.terminationStatus == 0, "\(command)")
    return Array(result)
  }
#endif
