// The file system of the machine.
// Invariant: an interrupted call is made again, a short one is taken up where it ended; every file is 0600, every directory
// 0700, whatever the umask; descriptors are closed on exec.
// Not here: what is written where (Journal, DataDirectory).
// Rules 7.9.

internal import CDisk
package import Continuo

#if canImport(Glibc)
  internal import Glibc
#else
  internal import Darwin
#endif

/// The machine's own file system.
package struct RealDisk: Disk {
  package init() {}

  package func makeDirectory(_ path: String) throws(DiskFailure) {
    // SAFETY: Swift lends the path as a string that ends with zero for as long as the call takes.
    if unsafe mkdir(path, 0o700) != 0, errno != EEXIST { throw .last("mkdir", path) }
  }

  package func syncDirectory(_ path: String) throws(DiskFailure) {
    let directory = try RealFile(path, O_RDONLY | O_DIRECTORY)
    try directory.call("fsync") { fsync($0) }
  }

  package func names(in path: String) throws(DiskFailure) -> [String]? {
    // SAFETY: the stream is ours from opendir to closedir; an entry's name ends with zero and is copied at once.
    guard let stream = unsafe opendir(path) else {
      if errno == ENOENT { return nil }
      throw .last("opendir", path)
    }
    defer { unsafe closedir(stream) }
    var names: [String] = []
    errno = 0
    while let entry = unsafe readdir(stream) {
      let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) {
        unsafe $0.withMemoryRebound(to: CChar.self, capacity: 256) { unsafe String(cString: $0) }
      }
      if name != ".", name != ".." { names.append(name) }
      errno = 0
    }
    if errno != 0 { throw .last("readdir", path) }
    return names
  }

  package func allocation(
    of path: String, followsLink: Bool
  ) throws(DiskFailure) -> (bytes: Int64, isDirectory: Bool) {
    var status = stat()
    // SAFETY: as in `makeDirectory`; `status` is ours and as large as stat and lstat expect.
    if unsafe (followsLink ? stat(path, &status) : lstat(path, &status)) != 0 { throw .last("stat", path) }
    // The system counts blocks of 512 bytes, whatever the file system's own are.
    return (Int64(status.st_blocks) * 512, status.st_mode & S_IFMT == S_IFDIR)
  }

  package func resolved(_ path: String) throws(DiskFailure) -> String {
    // SAFETY: the path as in `makeDirectory`; without a buffer of ours the answer is in one that is given back here, once.
    guard let found = unsafe realpath(path, nil) else { throw .last("realpath", path) }
    defer { unsafe free(found) }
    return unsafe String(cString: found)
  }

  package func create(_ path: String) throws(DiskFailure) -> any DiskFile {
    try RealFile(path, O_RDWR | O_CREAT | O_TRUNC)
  }

  package func open(_ path: String, forWriting: Bool) throws(DiskFailure) -> any DiskFile {
    try RealFile(path, forWriting ? O_RDWR : O_RDONLY)
  }

  package func rename(_ path: String, to other: String) throws(DiskFailure) {
    // SAFETY: as in `makeDirectory`.
    #if canImport(Glibc)
      if unsafe Glibc.rename(path, other) != 0 { throw .last("rename", path) }
    #else
      if unsafe Darwin.rename(path, other) != 0 { throw .last("rename", path) }
    #endif
  }

  package func remove(_ path: String) throws(DiskFailure) {
    // SAFETY: as in `makeDirectory`.
    if unsafe unlink(path) != 0 { throw .last("unlink", path) }
  }

  package func bytesLeft(in path: String) throws(DiskFailure) -> Int64? {
    var status = statvfs()
    // SAFETY: the path as in `makeDirectory`; `status` is ours and as large as statvfs expects.
    while unsafe statvfs(path, &status) != 0 {
      if errno != EINTR { throw .last("statvfs", path) }
    }
    let (bytes, overflow) = Int64(clamping: status.f_bavail).multipliedReportingOverflow(
      by: Int64(clamping: status.f_frsize))
    return overflow ? nil : bytes
  }

  package var now: Timestamp {
    var time = timespec()
    // SAFETY: `time` is ours and as large as clock_gettime expects.
    unsafe clock_gettime(CLOCK_REALTIME, &time)
    return Timestamp(microseconds: Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1000)
  }

  package func lock(_ path: String, shared: Bool) throws(DiskFailure) -> (any DiskFile)? {
    let file = try RealFile(path, shared ? O_RDONLY : O_RDWR | O_CREAT)
    while flock(file.descriptor, (shared ? LOCK_SH : LOCK_EX) | LOCK_NB) != 0 {
      if errno == EWOULDBLOCK { return nil }
      if errno != EINTR { throw .last("flock", path) }
    }
    return RealLock(file)
  }
}

