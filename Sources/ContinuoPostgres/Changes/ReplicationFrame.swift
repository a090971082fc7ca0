// What goes to and fro while changes are streamed: frames around changes, signs of life, and what was taken.
// Invariant: bytes that are no frame are told, and none traps.
// Not here: what a change is (ChangeReader), when something is confirmed (Follower).
// Source: PostgreSQL's documentation, "Streaming Replication Protocol".

package import Continuo

/// A place in the server's log.
package struct LSN: Hashable, Comparable, Sendable, CustomStringConvertible {
  package var value: UInt64

  package init(_ value: UInt64) { self.value = value }

  /// Reads `16/B374D848`.
  package init?(_ text: some StringProtocol) {
    let parts = text.split(separator: "/", omittingEmptySubsequences: false)
    guard parts.count == 2, let high = UInt32(parts[0], radix: 16), let low = UInt32(parts[1], radix: 16) else {
      return nil
    }
    value = UInt64(high) << 32 | UInt64(low)
  }

  package static func < (left: LSN, right: LSN) -> Bool { left.value < right.value }

  package var description: String {
    String(value >> 32, radix: 16, uppercase: true) + "/" + String(value & 0xFFFF_FFFF, radix: 16, uppercase: true)
  }
}

/// Bytes that are not what they should be.
package struct MalformedChange: Error, Equatable, Sendable, CustomStringConvertible {
  package let description: String

  package init(_ description: String) { self.description = description }
}

/// One piece of the stream from the server.
package enum ReplicationFrame: Equatable, Sendable {
  /// A message of the plugin; `end` is how far the server's log is.
  case change(start: LSN, end: LSN, [UInt8])
  /// A sign of life; whether it wants one back.
  case keepAlive(end: LSN, wantsReply: Bool)

  /// Reads a piece. O(bytes).
  package init(_ bytes: [UInt8]) throws(MalformedChange) {
    switch bytes.first {
    case UInt8(ascii: "w"):
      guard bytes.count >= 25, let start: UInt64 = BigEndian.value(bytes, at: 1),
        let end: UInt64 = BigEndian.value(bytes, at: 9)
      else { throw MalformedChange("a change of \(bytes.count) bytes") }
      self = .change(start: LSN(start), end: LSN(end), Array(bytes[25...]))
    case UInt8(ascii: "k"):
      guard bytes.count == 18, let end: UInt64 = BigEndian.value(bytes, at: 1) else {
        throw MalformedChange("a sign of life of \(bytes.count) bytes")
      }
      self = .keepAlive(end: LSN(end), wantsReply: bytes[17] != 0)
    case let other: throw MalformedChange("a piece of kind \(other.map(String.init) ?? "none")")
    }
  }

  /// What tells the server how far everything is synced here; it may forget what is before. Whether it is to answer. O(1).
  package static func status(synced: LSN, at time: Timestamp, wantsReply: Bool = false) -> [UInt8] {
    var bytes = [UInt8(ascii: "r")]
    // Written, flushed and applied are one here: nothing is told before it is synced.
    for _ in 0..<3 { BigEndian.append(synced.value, to: &bytes) }
    BigEndian.append(ServerTime.microseconds(time), to: &bytes)
    bytes.append(wantsReply ? 1 : 0)
    return bytes
  }
}
