// A stream of bytes out of a file, a pipe or memory, decompressed on the way.
// Invariant: what was decoded before damage or a failed read is handed out first; then the failure is thrown, and again
// on every later call. Memory does not grow with the input.
// Not here: system calls (DescriptorHandle), decoding itself (InflateHandle, LZ4FrameHandle), what bytes mean.

/// How a stream of bytes is compressed.
public enum Compression: String, CaseIterable, Sendable {
  case none = "uncompressed"
  case gzip = "gzip"
  case lz4 = "lz4"

  /// What the first bytes of a stream say: gzip's or the LZ4 frame's magic number, else ``none``. O(1).
  public static func recognised(_ bytes: Span<UInt8>) -> Compression {
    if bytes.count >= 2, bytes[0] == 0x1f, bytes[1] == 0x8b { return .gzip }
    guard bytes.count >= 4, bytes[3] == 0x18, bytes[2] == 0x4d, bytes[1] == 0x22, bytes[0] == 0x04 else { return .none }
    return .lz4
  }
}

/// What a step of decoding came to.
package enum DecodingOutcome: Equatable, Sendable {
  /// A member or frame is not complete yet.
  case running
  /// A member or frame is complete and its checksums are right; another may follow.
  case ended
  /// The bytes are not what the format allows; the decoder's words.
  case damaged(String)
}

/// Why a stream ended before its end.
public enum ReadFailure: Error, Equatable, Sendable {
  /// The operating system could not read.
  case descriptor(DescriptorFailure)
  /// The compressed bytes are damaged at about `byte` (of the compressed stream, from 0); `what` in the decoder's words.
  case damaged(Compression, byte: Int64, what: String)
  /// The compressed stream ends in the middle.
  case truncated(Compression, bytes: Int64)
}

/// Reads bytes and decompresses them where needed, in blocks.
public struct ByteReader: ~Copyable {
  /// How the stream is compressed; known from the start, or from its first bytes.
  public private(set) var compression: Compression
  /// How many bytes were taken from the file so far, compressed ones where it is compressed.
  public private(set) var bytesRead: Int64 = 0

  /// How long the file was in bytes when it was opened; nil where nobody knows before its end.
  public let bytesTotal: Int64?

  private let source: DescriptorHandle
  private let blockBytes: Int
  /// Bytes as they came, not used yet from `rawStart` on.
  private var raw: [UInt8] = []
  private var rawStart = 0
  private var rawEnded = false
  private var gzip: InflateHandle?
  private var lz4: LZ4FrameHandle?
  /// Whether a gzip member or LZ4 frame has begun and is not complete.
  private var isInside = false
  private var failure: ReadFailure?

  /// Reads from a descriptor.
  ///
  /// - Parameters:
  ///   - compression: how the stream is compressed; nil looks at its first bytes, so waits for them.
  ///   - blockBytes: how much is read at once where the stream is compressed.
  public init(_ source: consuming DescriptorHandle, compression: Compression?, blockBytes: Int = 64 * 1024) {
    bytesTotal = source.fileBytes
    self.source = source
    self.blockBytes = max(1, blockBytes)
    self.compression = compression ?? .none
    if compression == nil { recognise() }
    begin()
  }

  /// Reads from memory.
  package init(bytes: [UInt8], compression: Compression?, blockBytes: Int = 64 * 1024) {
    source = .none
    bytesTotal = nil
    raw = bytes
    rawEnded = true
    bytesRead = Int64(bytes.count)
    self.blockBytes = max(1, blockBytes)
    self.compression = compression ?? Compression.recognised(bytes.span)
    begin()
  }

  private mutating func begin() {
    switch compression {
    case .none: break
    case .gzip: gzip = InflateHandle()
    case .lz4: lz4 = LZ4FrameHandle()
    }
  }

  private mutating func recognise() {
    do throws(ReadFailure) {
      while raw.count < 4, !rawEnded { try refill() }
      compression = Compression.recognised(raw.span)
    } catch {
      failure = error
    }
  }

  /// Appends up to `bytesMax` decompressed bytes; waits until there is at least one. O(bytes).
  ///
  /// - Returns: how many bytes came; 0 at the end.
  public mutating func read(into bytes: inout [UInt8], atMost bytesMax: Int) throws(ReadFailure) -> Int {
    let before = bytes.count
    while bytes.count == before {
      if let failure { throw failure }
      do throws(ReadFailure) {
        guard try step(into: &bytes, atMost: bytesMax) else { return bytes.count - before }
      } catch {
        failure = error
      }
    }
    return bytes.count - before
  }

  /// One step of whatever kind; false at the end of the stream.
  private mutating func step(into bytes: inout [UInt8], atMost bytesMax: Int) throws(ReadFailure) -> Bool {
    if compression == .none {
      guard rawStart == raw.count else {
        let end = min(raw.count, rawStart + bytesMax)
        bytes.append(contentsOf: raw[rawStart..<end])
        rawStart = end
        return true
      }
      guard !rawEnded else { return false }
      return try readPlain(into: &bytes, atMost: bytesMax)
    }
    if rawStart == raw.count, !rawEnded { try refill() }
    if rawStart == raw.count {
      // A decoder may still hold output; once it gives none, nothing follows.
      let before = bytes.count
      if isInside { try decode(into: &bytes, atMost: bytesMax) }
      guard bytes.count == before else { return true }
      guard !isInside else { throw .truncated(compression, bytes: bytesRead) }
      return false
    }
    try decode(into: &bytes, atMost: bytesMax)
    return true
  }

  private mutating func decode(into bytes: inout [UInt8], atMost bytesMax: Int) throws(ReadFailure) {
    let raw = self.raw
    let input = raw.span.extracting(rawStart..<min(raw.count, rawStart + blockBytes))
    let step =
      compression == .gzip
      ? gzip?.step(input, into: &bytes, atMost: bytesMax) : lz4?.step(input, into: &bytes, atMost: bytesMax)
    guard let step else { return }
    rawStart += step.used
    switch step.outcome {
    case .running:
      isInside = isInside || input.count > 0
    case .ended:
      isInside = false
      gzip?.reset()
    case .damaged(let what):
      throw .damaged(compression, byte: bytesRead - Int64(raw.count - rawStart), what: what)
    }
  }

  private mutating func refill() throws(ReadFailure) {
    if rawStart == raw.count {
      raw.removeAll(keepingCapacity: true)
      rawStart = 0
    }
    do throws(DescriptorFailure) {
      let count = try source.read(into: &raw, atMost: blockBytes)
      bytesRead += Int64(count)
      if count == 0 { rawEnded = true }
    } catch {
      throw .descriptor(error)
    }
  }

  private mutating func readPlain(into bytes: inout [UInt8], atMost bytesMax: Int) throws(ReadFailure) -> Bool {
    do throws(DescriptorFailure) {
      let count = try source.read(into: &bytes, atMost: bytesMax)
      bytesRead += Int64(count)
      if count == 0 { rawEnded = true }
      return count > 0
    } catch {
      throw .descriptor(error)
    }
  }
}