/// The number that the system tells processes by.
enum ProcessNumber {
  static var own: Int32 { getpid() }
}

/// A lock that is held. It is given back, not only closed: a process that is being started by another thread has the
/// descriptor too until it begins its program, and the lock with it.
private final class RealLock: DiskFile {
  private let file: RealFile

  init(_ file: RealFile) { self.file = file }

  deinit { _ = flock(file.descriptor, LOCK_UN) }

  func bytes() throws(DiskFailure) -> Int64 { try file.bytes() }
  func read(_ count: Int, at offset: Int64, into bytes: inout [UInt8]) throws(DiskFailure) {
    try file.read(count, at: offset, into: &bytes)
  }
  func write(_ bytes: Span<UInt8>, at offset: Int64) throws(DiskFailure) { try file.write(bytes, at: offset) }
  func sync() throws(DiskFailure) { try file.sync() }
}

/// A file that is open.
private final class RealFile: DiskFile {
  let descriptor: Int32
  private let path: String

  init(_ path: String, _ flags: Int32) throws(DiskFailure) {
    self.path = path
    var opened: Int32 = -1
    repeat {
      // SAFETY: as in `makeDirectory`.
      #if canImport(Glibc)
        opened = unsafe Glibc.open(path, flags | O_CLOEXEC, 0o600)
      #else
        opened = unsafe Darwin.open(path, flags | O_CLOEXEC, 0o600)
      #endif
    } while opened < 0 && errno == EINTR
    descriptor = opened
    if opened < 0 { throw .last("open", path) }
  }

  deinit { if descriptor >= 0 { _ = close(descriptor) } }

  /// Makes a call again while it is interrupted.
  @discardableResult
  func call(_ name: String, _ body: (Int32) -> Int32) throws(DiskFailure) -> Int32 {
    while true {
      let answer = body(descriptor)
      if answer >= 0 { return answer }
      if errno != EINTR { throw .last(name, path) }
    }
  }

  func bytes() throws(DiskFailure) -> Int64 {
    var status = stat()
    // SAFETY: `status` is ours and as large as fstat expects.
    try call("fstat") { unsafe fstat($0, &status) }
    return Int64(status.st_size)
  }

  func read(_ count: Int, at offset: Int64, into bytes: inout [UInt8]) throws(DiskFailure) {
    var left = count
    while left > 0 {
      var got = 0
      // SAFETY: the buffer lends room for `left` bytes, pread writes at most as many, and `got` of them are set then.
      bytes.append(addingCapacity: left) { (space: inout OutputSpan<UInt8>) in
        unsafe space.withUnsafeMutableBufferPointer { buffer, used in
          got = unsafe pread(
            descriptor, buffer.baseAddress.unsafelyUnwrapped + used, left, off_t(offset) + off_t(count - left))
          used += max(0, got)
        }
      }
      if got == 0 { return }
      if got < 0, errno != EINTR { throw .last("pread", path) }
      left -= max(0, got)
    }
  }

  func write(_ bytes: Span<UInt8>, at offset: Int64) throws(DiskFailure) {
    var done = 0
    while done < bytes.count {
      // SAFETY: pwrite reads only the bytes that the buffer lends, while it lends them.
      let count = unsafe bytes.extracting(done...).withUnsafeBufferPointer { buffer in
        unsafe pwrite(descriptor, buffer.baseAddress, buffer.count, off_t(offset) + off_t(done))
      }
      if count < 0, errno != EINTR { throw .last("pwrite", path) }
      if count == 0 { throw DiskFailure(call: "pwrite", path: path, code: EIO, message: "nothing was written") }
      done += max(0, count)
    }
  }

  func sync() throws(DiskFailure) {
    #if canImport(Glibc)
      try call("fdatasync") { fdatasync($0) }
    #else
      try call("fcntl") { fcntl($0, F_FULLFSYNC) }
    #endif
  }

  func writeOut(_ bytes: Range<Int64>) throws(DiskFailure) {
    try call("sync_file_range") { continuo_write_out($0, bytes.lowerBound, Int64(bytes.count)) }
  }
}

extension DiskFailure {
  fileprivate static func last(_ call: String, _ path: String) -> DiskFailure {
    let code = errno
    // SAFETY: strerror answers a string that ends with zero and is not changed before it is copied here.
    return DiskFailure(call: call, path: path, code: code, message: unsafe String(cString: strerror(code)))
  }
}
