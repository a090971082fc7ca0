// Why an input file cannot be read, or not further.
// Invariant: the text names the file, what was found, and what to do next; no control character of a file gets into it.
// Not here: rejected rows (Rejection), which never end a file.

internal import Continuo
internal import ContinuoBytes

/// An input file that cannot be read, or not further: where, what was found, and what to do.
public struct InputFailure: Error, Equatable, Sendable, CustomStringConvertible {
  /// The file's path as it was given; `-` is standard input.
  public let file: String
  /// The physical line, where it is one line's fault.
  public let line: Int?
  /// What was found where, the file named.
  public let what: String
  /// What to do next.
  public let remedy: String
  /// Whether the file could not be opened at all.
  public let isMissing: Bool

  init(_ file: String, line: Int? = nil, _ what: String, remedy: String, isMissing: Bool = false) {
    self.file = file
    self.line = line
    let name = file == "-" ? "standard input" : ByteString(file).shown
    self.what = "\(name)\(line.map { ", line \($0)" } ?? ""): \(what)"
    self.remedy = remedy
    self.isMissing = isMissing
  }

  /// `what; remedy`
  public var description: String { "\(what); \(remedy)" }

  static func cannotOpen(_ file: String, _ failure: DescriptorFailure) -> InputFailure {
    InputFailure(
      file, "\(failure)", remedy: "give the path of a readable file, or - for standard input", isMissing: true)
  }

  static func reading(_ file: String, _ failure: ReadFailure, rowsBefore: Int) -> InputFailure {
    let kept = "the \(rowsBefore) rows before it were read; "
    switch failure {
    case .descriptor(let failure):
      return InputFailure(file, "\(failure)", remedy: kept + "check the device and run the command again")
    case .damaged(let compression, let byte, let words):
      return InputFailure(
        file, "\(compression.rawValue) data is damaged at about byte \(byte): \(words)",
        remedy: kept + "fetch the file again (\(compression.test) \(file == "-" ? "FILE" : file) tests it)")
    case .truncated(let compression, let bytes):
      return InputFailure(
        file, "\(compression.rawValue) data ends in the middle, after \(bytes) bytes",
        remedy: kept + "fetch the file again, it is not complete")
    }
  }
}

extension Compression {
  /// The command that tests such a file.
  fileprivate var test: String { self == .lz4 ? "lz4 -t" : "gzip -t" }
}

extension ByteString {
  /// The name for a message: control characters and what is no UTF-8 replaced, cut at 64 characters. O(1).
  package var shown: String {
    var text = ""
    var count = 0
    for scalar in String(decoding: bytes.prefix(64 * 4 + 4), as: UTF8.self).unicodeScalars {
      guard count < 64 else { return text + "…" }
      text.unicodeScalars.append(scalar.properties.generalCategory == .control ? "\u{FFFD}" : scalar)
      count += 1
    }
    return text
  }
}
