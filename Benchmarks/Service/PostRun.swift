// Events on one connection, a batch behind the other: as fast as they are answered, or at a rate.
// Invariant: every event is accepted, or the process ends; text is made before the clock starts.
// Not here: the market (ContinuoMarket).

#if Server
  internal import ContinuoMarket
  internal import Foundation
  internal import NIOCore

  final class PostRun {
    private let loop: any EventLoop
    private let promise: EventLoopPromise<String>
    private let port: Int
    private let bodies: [ByteBuffer]
    private let events: Int
    private let rate: Int
    private var start = NIODeadline.now()
    private var sent = 0
    private var sentAt = NIODeadline.now()
    private var accepted = 0
    private var longest: Int64 = 0

    init(
      _ loop: any EventLoop, _ promise: EventLoopPromise<String>, port: Int, _ bodies: [ByteBuffer], events: Int,
      rate: Int
    ) {
      (self.loop, self.promise, self.port, self.bodies, self.events, self.rate) = (
        loop, promise, port, bodies, events, rate
      )
    }

    /// Requests with the swaps of one day, which lies so many days behind the market's first.
    static func bodies(events: Int, batch: Int, daysLater: Int) -> [ByteBuffer] {
      var shape = MarketShape(events: events)
      (shape.days, shape.seed) = (1, UInt64(daysLater))
      let market = Market(shape)
      return market.batches(of: batch).map { rows in
        var text: [UInt8] = []
        market.append(rows, as: .ndjson, daysLater: daysLater, to: &text)
        var request = ByteBuffer(
          string: "POST /v1/events HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/x-ndjson\r\n"
            + "Content-Length: \(text.count)\r\n\r\n")
        request.writeBytes(text)
        return request
      }
    }

    func begin() {
      Connection.open(loop, port: port) { [self] connection in
        connection.keepsBody = true
        connection.answered = { [self] status, body in answer(connection, status, body) }
        // Who waits for the beginning reads this.
        try? FileHandle.standardOutput.write(contentsOf: Data("{}\n".utf8))
        start = .now()
        send(connection)
      }
    }

    private func send(_ connection: Connection) {
      sentAt = .now()
      connection.send(bodies[sent])
      sent += 1
    }

    private func answer(_ connection: Connection, _ status: Int, _ body: ByteBuffer) {
      longest = max(longest, (NIODeadline.now() - sentAt).nanoseconds)
      let receipt = (try? JSONSerialization.jsonObject(with: Data(body.readableBytesView))) as? [String: Any] ?? [:]
      guard status == 200, let more = receipt["accepted"] as? Int, receipt["rejected"] as? Int == 0 else {
        fatalError("\(status): \(String(buffer: body).prefix(400))")
      }
      accepted += more
      guard sent < bodies.count else { return finish() }
      guard rate > 0 else { return send(connection) }
      let due = start + .nanoseconds(Int64(accepted) * 1_000_000_000 / Int64(rate))
      loop.assumeIsolated().scheduleTask(deadline: due) { self.send(connection) }
    }

    private func finish() {
      precondition(accepted == events, "\(accepted) of \(events) events were accepted")
      let seconds = Double((NIODeadline.now() - start).nanoseconds) / 1e9
      promise.succeed(
        """
        {"events":\(accepted),"batches":\(bodies.count),"per_second":\(Double(accepted) / seconds),\
        "longest_ms":\(Double(longest) / 1e6)}
        """)
    }
  }
#endif
