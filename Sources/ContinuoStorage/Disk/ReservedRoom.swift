// Files that are written only as long as the disk keeps some room free behind them.
// Invariant: no write begins that would leave less than that, as far as the system says what is left.
// Not here: how much that is (Checkpointer), the journal's own look at the room (JournalWriter).

/// Room of a disk that is not written into.
struct ReservedRoom {
  /// How many bytes stay free.
  var bytes: Int64
  /// The directory whose disk it is.
  var directory: String

  /// A file that is written while the room stays free.
  func file(_ path: String, _ disk: any Disk) throws(DiskFailure) -> any DiskFile {
    try require(0, disk, path)
    return ReservingFile(file: try disk.create(path), path: path, disk: disk, room: self)
  }

  /// Refuses to write so many bytes where too little would be left.
  fileprivate func require(_ count: Int, _ disk: any Disk, _ path: String) throws(DiskFailure) {
    // What is written on the way to a manifest besides: names, and a block that was begun.
    let needed = bytes + Int64(count) + 8192
    guard let left = try disk.bytesLeft(in: directory), left < needed else { return }
    throw DiskFailure(
      call: "statvfs", path: path, code: DiskFailure.full,
      message:
        "disk full: \(left >> 10) KiB are left, and \(needed >> 10) are needed: \(bytes >> 10) of them stay free for "
        + "the journal")
  }
}

/// A file of which each write looks at the room first.
private struct ReservingFile: DiskFile {
  let file: any DiskFile
  let path: String
  let disk: any Disk
  let room: ReservedRoom

  func bytes() throws(DiskFailure) -> Int64 { try file.bytes() }
  func read(_ count: Int, at offset: Int64, into bytes: inout [UInt8]) throws(DiskFailure) {
    try file.read(count, at: offset, into: &bytes)
  }
  func write(_ bytes: Span<UInt8>, at offset: Int64) throws(DiskFailure) {
    try room.require(bytes.count, disk, path)
    try file.write(bytes, at: offset)
  }
  func sync() throws(DiskFailure) { try file.sync() }
  func writeOut(_ bytes: Range<Int64>) throws(DiskFailure) { try file.writeOut(bytes) }
}
