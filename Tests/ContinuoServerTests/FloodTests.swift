// Floods of HTTP/2: frames that cost who sends them nothing, sent without reading what comes back.
// Invariant: the connection ends, others are served meanwhile, and nothing is left of it.
// Not here: one slow request among others, certificates (TLSTests).

#if Server
  import Foundation
  import Testing

  @Suite("Floods of HTTP/2")
  struct FloodTests {
    /// Sends frames of a kind until the server closes; at last it waits for that.
    private static let flood = #"""
      import socket, ssl, struct, sys

      kind, port = sys.argv[1], int(sys.argv[2])
      context = ssl.create_default_context()
      context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
      context.set_alpn_protocols(["h2"])
      wire = context.wrap_socket(socket.create_connection(("127.0.0.1", port)))
      wire.settimeout(60)
      assert wire.selected_alpn_protocol() == "h2"

      def frame(kind, flags, stream, payload=b""):
          return struct.pack(">I", len(payload))[1:] + bytes([kind, flags]) + struct.pack(">I", stream) + payload

      def number(value):
          return struct.pack(">I", value)

      get, post = b"\x82\x87\x84\x01\x09localhost", b"\x83\x87\x84\x01\x09localhost"
      field = b"\x00\x01a\x64" + b"b" * 100

      def frames():
          yield b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + frame(4, 0, 0)
          if kind == "resets":
              for stream in range(1, 100_000, 2):
                  yield frame(1, 5, stream, get) + frame(3, 0, stream, number(8))
          elif kind == "settings":
              for _ in range(100_000):
                  yield frame(4, 0, 0)
          elif kind == "pings":
              for _ in range(100_000):
                  yield frame(6, 0, 0, b"pingping")
          elif kind == "continuations":
              yield frame(1, 1, 1, get)
              for _ in range(20_000):
                  yield frame(9, 0, 1, field * 100)
          elif kind == "fields":
              yield frame(1, 5, 1, get + field * 150)
          elif kind == "nothings":
              yield frame(1, 4, 1, post)
              for _ in range(100_000):
                  yield frame(0, 0, 1)
          elif kind == "windows":
              yield frame(4, 0, 0, struct.pack(">HI", 4, 0))
              for stream in range(1, 200, 2):
                  yield frame(1, 5, stream, get)
          elif kind == "streams":
              for stream in range(1, 2000, 2):
                  yield frame(1, 4, stream, post)
          elif kind == "lengths":
              yield b"\xff\xff\xff\x00\x00\x00\x00\x00\x01" + b"x" * 100_000

      sent = 0
      try:
          for part in frames():
              wire.sendall(part)
              sent += 1
          while wire.recv(1 << 16):
              pass
      except TimeoutError:
          raise
      except OSError:
          pass
      print("closed after", sent)
      """#

    /// Rule 14.3.
    @Test(
      "Each ends its connection and nothing else",
      arguments: [
        "resets", "settings", "pings", "continuations", "fields", "nothings", "windows", "streams", "lengths",
      ])
    func floods(_ kind: String) async throws {
      let shell = try await TLSTests.shell()
      let server = try await TLSTests.serve(shell, ["--idle-timeout", "2", "--request-timeout", "5"])
      try Data(Self.flood.utf8).write(to: shell.folder.appending(path: "flood.py"))
      func figure(_ name: String) async throws -> Int {
        let metrics = try await TLSTests.ask(shell, server, "/metrics")
        let line = metrics.split(separator: "\n").first { $0.hasPrefix("continuo_\(name) ") }
        return line.flatMap { Int($0.split(separator: " ")[1]) } ?? -1
      }
      let memory = try await figure("memory_bytes")
      let port = server.port
      async let flooding = shell.run("python3 flood.py \(kind) \(port)")
      for _ in 0..<3 {
        let answer = try await TLSTests.ask(shell, server, "/healthz", "--http2")
        #expect(answer.hasSuffix(" 2 200"), "\(answer)")
      }
      let flooded = try await flooding
      #expect(flooded.status == 0 && flooded.text.hasPrefix("closed after "), "\(kind): \(flooded)")
      try await shell.wait("nothing is left") {
        let connections = try await figure("connections")
        let held = try await figure("held_body_bytes")
        return connections == 1 && held == 0
      }
      let grown = try await figure("memory_bytes") - memory
      #expect(grown < 256 << 20, "\(kind): \(grown) bytes more, \(flooded.text)")
      await server.endWell()
    }
  }
#endif
