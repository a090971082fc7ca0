// liblz4's frame decoder, in steps of any size; it goes on with the next frame by itself.
// Invariant: output that was produced before damage is handed out; the context lives as long as the handle.
// Not here: where input comes from, what an unfinished frame at the end means (ByteReader).

import CLZ4

/// LZ4 frames being decoded.
@safe package struct LZ4FrameHandle: ~Copyable {
  private let context: OpaquePointer
  /// How many bytes liblz4 asks for next. It gets no more at once, so that damage in one block cannot swallow what the
  /// blocks before it gave.
  private var wantedBytes = Self.frameStartBytes
  /// What tells how long a frame's header is.
  private static let frameStartBytes = 5

  package init() {
    var made: OpaquePointer?
    // SAFETY: liblz4 sets `made` or answers an error.
    let answer = unsafe LZ4F_createDecompressionContext(&made, UInt32(LZ4F_VERSION))
    guard LZ4F_isError(answer) == 0, let made = unsafe made else { preconditionFailure("liblz4 has no memory") }
    unsafe context = made
  }

  deinit {
    // SAFETY: made in init, ours alone.
    unsafe LZ4F_freeDecompressionContext(context)
  }

  /// Decodes and appends up to `bytesMax` bytes. O(bytes in and out).
  ///
  /// - Returns: how many bytes of `input` were used, and what the step came to.
  package mutating func step(_ input: Span<UInt8>, into output: inout [UInt8], atMost bytesMax: Int)
    -> (used: Int, outcome: DecodingOutcome)
  {
    let context = unsafe self.context
    var answer = 0
    let input = input.extracting(first: max(1, wantedBytes))
    var used = input.count
    // SAFETY: liblz4 reads within `source` and writes within `buffer`, both lent for the time of the call; it tells how
    // far in the two sizes.
    output.append(addingCapacity: bytesMax) { (space: inout OutputSpan<UInt8>) in
      unsafe space.withUnsafeMutableBufferPointer { buffer, initialized in
        unsafe input.withUnsafeBufferPointer { source in
          var written = min(bytesMax, buffer.count)
          answer = unsafe LZ4F_decompress(context, buffer.baseAddress, &written, source.baseAddress, &used, nil)
          initialized = LZ4F_isError(answer) == 0 ? written : 0
        }
      }
    }
    guard LZ4F_isError(answer) == 0 else {
      // SAFETY: liblz4's names of errors are constant strings that end with zero.
      return (0, .damaged(unsafe String(cString: LZ4F_getErrorName(answer))))
    }
    wantedBytes = answer == 0 ? Self.frameStartBytes : answer
    return (used, answer == 0 ? .ended : .running)
  }
}
