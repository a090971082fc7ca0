// What a repair replaces, put by: copies in a directory of their own.
// Invariant: what was copied is on the disk, bytes and names, before anything in its place counts; what is there is not written over.
// Not here: which files these are (Repair).

/// Copies into `damaged/0001` and so on.
struct DamagedCopies {
  private let disk: any Disk
  private let directory: DataDirectory
  /// Where they are put; nil before the first one.
  private(set) var path: String?
  private var copies: [String] = []

  init(_ disk: any Disk, _ directory: DataDirectory) { (self.disk, self.directory) = (disk, directory) }

  /// How many files there are.
  var count: Int { copies.count }

  /// Copies a file, under its own name. O(bytes).
  mutating func add(_ file: String) throws(DiskFailure) {
    let own = try place()
    let name = file.split(separator: "/").last.map(String.init) ?? ""
    copies.append(own + "/" + name)
    let (source, copy) = (try disk.open(file, forWriting: false), try disk.create(own + "/" + name))
    try source.copy(.max, to: copy)
    try copy.sync()
  }

  /// The first directory without a file in it: of those before a repair was done, or was cut off in its middle.
  private mutating func place() throws(DiskFailure) -> String {
    if let path { return path }
    try disk.makeDirectory(directory.damaged)
    var number = 1
    while let names = try disk.names(in: directory.damaged(number)), !names.isEmpty { number += 1 }
    let own = directory.damaged(number)
    try disk.makeDirectory(own)
    path = own
    return own
  }

  /// Makes their names last.
  func finish() throws(DiskFailure) {
    guard let path else { return }
    try disk.syncDirectory(path)
    try disk.syncDirectory(directory.damaged)
    try disk.syncDirectory(directory.path)
  }

  /// Removes them again: nothing was replaced.
  func undo() {
    for copy in copies { try? disk.remove(copy) }
  }
}
