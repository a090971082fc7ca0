// CRC-32C over bytes: the checksum of everything that is written to disk.
// Invariant: the same bytes give the same sum on every machine.
// Not here: what is checked by it (ContinuoStorage), how it is computed (CChecksum).
// Source: RFC 3720, section 12.1; G. Castagnoli, S. Bräuer, M. Herrmann, 1993.

internal import CChecksum

/// CRC-32C of bytes.
package enum CRC32C {
  /// The checksum of some bytes; of bytes behind others, given the sum of those. O(bytes).
  package static func sum(_ bytes: Span<UInt8>, after before: UInt32 = 0) -> UInt32 {
    // SAFETY: the call reads no more than the bytes that are lent.
    unsafe bytes.withUnsafeBytes { unsafe continuo_crc32c(before, $0.baseAddress, $0.count) }
  }

  /// The same, a bit at a time. O(bits).
  package static func slowSum(_ bytes: Span<UInt8>) -> UInt32 {
    // SAFETY: the call reads no more than the bytes that are lent.
    unsafe bytes.withUnsafeBytes { unsafe continuo_crc32c_by_bytes(0, $0.baseAddress, $0.count) }
  }
}
