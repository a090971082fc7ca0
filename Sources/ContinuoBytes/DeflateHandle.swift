// zlib's deflate for one gzip member, all at once: an answer that is sent compressed.
// Invariant: what comes out is one whole member that inflates to what went in.
// Not here: whether compressing is worth its while (who answers).

import CZlib

/// Compresses texts as gzip.
package enum DeflateHandle {
  /// How much is compressed: the quickest that zlib has.
  private static let level: Int32 = 1

  /// One gzip member that holds `bytes`; nil where zlib has no memory for it, or they are 2 GiB or more. O(bytes).
  package static func gzip(_ bytes: Span<UInt8>) -> [UInt8]? {
    guard bytes.count < 1 << 31 else { return nil }
    var stream = unsafe z_stream()
    // SAFETY: the stream is zeroed as zlib asks and stays where it is until deflateEnd; 31 is the largest window with gzip
    // wrapping. zlib reads within `source` and writes within `buffer`, both lent for the time of the call; it tells how far.
    guard
      unsafe deflateInit2_(
        &stream, level, Z_DEFLATED, 31, 8, Z_DEFAULT_STRATEGY, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size)) == Z_OK
    else { return nil }
    defer { unsafe deflateEnd(&stream) }
    let room = unsafe Int(deflateBound(&stream, UInt(bytes.count)))
    var answer = Z_OK
    let packed = unsafe [UInt8](unsafeUninitializedCapacity: room) { buffer, count in
      unsafe bytes.withUnsafeBufferPointer { source in
        unsafe stream.next_in = UnsafeMutablePointer(mutating: source.baseAddress)
        unsafe stream.avail_in = UInt32(source.count)
        unsafe stream.next_out = buffer.baseAddress
        unsafe stream.avail_out = UInt32(buffer.count)
        answer = unsafe deflate(&stream, Z_FINISH)
        count = unsafe buffer.count - Int(stream.avail_out)
      }
    }
    return answer == Z_STREAM_END ? packed : nil
  }
}
