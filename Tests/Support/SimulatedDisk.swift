// A file system in memory that remembers every call, so that a crash can be had behind each of them.
// Invariant: what was synced is in every image; what was not is in some, whole, in part or not.
// Not here: which images there are to be tried (CrashImages).

package import Continuo
package import ContinuoStorage
import Synchronization

/// A call that changed something, or made it last.
package enum DiskOperation: Sendable {
  case makeDirectory(String)
  case create(path: String, file: Int)
  case write(file: Int, offset: Int, bytes: [UInt8])
  case sync(file: Int)
  /// A sync that failed: what was not synced can be read, and is never written.
  case lostSync(file: Int)
  case rename(String, String)
  case remove(String)
  case syncDirectory(String)
}

/// What is on a disk: files by number, and their names.
package struct DiskState: Sendable {
  package var directories: Set<String> = []
  package var names: [String: Int] = [:]
  package var files: [Int: [UInt8]] = [:]

  package init() {}

  package mutating func perform(_ operation: DiskOperation) {
    switch operation {
    case .makeDirectory(let path): directories.insert(path)
    case .create(let path, let file):
      names[path] = file
      files[file] = []
    case .write(let file, let offset, let bytes): Self.write(bytes, at: offset, to: &files[file, default: []])
    case .rename(let path, let other):
      if let file = names.removeValue(forKey: path) { names[other] = file }
    case .remove(let path): names[path] = nil
    case .sync, .lostSync, .syncDirectory: break
    }
  }

  package static func write(_ bytes: [UInt8], at offset: Int, to file: inout [UInt8]) {
    if file.count < offset + bytes.count {
      file.append(contentsOf: repeatElement(0, count: offset + bytes.count - file.count))
    }
    file.replaceSubrange(offset..<offset + bytes.count, with: bytes)
  }
}

