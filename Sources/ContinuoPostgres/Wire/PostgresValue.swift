// Values as PostgreSQL sends and takes them in binary, of the types that are used here.
// Invariant: a value that is sent comes back the same; bytes that are none of a type are told, never guessed at.
// Not here: the digits of `numeric` (NumericBytes), rows of a result (Rows).

package import Continuo

/// A parameter, or a field of a row for COPY.
package enum PostgresValue: Equatable, Sendable {
  case null
  case bool(Bool)
  case int4(Int32)
  case int8(Int64)
  case text(String)
  /// In any spelling that the server takes; sent as text.
  case uuid(UUIDBytes)
  case timestamp(Timestamp)
  case numeric(Decimal18)
  /// Several texts, as an array.
  case texts([String])
  case int8s([Int64])

  /// The number of the type in every server; 0 lets the server decide.
  package var type: UInt32 {
    switch self {
    case .null: 0
    case .bool: 16
    case .int8: 20
    case .int4: 23
    case .text: 25
    case .timestamp: 1184
    case .numeric: 1700
    case .uuid: 2950
    case .texts: 1009
    case .int8s: 1016
    }
  }

  /// The value in binary; nil is null. O(length).
  package var bytes: [UInt8]? {
    var bytes: [UInt8] = []
    return append(to: &bytes) ? bytes : nil
  }

  /// Appends the value; whether there is one.
  private func append(to bytes: inout [UInt8]) -> Bool {
    switch self {
    case .null: return false
    case .bool(let value): bytes.append(value ? 1 : 0)
    case .int4(let value): BigEndian.append(value, to: &bytes)
    case .int8(let value): BigEndian.append(value, to: &bytes)
    case .text(let value): bytes += Array(value.utf8)
    case .uuid(let value): bytes += value.bytes
    case .timestamp(let value): BigEndian.append(ServerTime.microseconds(value), to: &bytes)
    case .numeric(let value): NumericBytes.append(value, to: &bytes)
    case .texts(let values): Self.append(array: values.map { .text($0) }, of: 25, to: &bytes)
    case .int8s(let values): Self.append(array: values.map { .int8($0) }, of: 20, to: &bytes)
    }
    return true
  }

  private static func append(array values: [PostgresValue], of type: UInt32, to bytes: inout [UInt8]) {
    // One dimension, from 1; none where there is nothing.
    BigEndian.append(Int32(values.isEmpty ? 0 : 1), to: &bytes)
    BigEndian.append(Int32(0), to: &bytes)
    BigEndian.append(type, to: &bytes)
    guard !values.isEmpty else { return }
    BigEndian.append(Int32(values.count), to: &bytes)
    BigEndian.append(Int32(1), to: &bytes)
    for value in values { value.append(field: &bytes) }
  }

  /// Appends length and bytes, as rows of COPY and elements of arrays have them. O(length).
  package func append(field output: inout [UInt8]) {
    let start = output.count
    // What null has for a length; else it is put there once it is known.
    BigEndian.append(Int32(-1), to: &output)
    guard append(to: &output) else { return }
    let count = UInt32(output.count - start - 4)
    for offset in 0..<4 { output[start + offset] = UInt8(truncatingIfNeeded: count >> (24 - 8 * offset)) }
  }
}

/// The server's time: microseconds since 2000-01-01T00:00:00Z, and two values for never.
package enum ServerTime {
  private static let epochMicroseconds: Int64 = 946_684_800_000_000

  /// A time as the server counts; one that it cannot have is infinity. O(1).
  package static func microseconds(_ time: Timestamp) -> Int64 {
    let (count, isOver) = time.microseconds.subtractingReportingOverflow(epochMicroseconds)
    return isOver ? .min : count
  }

  /// The time of a count; nil for the infinities, and what is outside of the years 1 to 9999. O(1).
  package static func timestamp(_ microseconds: Int64) -> Timestamp? {
    let (count, isOver) = microseconds.addingReportingOverflow(epochMicroseconds)
    let time = Timestamp(microseconds: count)
    return isOver || microseconds == .min || !time.isInRange ? nil : time
  }
}

/// The sixteen bytes of a `uuid`.
package struct UUIDBytes: Hashable, Sendable, CustomStringConvertible {
  package let bytes: [UInt8]

  /// Those of a value in binary; nil where there are not sixteen. O(1).
  package init?(_ bytes: [UInt8]) {
    guard bytes.count == 16 else { return nil }
    self.bytes = bytes
  }

  /// Reads 8-4-4-4-12 hexadecimal digits; nil for anything else. O(1).
  package init?(_ text: some StringProtocol) {
    let characters = Array(text.utf8)
    guard characters.count == 36 else { return nil }
    var digits: [UInt8] = []
    for (index, character) in characters.enumerated() {
      if [8, 13, 18, 23].contains(index) {
        guard character == UInt8(ascii: "-") else { return nil }
        continue
      }
      switch character {
      case UInt8(ascii: "0")...UInt8(ascii: "9"): digits.append(character - UInt8(ascii: "0"))
      case UInt8(ascii: "a")...UInt8(ascii: "f"): digits.append(character - UInt8(ascii: "a") + 10)
      case UInt8(ascii: "A")...UInt8(ascii: "F"): digits.append(character - UInt8(ascii: "A") + 10)
      default: return nil
      }
    }
    bytes = stride(from: 0, to: 32, by: 2).map { digits[$0] << 4 | digits[$0 + 1] }
  }

  /// As the server writes it: in lower case.
  package var ascii: [UInt8] {
    var text: [UInt8] = []
    text.reserveCapacity(36)
    Self.append(bytes.span, to: &text)
    return text
  }

  /// Appends sixteen bytes as 8-4-4-4-12 digits, small letters. O(1).
  package static func append(_ bytes: Span<UInt8>, to text: inout [UInt8]) {
    for index in bytes.indices {
      if index == 4 || index == 6 || index == 8 || index == 10 { text.append(UInt8(ascii: "-")) }
      text.append(digit(bytes[index] >> 4))
      text.append(digit(bytes[index] & 15))
    }
  }

  private static func digit(_ value: UInt8) -> UInt8 {
    value < 10 ? UInt8(ascii: "0") + value : UInt8(ascii: "a") + value - 10
  }

  package var description: String { String(decoding: ascii, as: UTF8.self) }
}

extension UUIDBytes: Comparable {
  /// As the server orders them: byte by byte.
  package static func < (left: UUIDBytes, right: UUIDBytes) -> Bool {
    left.bytes.lexicographicallyPrecedes(right.bytes)
  }
}

/// Integers in the order of bytes of the wire.
package enum BigEndian {
  package static func append(_ value: some FixedWidthInteger, to output: inout [UInt8]) {
    var shift = value.bitWidth
    while shift > 0 {
      shift -= 8
      output.append(UInt8(truncatingIfNeeded: value >> shift))
    }
  }

  /// The integer of so many bytes at a place; nil where there are not as many. O(bytes).
  package static func value<Number: FixedWidthInteger>(
    _ bytes: [UInt8], at offset: Int = 0, as type: Number.Type = Number.self
  ) -> Number? {
    guard offset >= 0, bytes.count - offset >= Number.bitWidth / 8 else { return nil }
    var value: Number = 0
    for index in offset..<(offset + Number.bitWidth / 8) {
      let byte = Number(truncatingIfNeeded: bytes[index])
      // Number may have eight bits only, of which nothing would be left.
      value = Number.bitWidth == 8 ? byte : (value << 8) | byte
    }
    return value
  }
}
