// Digits of numbers and times straight into the end of a buffer, eight at a time.
// Invariant: what is written lies within the room that was asked for, and counts only once it is written.
// Not here: how a decimal or a time is spelled (Decimal18+Text, Timestamp+Text).
// Source of eight digits at a time: P. Khuong, "How to print integers really fast", 2017.

/// Writes text into room at the end of a buffer.
@safe struct DigitsHandle: ~Copyable {
  private let base: UnsafeMutablePointer<UInt8>
  private let room: Int
  private(set) var count = 0

  /// SAFETY: the caller lends `space` for as long as the value lives.
  fileprivate init(_ space: UnsafeMutableBufferPointer<UInt8>) {
    unsafe base = space.baseAddress.unsafelyUnwrapped
    room = space.count
  }

  /// Appends what `body` writes to `output`. O(bytesMax).
  @inline(__always)
  static func append(to output: inout [UInt8], atMost bytesMax: Int, _ body: (inout DigitsHandle) -> Void) {
    // Words are stored whole: the last one may pass what counts.
    output.append(addingCapacity: bytesMax + 8) { space in
      unsafe space.withUnsafeMutableBufferPointer { free, initialized in
        // SAFETY: `free` is room for that many bytes, and stays so while `body` runs; `count` of them are set then.
        var text = unsafe DigitsHandle(free)
        body(&text)
        initialized = text.count
      }
    }
  }

  /// Writes one character. O(1).
  @inline(__always)
  mutating func put(_ character: Unicode.Scalar) {
    precondition(count < room)
    // SAFETY: within the room by the check above.
    unsafe base[count] = UInt8(ascii: character)
    count &+= 1
  }

  /// Writes the lowest `bytes` bytes of a word. O(1).
  @inline(__always)
  private mutating func put(_ word: UInt64, bytes: Int) {
    precondition(count &+ 8 <= room && bytes <= 8)
    // SAFETY: eight bytes from `count` lie within the room by the check above.
    unsafe UnsafeMutableRawPointer(base + count).storeBytes(of: word.littleEndian, as: UInt64.self)
    count &+= bytes
  }

  /// Writes the last `width` digits of a number, with leading zeros; 1 ≤ `width` ≤ 8, the number under 10^8. O(1).
  @inline(__always)
  mutating func put(padded value: UInt64, width: Int) {
    put(Self.eightDigits(value) &>> UInt64(64 &- 8 &* width), bytes: width)
  }

  /// Writes a number without leading zeros. O(digits).
  @inline(__always)
  mutating func put(_ value: UInt64) {
    guard value < 100_000_000 else { return put(long: value) }
    let digits = Self.eightDigits(value)
    let zeros = Swift.min((digits ^ Self.zeros).trailingZeroBitCount &>> 3, 7)
    put(digits &>> UInt64(8 &* zeros), bytes: 8 &- zeros)
  }

  private mutating func put(long value: UInt64) {
    let (upper, lower) = value.quotientAndRemainder(dividingBy: 100_000_000)
    put(upper)
    put(padded: lower, width: 8)
  }

  /// Writes a point and eighteen fractional digits without the zeros at their end; `value` is 1 ..< 10^18. O(1).
  @inline(__always)
  mutating func put(fraction value: UInt64) {
    put(".")
    let (first, rest) = value.quotientAndRemainder(dividingBy: 10_000_000_000)
    let head = Self.eightDigits(first)
    guard rest != 0 else { return put(head, bytes: Self.significant(head)) }
    put(head, bytes: 8)
    let (second, third) = rest.quotientAndRemainder(dividingBy: 100)
    let tail = Self.eightDigits(second)
    guard third != 0 else { return put(tail, bytes: Self.significant(tail)) }
    put(tail, bytes: 8)
    let last = Self.eightDigits(third &* 1_000_000)
    put(last, bytes: Self.significant(last))
  }

  private static let zeros: UInt64 = 0x3030_3030_3030_3030

  /// How many of eight digits are left without the zeros at their end.
  @inline(__always)
  private static func significant(_ digits: UInt64) -> Int {
    8 &- (digits ^ zeros).leadingZeroBitCount &>> 3
  }

  /// Eight digits of a number under 10^8 as text, the first one lowest.
  @inline(__always)
  private static func eightDigits(_ value: UInt64) -> UInt64 {
    let (upper, lower) = value.quotientAndRemainder(dividingBy: 10_000)
    let fours = upper | lower &<< 32
    // Two numbers under 10^4 in one word, then four under 10^2, then eight digits; 10486 / 2^20 and 103 / 2^10 are 1/100
    // and 1/10 closely enough for those.
    let hundreds = ((fours &* 10_486) &>> 20) & 0x0000_007F_0000_007F
    let twos = ((fours &- hundreds &* 100) &<< 16) &+ hundreds
    let tens = ((twos &* 103) &>> 10) & 0x000F_000F_000F_000F
    return (((twos &- tens &* 10) &<< 8) &+ tens) | zeros
  }
}