/// A disk in memory.
package final class SimulatedDisk: Disk {
  fileprivate struct State {
    var now = DiskState()
    var operations: [DiskOperation] = []
    var nextFile = 1
    var locked: Set<String> = []
    /// How many calls are let through before one fails; nil lets all.
    var callsLeft: Int?
    /// How many calls fail then, before the disk goes on as if nothing had been.
    var failuresLeft = 0
    var hasFailed = false
    var failure = (code: Int32(5), message: "input/output error")
    var calls = 0
    var bytesLeft: Int64?
    /// How much fits on it in all; nil: anything.
    var capacity: Int64?
    /// Which files cannot be made, by the end of their names; nil: all can.
    var unmakeable: String?
    /// A file that cannot be opened, and the number of the error.
    var unopenable: (path: String, code: Int32)?
    var syncsLeft: Int?
    var beforeSync: (@Sendable () -> Void)?
    var beforeCall: (@Sendable (_ name: String, _ path: String) -> Void)?
  }

  private let state: Mutex<State>

  package init(_ image: DiskState = DiskState()) {
    var state = State()
    state.now = image
    state.nextFile = (image.files.keys.max() ?? 0) + 1
    self.state = Mutex(state)
  }

  /// What has been done so far.
  package var operations: [DiskOperation] { state.withLock { $0.operations } }
  /// How many calls there were.
  package var calls: Int { state.withLock { $0.calls } }
  /// What is there now.
  package var image: DiskState { state.withLock { $0.now } }

  /// Whether a call has failed that was told to.
  package var hasFailed: Bool { state.withLock { $0.hasFailed } }

  /// Lets the call behind so many more fail, and those that follow: all of them, or so many in all.
  package func fail(
    after calls: Int, times: Int = .max, code: Int32 = 5, message: String = "input/output error"
  ) {
    state.withLock {
      $0.callsLeft = calls
      $0.failuresLeft = times
      $0.failure = (code, message)
    }
  }

  private func call<Answer>(
    _ name: String, _ path: String, _ body: (inout State) throws(DiskFailure) -> Answer
  ) throws(DiskFailure) -> Answer {
    state.withLock { $0.beforeCall }?(name, path)
    return try state.withLock { (state) throws(DiskFailure) in
      state.calls += 1
      if let left = state.callsLeft {
        if left <= 0, state.failuresLeft > 0 {
          state.failuresLeft -= 1
          state.hasFailed = true
          throw DiskFailure(call: name, path: path, code: state.failure.code, message: state.failure.message)
        }
        state.callsLeft = left - 1
      }
      return try body(&state)
    }
  }

  private static func missing(_ name: String, _ path: String) -> DiskFailure {
    DiskFailure(call: name, path: path, code: 2, message: "no such file or directory")
  }

  // MARK: Disk

  package func makeDirectory(_ path: String) throws(DiskFailure) {
    try call("mkdir", path) { (state) throws(DiskFailure) in
      if state.now.directories.contains(path) { return }
      state.perform(.makeDirectory(path))
    }
  }

  package func syncDirectory(_ path: String) throws(DiskFailure) {
    try call("fsync", path) { (state) throws(DiskFailure) in state.operations.append(.syncDirectory(path)) }
  }

  package func names(in path: String) throws(DiskFailure) -> [String]? {
    try call("opendir", path) { (state) throws(DiskFailure) -> [String]? in
      guard state.now.directories.contains(path) else { return nil }
      let all = Array(state.now.names.keys) + state.now.directories
      return all.filter { Self.parent($0) == path }.map { String($0.dropFirst(path.count + 1)) }
    }
  }

  package func allocation(
    of path: String, followsLink: Bool
  ) throws(DiskFailure) -> (bytes: Int64, isDirectory: Bool) {
    return try call("stat", path) { (state) throws(DiskFailure) -> (bytes: Int64, isDirectory: Bool) in
      if state.now.directories.contains(path) { return (4096, true) }
      guard let file = state.now.names[path] else { throw Self.missing("stat", path) }
      return (Int64(((state.now.files[file]?.count ?? 0) + 4095) / 4096 * 4096), false)
    }
  }

  package func resolved(_ path: String) throws(DiskFailure) -> String {
    try call("realpath", path) { (state) throws(DiskFailure) in
      guard path == "/" || state.now.directories.contains(path) || state.now.names[path] != nil else {
        throw Self.missing("realpath", path)
      }
      return path
    }
  }

  package static func parent(_ path: String) -> String {
    guard let slash = path.lastIndex(of: "/") else { return "." }
    return slash == path.startIndex ? "/" : String(path[..<slash])
  }

  package func create(_ path: String) throws(DiskFailure) -> any DiskFile {
    try call("open", path) { (state) throws(DiskFailure) in
      if let end = state.unmakeable, path.hasSuffix(end) {
        throw DiskFailure(call: "open", path: path, code: 13, message: "permission denied")
      }
      let file = state.nextFile
      state.nextFile += 1
      state.perform(.create(path: path, file: file))
      return SimulatedFile(self, path, file)
    }
  }

  package func open(_ path: String, forWriting: Bool) throws(DiskFailure) -> any DiskFile {
    try call("open", path) { (state) throws(DiskFailure) in
      if let bad = state.unopenable, bad.path == path {
        throw DiskFailure(call: "open", path: path, code: bad.code, message: "refused")
      }
      guard let file = state.now.names[path] else { throw Self.missing("open", path) }
      return SimulatedFile(self, path, file)
    }
  }

  package func rename(_ path: String, to other: String) throws(DiskFailure) {
    try call("rename", path) { (state) throws(DiskFailure) in
      guard state.now.names[path] != nil else { throw Self.missing("rename", path) }
      state.perform(.rename(path, other))
    }
  }

  package func remove(_ path: String) throws(DiskFailure) {
    try call("unlink", path) { (state) throws(DiskFailure) in
      guard state.now.names[path] != nil else { throw Self.missing("unlink", path) }
      state.perform(.remove(path))
    }
  }

  /// Lets the sync behind so many more fail, once: as a system does that then forgets what it could not write.
  package func loseSync(after syncs: Int) { state.withLock { $0.syncsLeft = syncs } }

  /// How much room there is said to be; nil for any.
  package func setBytesLeft(_ bytes: Int64?) { state.withLock { $0.bytesLeft = bytes } }

  package func bytesLeft(in path: String) throws(DiskFailure) -> Int64? {
    try call("statvfs", path) { (state) throws(DiskFailure) in state.left }
  }

  /// How many bytes fit on the disk in all: what is over them cannot be written. nil: any number does.
  package func setCapacity(_ bytes: Int64?) { state.withLock { $0.capacity = bytes } }

  /// How much room there is where that is bounded.
  package var room: Int64 { state.withLock { $0.left ?? .max } }

  /// Lets a file not be opened any more, with an error of this number.
  package func setUnopenable(_ path: String, code: Int32) { state.withLock { $0.unopenable = (path, code) } }

  /// Changes a byte of a file where it lies: a disk that decays.
  package func decay(_ path: String, byte: Int) {
    state.withLock { if let file = $0.now.names[path] { $0.now.files[file]?[byte] ^= 1 } }
  }

  /// Lets files be made no more whose names end so; nil: all can be.
  package func setUnmakeable(_ end: String?) { state.withLock { $0.unmakeable = end } }

  package var now: Timestamp { Timestamp(microseconds: 1_700_000_000_000_000) }

  package func lock(_ path: String, shared: Bool) throws(DiskFailure) -> (any DiskFile)? {
    try call("flock", path) { (state) throws(DiskFailure) -> (any DiskFile)? in
      if !shared, !state.locked.insert(path).inserted { return nil }
      if shared, state.locked.contains(path) { return nil }
      var file = state.now.names[path]
      if file == nil {
        if shared { throw Self.missing("open", path) }
        file = state.nextFile
        state.nextFile += 1
        state.perform(.create(path: path, file: file ?? 0))
      }
      return SimulatedFile(self, path, file ?? 0, isLock: !shared)
    }
  }

  fileprivate func unlock(_ path: String) { state.withLock { _ = $0.locked.remove(path) } }

  fileprivate func bytes(_ file: SimulatedFile) throws(DiskFailure) -> Int64 {
    try call("fstat", file.path) { (state) throws(DiskFailure) in Int64(state.now.files[file.number]?.count ?? 0) }
  }

  fileprivate func read(_ count: Int, at offset: Int64, _ file: SimulatedFile, into bytes: inout [UInt8])
    throws(DiskFailure)
  {
    let found = try call("pread", file.path) { (state) throws(DiskFailure) -> ArraySlice<UInt8> in
      let all = state.now.files[file.number] ?? []
      return all[min(Int(offset), all.count)..<min(Int(offset) + count, all.count)]
    }
    bytes.append(contentsOf: found)
  }

  fileprivate func write(_ bytes: Span<UInt8>, at offset: Int64, _ file: SimulatedFile) throws(DiskFailure) {
    var copy: [UInt8] = []
    for index in bytes.indices { copy.append(bytes[index]) }
    try call("pwrite", file.path) { (state) throws(DiskFailure) in
      let growth = Int64(offset) + Int64(copy.count) - Int64(state.now.files[file.number]?.count ?? 0)
      if growth > 0, let left = state.left, state.capacity != nil, growth > left {
        throw DiskFailure(call: "pwrite", path: file.path, code: 28, message: "no space left on device")
      }
      state.perform(.write(file: file.number, offset: Int(offset), bytes: copy))
    }
  }

  /// Is called before every call, on the thread that makes it: it may be held there.
  package func setBeforeCall(_ body: (@Sendable (_ name: String, _ path: String) -> Void)?) {
    state.withLock { $0.beforeCall = body }
  }

  /// Is called before every sync of a file: a disk that takes its time.
  package func setBeforeSync(_ body: (@Sendable () -> Void)?) { state.withLock { $0.beforeSync = body } }

  fileprivate func sync(_ file: SimulatedFile) throws(DiskFailure) {
    state.withLock { $0.beforeSync }?()
    try call("fdatasync", file.path) { (state) throws(DiskFailure) in
      if let left = state.syncsLeft {
        state.syncsLeft = left > 0 ? left - 1 : nil
        if left == 0 {
          state.operations.append(.lostSync(file: file.number))
          throw DiskFailure(call: "fdatasync", path: file.path, code: 5, message: "input/output error")
        }
      }
      state.operations.append(.sync(file: file.number))
    }
  }

  /// Nothing lasts by it, but it may fail.
  fileprivate func writeOut(_ file: SimulatedFile) throws(DiskFailure) {
    try call("sync_file_range", file.path) { (_) throws(DiskFailure) in }
  }
}

