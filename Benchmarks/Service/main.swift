// Load on a server of `continuo serve`, from a process of its own: requests at a fixed rate, events, streams. One JSON object.
// Usage: Service paced PORT FILE [--rate N] [--seconds N] [--connections N]     paths of FILE in no order; from when each was due
//        Service post PORT [--events N] [--batch N] [--rate N] [--later DAYS]   swaps of the market's days behind DAYS; without a
//                                                                               rate as fast as they are answered
//        Service streams PORT TOKEN [--count N] [--events N] [--every MS] [--at SECONDS]   swaps of one minute, one after another
// tools/bench runs it and prints the table.
// Not here: requests as fast as they are answered (wrk).

#if Server
  internal import ContinuoMachine
  internal import ContinuoMarket
  internal import Foundation
  internal import NIOCore
  internal import NIOPosix

  let flags = BenchmarkFlags([
    "--rate": 0, "--seconds": 5, "--connections": 32, "--events": 1_000_000, "--batch": 5000, "--later": 30,
    "--count": 1000, "--every": 100, "--at": 1_733_011_200,
  ])
  guard flags.names.count >= 2, let port = Int(flags.names[1]) else { fatalError("usage: see the head of main.swift") }

  /// Runs something on a thread of its own, and prints what it says at the end.
  func report(_ begin: @escaping @Sendable (any EventLoop, EventLoopPromise<String>) -> Void) throws {
    let loop = MultiThreadedEventLoopGroup(numberOfThreads: 1).next()
    let promise = loop.makePromise(of: String.self)
    loop.execute { begin(loop, promise) }
    print(try promise.futureResult.wait())
  }

  switch flags.names[0] {
  case "paced" where flags.names.count == 3:
    let paths = try String(contentsOfFile: flags.names[2], encoding: .utf8).split(separator: "\n").map(String.init)
    let (rate, count, connections) = (flags["--rate"], flags["--rate"] * flags["--seconds"], flags["--connections"])
    try report { loop, promise in
      PacedRun(loop, promise, port: port, paths, count: count, rate: rate).begin(connections: connections)
    }
  case "post":
    let bodies = PostRun.bodies(events: flags["--events"], batch: flags["--batch"], daysLater: flags["--later"])
    let (rate, events) = (flags["--rate"], flags["--events"])
    try report { loop, promise in PostRun(loop, promise, port: port, bodies, events: events, rate: rate).begin() }
  case "streams" where flags.names.count == 3:
    let (token, count, events) = (flags.names[2], flags["--count"], flags["--events"])
    let (every, second) = (flags["--every"], flags["--at"])
    try report { loop, promise in
      StreamRun(loop, promise, port: port, token, readers: count, events: events, milliseconds: every, second: second)
        .begin()
    }
  default: fatalError("usage: see the head of main.swift")
  }
#else
  fatalError("built without the server's trait")
#endif
