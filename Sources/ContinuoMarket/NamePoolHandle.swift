// Names made ahead, as bytes in slots of one size: a row's name is found without looking anywhere else.
// Invariant: a slot's last byte is the length of its name, which is shorter than the slot.
// Not here: which name a row has (Market).

internal import CMemory

/// Names 0 ..< count as bytes.
package struct NamePool: Sendable {
  package let bytes: [UInt8]
  private let slotBytes: Int

  /// `tok0`, `tok1` …
  package static func tokens(_ count: Int) -> NamePool {
    NamePool(count: count, slotBytes: 16) { number, name in
      name.append(contentsOf: "tok".utf8)
      name.append(contentsOf: String(number).utf8)
    }
  }

  /// `0`, `1` …
  package static func numbers(_ count: Int) -> NamePool {
    NamePool(count: count, slotBytes: 8) { number, name in name.append(contentsOf: String(number).utf8) }
  }

  /// Addresses of 20 bytes: 0x and forty hexadecimal digits.
  package static func addresses(_ count: Int, seed: UInt64) -> NamePool {
    var random = RandomSource(seed: seed, for: .names)
    return NamePool(count: count, slotBytes: 48) { _, name in
      name.append(contentsOf: "0x".utf8)
      for width in [16, 16, 8] {
        let bits = random.next()
        for digit in 0..<width {
          let value = UInt8(truncatingIfNeeded: bits >> UInt64(digit * 4)) & 15
          name.append(value < 10 ? value + 48 : value + 87)
        }
      }
    }
  }

  private init(count: Int, slotBytes: Int, _ append: (Int, inout [UInt8]) -> Void) {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(count * slotBytes)
    for number in 0..<count {
      let start = bytes.count
      append(number, &bytes)
      let length = bytes.count - start
      precondition(length < slotBytes, "a name is shorter than its slot")
      for _ in length..<slotBytes - 1 { bytes.append(0) }
      bytes.append(UInt8(length))
    }
    self.bytes = bytes
    self.slotBytes = slotBytes
  }

  /// Asks for the memory of a name that is going to be read. O(1).
  @inline(__always)
  func prefetch(_ number: UInt32) {
    let start = Int(number) &* slotBytes
    unsafe bytes.withUnsafeBufferPointer { buffer in
      guard let base = buffer.baseAddress else { return }
      // SAFETY: a prefetch of any address is harmless; nothing is read here. Slots may lie across two lines.
      unsafe continuo_prefetch(base + start)
      unsafe continuo_prefetch(base + start + slotBytes - 1)
    }
  }

  /// Where in `bytes` a name lies. O(1).
  @inline(__always)
  package func place(_ number: UInt32) -> Range<Int> {
    let start = Int(number) * slotBytes
    return start..<start + Int(bytes[start + slotBytes - 1])
  }
}
