// Requests at a fixed rate, whether those before were answered or not.
// Invariant: a request's time counts from the moment at which it was due, so that a server that stands still is seen.
// Not here: the connections (Connection), as many requests as there can be (wrk).

#if Server
  internal import ContinuoMachine
  internal import NIOCore

  final class PacedRun {
    private let loop: any EventLoop
    private let promise: EventLoopPromise<String>
    private let port: Int
    private let requests: [ByteBuffer]
    private let count: Int
    private let rate: Int
    private var start = NIODeadline.now()
    private var next = 0
    private var answered = 0
    private var failed = 0
    private var free: [Connection] = []
    /// When those were due that no connection was free for.
    private var waiting: [NIODeadline] = []
    private var samples: LatencySamples
    private var place: UInt64 = 7

    init(
      _ loop: any EventLoop, _ promise: EventLoopPromise<String>, port: Int, _ paths: [String], count: Int, rate: Int
    ) {
      precondition(rate > 0 && !paths.isEmpty, "--rate and paths are needed")
      (self.loop, self.promise, self.port, self.count, self.rate) = (loop, promise, port, count, rate)
      requests = paths.map { ByteBuffer(string: "GET \($0) HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n") }
      samples = LatencySamples(capacity: count)
    }

    /// How often each connection asks before the first request that counts.
    private static let firstRequests = 100

    /// Connects, then begins.
    func begin(connections: Int) {
      for _ in 0..<connections {
        Connection.open(loop, port: port) { [self] connection in
          warmUp(connection, Self.firstRequests) { [self] in
            free.append(connection)
            guard free.count == connections else { return }
            start = .now()
            send()
          }
        }
      }
    }

    /// Asks some times, an answer awaited each time: memory that is used for the first time is not the server's.
    private func warmUp(_ connection: Connection, _ left: Int, _ done: @escaping () -> Void) {
      guard left > 0 else { return done() }
      connection.answered = { [self] _, _ in warmUp(connection, left - 1, done) }
      connection.send(request())
    }

    private func due(_ request: Int) -> NIODeadline {
      start + .nanoseconds(Int64(request) * 1_000_000_000 / Int64(rate))
    }

    /// Sends what is due, and comes back when the next is.
    private func send() {
      let now = NIODeadline.now()
      while next < count, due(next) <= now {
        waiting.append(due(next))
        next += 1
      }
      // Ascending, and mostly there is none or one.
      while !waiting.isEmpty, let connection = free.popLast() { ask(connection, waiting.removeFirst()) }
      guard next < count else { return }
      loop.assumeIsolated().scheduleTask(deadline: due(next)) { self.send() }
    }

    private func ask(_ connection: Connection, _ due: NIODeadline) {
      connection.answered = { [self] status, _ in
        samples.add((NIODeadline.now() - due).nanoseconds)
        answered += 1
        if status != 200 { failed += 1 }
        if waiting.isEmpty { free.append(connection) } else { ask(connection, waiting.removeFirst()) }
        if answered == count { finish() }
      }
      connection.send(request())
    }

    /// Any of them, and the same ones each time.
    private func request() -> ByteBuffer {
      place = place &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return requests[Int(place >> 33) % requests.count]
    }

    private func finish() {
      let seconds = Double((NIODeadline.now() - start).nanoseconds) / 1e9
      let times = samples.microseconds([0.5, 0.99, 0.999, 1])
      promise.succeed(
        """
        {"requests":\(count),"failed":\(failed),"per_second":\(Double(count) / seconds),"p50_us":\(times[0]),\
        "p99_us":\(times[1]),"p999_us":\(times[2]),"longest_us":\(times[3])}
        """)
    }
  }
#endif
