// A network between us and a server that stalls: connections stay, and nothing goes through any more.
// Invariant: what goes through is what was sent, in order; it ends with the value.
// Not here: what is expected of who is behind it (NetworkTests).

#if Postgres
  import ContinuoPostgres
  import ContinuoTestSupport
  import Foundation
  import Testing

  #if canImport(Glibc)
    import Glibc
  #else
    import Darwin
  #endif

  final class Network {
    enum Direction: String { case fromServer, toServer }

    private let process = Process()
    private let orders = Pipe()
    private let folder: Folder
    let port: Int

    /// Puts one in front of a port of this machine.
    init(to server: Int) throws {
      folder = try Folder()
      let told = URL(filePath: folder.path + "/told")
      try Data().write(to: told)
      process.executableURL = URL(filePath: "/usr/bin/env")
      process.arguments = ["python3", "-c", Self.script, String(server)]
      process.standardInput = orders
      process.standardOutput = try FileHandle(forWritingTo: told)
      try process.start()
      var lines: [Substring] = []
      let end = ContinuousClock.now + .seconds(30)
      while lines.count < 2 {
        try #require(process.isRunning && ContinuousClock.now < end, "no network: it needs python3")
        usleep(10_000)
        lines =
          (try? String(contentsOf: told, encoding: .utf8))?.split(separator: "\n", omittingEmptySubsequences: false)
          ?? []
      }
      port = try #require(Int(lines[0]))
    }

    deinit {
      // Whoever was started by a thread that has signals blocked has them blocked too.
      _ = Glibc.kill(process.processIdentifier, SIGKILL)
      process.waitUntilExit()
    }

    /// The address of a database behind it, where a statement may take less than a second.
    func target(_ database: String) throws -> ConnectionTarget {
      var target = try ConnectionTarget(
        "postgresql://postgres@127.0.0.1:\(port)/\(database)?sslmode=disable&connect_timeout=2")
      target.statementMicroseconds = 700_000
      return target
    }

    /// Stalls once so many bytes more have gone in a direction, in the midst of what is sent.
    func stall(_ direction: Direction, behind bytes: Int) throws { try order("\(direction.rawValue) \(bytes)") }

    /// Lets all through that is there, and whatever comes.
    func resume() throws { try order("resume") }

    /// Whether something waits in it.
    var isStalled: Bool {
      (try? String(contentsOfFile: folder.path + "/told", encoding: .utf8))?.contains("stalled") ?? false
    }

    private func order(_ line: String) throws {
      try orders.fileHandleForWriting.write(contentsOf: Data((line + "\n").utf8))
    }

    private static let script = """
      import asyncio, sys

      left, free = {}, asyncio.Event()

      async def pump(reader, writer, direction):
          try:
              while data := await reader.read(4096):
                  if direction in left:
                      first = data[:max(0, left[direction])]
                      left[direction] -= len(data)
                      if left[direction] < 0:
                          writer.write(first)
                          print("stalled", flush=True)
                          free.clear()
                          await free.wait()
                          data = data[len(first):]
                  writer.write(data)
                  await writer.drain()
          except OSError:
              pass
          writer.close()

      async def connected(reader, writer):
          try:
              server = await asyncio.open_connection("127.0.0.1", int(sys.argv[1]))
          except OSError:
              return writer.close()
          await asyncio.gather(pump(reader, server[1], "toServer"), pump(server[0], writer, "fromServer"))

      async def main():
          listening = await asyncio.start_server(connected, "127.0.0.1", 0)
          print(listening.sockets[0].getsockname()[1], flush=True)
          orders = asyncio.StreamReader()
          loop = asyncio.get_running_loop()
          await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(orders), sys.stdin)
          while words := (await orders.readline()).decode().split():
              left.clear()
              if words[0] == "resume":
                  free.set()
              else:
                  left[words[0]] = int(words[1])

      asyncio.run(main())
      """
  }
#endif
