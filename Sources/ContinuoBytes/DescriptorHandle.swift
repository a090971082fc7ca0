// A file descriptor that reads and writes bytes: files, standard input, standard output and standard error.
// Invariant: what is asked to be written is written whole or the call throws; an interrupted call is taken up again.
// Not here: buffers, compression (ByteReader); what SIGPIPE does (the tool ignores it, so that `closed` is seen).

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// Why a descriptor could not be opened, read or written.
public enum DescriptorFailure: Error, Equatable, Sendable, CustomStringConvertible {
  /// Nobody reads the other end any more (EPIPE).
  case closed
  /// The path names a directory.
  case directory
  /// The operating system refused; `message` is its own text.
  case system(call: String, code: Int32, message: String)

  /// What failed and why, in the system's words.
  public var description: String {
    switch self {
    case .closed: "nobody reads the other end any more"
    case .directory: "it is a directory"
    case .system(let call, let code, let message): "\(call) failed: \(message) (error \(code))"
    }
  }

  fileprivate static func last(_ call: String) -> DescriptorFailure {
    let code = errno
    // SAFETY: strerror answers a string that ends with zero and is not changed before it is copied here.
    return .system(call: call, code: code, message: unsafe String(cString: strerror(code)))
  }
}

/// An open file descriptor; one that was opened here is closed with it.
///
///     let output = DescriptorHandle.standardOutput
///     do { try output.write(bytes) } catch .closed { return }        // `… | head`: silent
@safe public struct DescriptorHandle: ~Copyable, Sendable {
  private let descriptor: Int32
  private let isOwned: Bool

  private init(descriptor: Int32, isOwned: Bool) {
    self.descriptor = descriptor
    self.isOwned = isOwned
  }

  /// Standard input; not closed with the value.
  public static var standardInput: DescriptorHandle { DescriptorHandle(descriptor: 0, isOwned: false) }
  /// Standard output; not closed with the value.
  public static var standardOutput: DescriptorHandle { DescriptorHandle(descriptor: 1, isOwned: false) }
  /// Standard error; not closed with the value.
  public static var standardError: DescriptorHandle { DescriptorHandle(descriptor: 2, isOwned: false) }

  /// Opens a file for reading. O(1).
  ///
  /// - Throws: ``DescriptorFailure``, also where the path names a directory.
  public init(reading path: String) throws(DescriptorFailure) {
    // SAFETY: Swift lends `path` as a string that ends with zero for as long as the call takes.
    let opened = unsafe open(path, O_RDONLY | O_CLOEXEC)
    guard opened >= 0 else { throw .last("open") }
    var status = stat()
    // SAFETY: `status` is ours and as large as fstat expects.
    if unsafe fstat(opened, &status) == 0, status.st_mode & S_IFMT == S_IFDIR {
      _ = close(opened)
      throw .directory
    }
    self.init(descriptor: opened, isOwned: true)
  }

  /// No descriptor: nothing can be read or written.
  package static var none: DescriptorHandle { DescriptorHandle(descriptor: -1, isOwned: false) }

  /// Takes a descriptor that is open already and closes it at the end: a pipe's end, in tests.
  package init(adopting descriptor: Int32) { self.init(descriptor: descriptor, isOwned: true) }

  deinit {
    if isOwned { _ = close(descriptor) }
  }

  /// How long the file is in bytes; nil where it is no regular file (a pipe, a terminal).
  public var fileBytes: Int64? {
    var status = stat()
    // SAFETY: `status` is ours and as large as fstat expects.
    guard unsafe fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { return nil }
    return Int64(status.st_size)
  }

  /// Whether the descriptor is a terminal.
  public var isTerminal: Bool { isatty(descriptor) == 1 }

  /// Reads up to `bytesMax` bytes and appends them; waits until there is at least one. O(bytes).
  ///
  /// - Returns: how many bytes came; 0 at the end.
  public borrowing func read(into bytes: inout [UInt8], atMost bytesMax: Int) throws(DescriptorFailure) -> Int {
    let descriptor = descriptor
    while true {
      var count = 0
      // SAFETY: the buffer lends `bytesMax` bytes, read(2) writes at most as many, and `count` of them are set then.
      bytes.append(addingCapacity: bytesMax) { (space: inout OutputSpan<UInt8>) in
        unsafe space.withUnsafeMutableBufferPointer { buffer, initialized in
          #if canImport(Glibc)
            count = unsafe Glibc.read(descriptor, buffer.baseAddress, min(bytesMax, buffer.count))
          #else
            count = unsafe Darwin.read(descriptor, buffer.baseAddress, min(bytesMax, buffer.count))
          #endif
          initialized = max(0, count)
        }
      }
      if count >= 0 { return count }
      try waitOrThrow("read", for: Int16(POLLIN))
    }
  }

  /// Writes all bytes. O(bytes).
  ///
  /// - Throws: ``DescriptorFailure/closed`` where nobody reads the other end any more (and SIGPIPE is ignored).
  public borrowing func write(_ bytes: Span<UInt8>) throws(DescriptorFailure) {
    let descriptor = descriptor
    var done = 0
    while done < bytes.count {
      // SAFETY: write(2) reads only the bytes that the buffer lends, while it lends them.
      let count = unsafe bytes.extracting(done...).withUnsafeBufferPointer { buffer in
        #if canImport(Glibc)
          return unsafe Glibc.write(descriptor, buffer.baseAddress, buffer.count)
        #else
          return unsafe Darwin.write(descriptor, buffer.baseAddress, buffer.count)
        #endif
      }
      if count >= 0 {
        done += count
      } else {
        try waitOrThrow("write", for: Int16(POLLOUT))
      }
    }
  }

  /// Writes all bytes. O(bytes).
  ///
  /// - Throws: ``DescriptorFailure/closed`` where nobody reads the other end any more (and SIGPIPE is ignored).
  public borrowing func write(_ bytes: [UInt8]) throws(DescriptorFailure) { try write(bytes.span) }

  /// After a failed call: returns where it may be tried again (interrupted, or not ready on a non-blocking descriptor).
  private borrowing func waitOrThrow(_ call: String, for events: Int16) throws(DescriptorFailure) {
    switch errno {
    case EINTR: return
    case EPIPE: throw .closed
    case EISDIR: throw .directory
    case EAGAIN:
      var wanted = pollfd(fd: descriptor, events: events, revents: 0)
      // SAFETY: one pollfd, ours.
      _ = unsafe poll(&wanted, 1, -1)
    default: throw .last(call)
    }
  }
}
