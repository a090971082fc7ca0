// Texts as gzip and back, by the program of that name: not by what is tested.
// Invariant: what cannot be read is thrown.
// Not here: anything of HTTP.

#if Server
  import Foundation
  import Testing

  func gzipped(_ bytes: [UInt8]) async throws -> [UInt8] { try await piped(bytes, "gzip -9 -c") }

  func gunzipped(_ bytes: [UInt8]) async throws -> [UInt8] { try await piped(bytes, "gzip -d -c") }

  private func piped(_ bytes: [UInt8], _ command: String) async throws -> [UInt8] {
    let shell = try Shell()
    try Data(bytes).write(to: shell.folder.appending(path: "in"))
    let run = try await shell.run("\(command) < in > out")
    try #require(run.status == 0, "\(command)")
    return Array(try Data(contentsOf: shell.folder.appending(path: "out")))
  }
#endif