extension SimulatedDisk.State {
  /// How much room there is.
  fileprivate var left: Int64? {
    guard let capacity else { return bytesLeft }
    return capacity - now.names.values.reduce(0) { $0 + Int64(now.files[$1]?.count ?? 0) }
  }

  fileprivate mutating func perform(_ operation: DiskOperation) {
    now.perform(operation)
    operations.append(operation)
  }
}

private final class SimulatedFile: DiskFile {
  let disk: SimulatedDisk
  let path: String
  let number: Int
  let isLock: Bool

  init(_ disk: SimulatedDisk, _ path: String, _ number: Int, isLock: Bool = false) {
    (self.disk, self.path, self.number, self.isLock) = (disk, path, number, isLock)
  }

  deinit { if isLock { disk.unlock(path) } }

  func bytes() throws(DiskFailure) -> Int64 { try disk.bytes(self) }
  func read(_ count: Int, at offset: Int64, into bytes: inout [UInt8]) throws(DiskFailure) {
    try disk.read(count, at: offset, self, into: &bytes)
  }
  func write(_ bytes: Span<UInt8>, at offset: Int64) throws(DiskFailure) { try disk.write(bytes, at: offset, self) }
  func sync() throws(DiskFailure) { try disk.sync(self) }
  func writeOut(_ bytes: Range<Int64>) throws(DiskFailure) { try disk.writeOut(self) }
}
