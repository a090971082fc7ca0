// A disk as somebody sees it who looks at a directory of one moment, while steps go on behind it.
// Invariant: what was written behind the journal's end of that moment is not there: zeros are, and no later file.
// Not here: what the moment is (LedgerStages), that kept files stay where they are meanwhile (Checkpointer).

internal import Continuo

/// The files of a directory as they were at a moment; nothing is written.
struct MomentDisk: Disk {
  private let disk: any Disk
  private let directory: DataDirectory
  private let end: JournalEnd?

  init(_ disk: any Disk, _ directory: DataDirectory, _ end: JournalEnd?) {
    (self.disk, self.directory, self.end) = (disk, directory, end)
  }

  func names(in path: String) throws(DiskFailure) -> [String]? {
    let names = try disk.names(in: path)
    guard path == directory.journal else { return names }
    return names?.filter { name in
      guard let number = DataDirectory.journalNumber(name) else { return false }
      return end.map { number <= $0.file.number } ?? false
    }
  }

  func open(_ path: String, forWriting: Bool) throws(DiskFailure) -> any DiskFile {
    precondition(!forWriting, "a moment that is over is not written")
    let file = try disk.open(path, forWriting: false)
    guard let end, path == directory.journalFile(end.file.number) else { return file }
    return MomentFile(file, end.offset)
  }

  func allocation(of path: String, followsLink: Bool) throws(DiskFailure) -> (bytes: Int64, isDirectory: Bool) {
    try disk.allocation(of: path, followsLink: followsLink)
  }

  func resolved(_ path: String) throws(DiskFailure) -> String { try disk.resolved(path) }
  func bytesLeft(in path: String) throws(DiskFailure) -> Int64? { try disk.bytesLeft(in: path) }
  var now: Timestamp { disk.now }

  // MARK: what is not done

  func makeDirectory(_ path: String) throws(DiskFailure) { throw Self.refusal(path) }
  func syncDirectory(_ path: String) throws(DiskFailure) { throw Self.refusal(path) }
  func create(_ path: String) throws(DiskFailure) -> any DiskFile { throw Self.refusal(path) }
  func rename(_ path: String, to other: String) throws(DiskFailure) { throw Self.refusal(path) }
  func remove(_ path: String) throws(DiskFailure) { throw Self.refusal(path) }
  func lock(_ path: String, shared: Bool) throws(DiskFailure) -> (any DiskFile)? { throw Self.refusal(path) }

  static func refusal(_ path: String) -> DiskFailure {
    DiskFailure(call: "write", path: path, code: 30, message: "a moment that is over is not written")
  }
}

/// The file in which the journal ended then.
private struct MomentFile: DiskFile {
  private let file: any DiskFile
  private let end: Int64

  init(_ file: any DiskFile, _ end: Int64) { (self.file, self.end) = (file, end) }

  func bytes() throws(DiskFailure) -> Int64 { try file.bytes() }

  func read(_ count: Int, at offset: Int64, into bytes: inout [UInt8]) throws(DiskFailure) {
    let start = bytes.count
    try file.read(count, at: offset, into: &bytes)
    let first = start + Int(max(0, min(end - offset, Int64(bytes.count - start))))
    for index in first..<bytes.count { bytes[index] = 0 }
  }

  func write(_ bytes: Span<UInt8>, at offset: Int64) throws(DiskFailure) { throw MomentDisk.refusal("") }
  func sync() throws(DiskFailure) { throw MomentDisk.refusal("") }
}
