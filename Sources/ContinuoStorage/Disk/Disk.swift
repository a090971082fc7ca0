// The calls to the file system that are made here, as a protocol: a real disk, or one that is simulated and cut off.
// Invariant: whatever fails says which call, on which path, and why.
// Not here: which files there are (DataDirectory), what is in them (Journal).

package import Continuo

/// A call to the file system that failed.
public struct DiskFailure: Error, Equatable, Sendable, CustomStringConvertible {
  /// The system's name of the call.
  public var call: String
  /// The file or directory that it was made on.
  public var path: String
  /// The system's number of the error.
  public var code: Int32
  /// The system's text of the error.
  public var message: String

  package init(call: String, path: String, code: Int32, message: String) {
    self.call = call
    self.path = path
    self.code = code
    self.message = message
  }

  /// The number of an error that only says that there is no room.
  static let full: Int32 = 28

  /// Which call failed, where, and why.
  public var description: String { "\(path): \(call) failed: \(message) (error \(code))" }
}

/// A file system, as far as it is used here. Calls may come from several threads.
package protocol Disk: Sendable {
  /// Makes a directory of mode 0700; nothing where it is there already.
  func makeDirectory(_ path: String) throws(DiskFailure)
  /// Makes what was created, renamed and removed in a directory last.
  func syncDirectory(_ path: String) throws(DiskFailure)
  /// The names in a directory, in no order; nil where there is none.
  func names(in path: String) throws(DiskFailure) -> [String]?
  /// How many bytes a file or directory takes on the disk, and which of the two it is.
  func allocation(of path: String, followsLink: Bool) throws(DiskFailure) -> (bytes: Int64, isDirectory: Bool)
  /// The path without links, and from the root on, of what is there.
  func resolved(_ path: String) throws(DiskFailure) -> String
  /// Makes a new file of mode 0600, or empties the one that is there.
  func create(_ path: String) throws(DiskFailure) -> any DiskFile
  /// Opens a file that is there.
  func open(_ path: String, forWriting: Bool) throws(DiskFailure) -> any DiskFile
  /// Gives a file another name, over one that has it.
  func rename(_ path: String, to other: String) throws(DiskFailure)
  /// Removes a file.
  func remove(_ path: String) throws(DiskFailure)
  /// How many bytes more a directory's file system takes from us; nil where nobody knows.
  func bytesLeft(in path: String) throws(DiskFailure) -> Int64?
  /// What time it is by the system's clock, which goes as it likes: for people to read.
  var now: Timestamp { get }
  /// Takes the lock that a file is; it goes with the answer, or with the process. nil where another process has it.
  ///
  /// - Parameter shared: with others that share it; the file is there then, and is not written.
  func lock(_ path: String, shared: Bool) throws(DiskFailure) -> (any DiskFile)?
}

/// An open file, closed with its last reference.
package protocol DiskFile: Sendable {
  /// How long the file is.
  func bytes() throws(DiskFailure) -> Int64
  /// Reads up to `count` bytes from `offset` on and appends them; fewer at the end alone.
  func read(_ count: Int, at offset: Int64, into bytes: inout [UInt8]) throws(DiskFailure)
  /// Writes all bytes from `offset` on.
  func write(_ bytes: Span<UInt8>, at offset: Int64) throws(DiskFailure)
  /// Makes what was written last: the file's bytes, and its length where that changed.
  func sync() throws(DiskFailure)
  /// Hands written bytes to the disk and waits until it has them, which makes nothing last: a sync, of any file, waits for all
  /// that the system has not handed over yet.
  func writeOut(_ bytes: Range<Int64>) throws(DiskFailure)
}

extension DiskFile {
  package func writeOut(_ bytes: Range<Int64>) throws(DiskFailure) {}
}
