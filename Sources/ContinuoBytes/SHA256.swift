// SHA-256, for digests of the state and of files.
// Invariant: any split of the input gives the same digest.
// Not here: keyed hashes, anything that would need constant time.
// Source: FIPS 180-4, sections 4.1.2, 4.2.2, 5 and 6.2.

/// An incremental SHA-256 (FIPS 180-4).
///
///     var hash = SHA256()
///     hash.update(Array("abc".utf8))
///     hash.finalize()                             // 32 bytes: ba 78 16 bf …
public struct SHA256: Sendable {
  private var state: [8 of UInt32] = [
    0x6a09_e667, 0xbb67_ae85, 0x3c6e_f372, 0xa54f_f53a, 0x510e_527f, 0x9b05_688c, 0x1f83_d9ab, 0x5be0_cd19,
  ]
  /// What does not fill a block yet.
  private var pending: [64 of UInt8] = .init(repeating: 0)
  private var pendingCount = 0
  private var bytesTotal: UInt64 = 0

  public init() {}

  /// Takes in more bytes. O(bytes).
  public mutating func update(_ bytes: Span<UInt8>) {
    bytesTotal &+= UInt64(bytes.count)
    var index = 0
    if pendingCount > 0 {
      while pendingCount < 64, index < bytes.count {
        pending[pendingCount] = bytes[index]
        pendingCount += 1
        index += 1
      }
      guard pendingCount == 64 else { return }
      let block = pending
      compress(block.span, from: 0)
      pendingCount = 0
    }
    while bytes.count - index >= 64 {
      compress(bytes, from: index)
      index += 64
    }
    while index < bytes.count {
      pending[pendingCount] = bytes[index]
      pendingCount += 1
      index += 1
    }
  }

  /// Takes in more bytes. O(bytes).
  public mutating func update(_ bytes: [UInt8]) { update(bytes.span) }

  /// The digest of all bytes taken in: 32 bytes. The value itself stays as it is, and may go on. O(1).
  public func finalize() -> [UInt8] {
    var last = self
    let bits = bytesTotal &* 8
    last.update([0x80])
    while last.pendingCount != 56 { last.update([0]) }
    last.update((0..<8).map { UInt8(truncatingIfNeeded: bits >> (56 - 8 * $0)) })
    var digest: [UInt8] = []
    digest.reserveCapacity(32)
    for index in 0..<8 {
      for shift in [24, 16, 8, 0] { digest.append(UInt8(truncatingIfNeeded: last.state[index] >> UInt32(shift))) }
    }
    return digest
  }

  /// Section 6.2.2, with the message schedule in a ring of sixteen words.
  private mutating func compress(_ block: Span<UInt8>, from start: Int) {
    var words: [16 of UInt32] = .init(repeating: 0)
    for index in 0..<16 {
      let at = start + index * 4
      words[index] =
        UInt32(block[at]) << 24 | UInt32(block[at + 1]) << 16 | UInt32(block[at + 2]) << 8 | UInt32(block[at + 3])
    }
    var (a, b, c, d) = (state[0], state[1], state[2], state[3])
    var (e, f, g, h) = (state[4], state[5], state[6], state[7])
    for round in 0..<64 {
      let word = words[round & 15]
      let sum1 = Self.rotated(e, 6) ^ Self.rotated(e, 11) ^ Self.rotated(e, 25)
      let first = h &+ sum1 &+ (e & f ^ ~e & g) &+ Self.constants[round] &+ word
      let sum0 = Self.rotated(a, 2) ^ Self.rotated(a, 13) ^ Self.rotated(a, 22)
      let second = sum0 &+ (a & b ^ a & c ^ b & c)
      (h, g, f, e, d, c, b, a) = (g, f, e, d &+ first, c, b, a, first &+ second)
      let (near, far) = (words[(round + 1) & 15], words[(round + 14) & 15])
      let sigma0 = Self.rotated(near, 7) ^ Self.rotated(near, 18) ^ near >> 3
      let sigma1 = Self.rotated(far, 17) ^ Self.rotated(far, 19) ^ far >> 10
      words[round & 15] = word &+ sigma0 &+ words[(round + 9) & 15] &+ sigma1
    }
    let mixed: [8 of UInt32] = [a, b, c, d, e, f, g, h]
    for index in 0..<8 { state[index] = state[index] &+ mixed[index] }
  }

  private static func rotated(_ word: UInt32, _ count: UInt32) -> UInt32 { word &>> count | word &<< (32 - count) }

  private static let constants: [64 of UInt32] = [
    0x428a_2f98, 0x7137_4491, 0xb5c0_fbcf, 0xe9b5_dba5, 0x3956_c25b, 0x59f1_11f1, 0x923f_82a4, 0xab1c_5ed5,
    0xd807_aa98, 0x1283_5b01, 0x2431_85be, 0x550c_7dc3, 0x72be_5d74, 0x80de_b1fe, 0x9bdc_06a7, 0xc19b_f174,
    0xe49b_69c1, 0xefbe_4786, 0x0fc1_9dc6, 0x240c_a1cc, 0x2de9_2c6f, 0x4a74_84aa, 0x5cb0_a9dc, 0x76f9_88da,
    0x983e_5152, 0xa831_c66d, 0xb003_27c8, 0xbf59_7fc7, 0xc6e0_0bf3, 0xd5a7_9147, 0x06ca_6351, 0x1429_2967,
    0x27b7_0a85, 0x2e1b_2138, 0x4d2c_6dfc, 0x5338_0d13, 0x650a_7354, 0x766a_0abb, 0x81c2_c92e, 0x9272_2c85,
    0xa2bf_e8a1, 0xa81a_664b, 0xc24b_8b70, 0xc76c_51a3, 0xd192_e819, 0xd699_0624, 0xf40e_3585, 0x106a_a070,
    0x19a4_c116, 0x1e37_6c08, 0x2748_774c, 0x34b0_bcb5, 0x391c_0cb3, 0x4ed8_aa4a, 0x5b9c_ca4f, 0x682e_6ff3,
    0x748f_82ee, 0x78a5_636f, 0x84c8_7814, 0x8cc7_0208, 0x90be_fffa, 0xa450_6ceb, 0xbef9_a3f7, 0xc671_78f2,
  ]
}
