// zlib's inflate for one gzip member at a time, in steps of any size.
// Invariant: output that was produced before damage is handed out; the stream lives as long as the handle.
// Not here: where input comes from, several members (ByteReader).

import CZlib

/// A gzip member being inflated.
@safe package struct InflateHandle: ~Copyable {
  private let stream: UnsafeMutablePointer<z_stream>

  package init() {
    unsafe stream = .allocate(capacity: 1)
    unsafe stream.initialize(to: z_stream())
    // SAFETY: the stream is zeroed as zlib asks; 31 is the largest window, gzip wrapping only.
    let answer = unsafe inflateInit2_(stream, 31, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size))
    precondition(answer == Z_OK, "zlib \(ZLIB_VERSION) cannot start: \(answer)")
  }

  deinit {
    // SAFETY: the stream was initialised in init and is ours alone.
    unsafe inflateEnd(stream)
    unsafe stream.deinitialize(count: 1)
    unsafe stream.deallocate()
  }

  /// Makes ready for the next member. O(1).
  package mutating func reset() {
    // SAFETY: the stream was initialised in init.
    let answer = unsafe inflateReset(stream)
    precondition(answer == Z_OK, "zlib cannot start again: \(answer)")
  }

  /// Inflates and appends up to `bytesMax` bytes. O(bytes in and out).
  ///
  /// - Returns: how many bytes of `input` were used, and what the step came to.
  package mutating func step(_ input: Span<UInt8>, into output: inout [UInt8], atMost bytesMax: Int)
    -> (used: Int, outcome: DecodingOutcome)
  {
    let stream = unsafe self.stream
    var answer = Z_OK
    var used = 0
    // SAFETY: zlib reads within `source` and writes within `buffer`, both lent for the time of the call; it tells how far.
    output.append(addingCapacity: bytesMax) { (space: inout OutputSpan<UInt8>) in
      unsafe space.withUnsafeMutableBufferPointer { buffer, initialized in
        unsafe input.withUnsafeBufferPointer { source in
          unsafe stream.pointee.next_in = UnsafeMutablePointer(mutating: source.baseAddress)
          unsafe stream.pointee.avail_in = UInt32(source.count)
          unsafe stream.pointee.next_out = buffer.baseAddress
          unsafe stream.pointee.avail_out = UInt32(min(bytesMax, buffer.count))
          answer = unsafe inflate(stream, Z_NO_FLUSH)
          used = unsafe source.count - Int(stream.pointee.avail_in)
          initialized = unsafe min(bytesMax, buffer.count) - Int(stream.pointee.avail_out)
          unsafe stream.pointee.next_in = nil
          unsafe stream.pointee.next_out = nil
        }
      }
    }
    switch answer {
    case Z_OK, Z_BUF_ERROR: return (used, .running)
    case Z_STREAM_END: return (used, .ended)
    default:
      // SAFETY: zlib's messages are constant strings that end with zero.
      let message = unsafe stream.pointee.msg.map { unsafe String(cString: $0) }
      return (used, .damaged(message ?? "zlib error \(answer)"))
    }
  }
}
