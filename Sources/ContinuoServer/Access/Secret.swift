// A token that opens routes: read from a file, compared without telling how much of it was right.
// Invariant: a comparison takes as long whatever is compared; the token itself is not kept.
// Not here: which token opens what (Access).

public import ContinuoBytes

/// A secret, as its digest.
public struct Secret: Sendable {
  /// No token is shorter or longer, in bytes.
  public static let bytesMin = 16
  private static let bytesMax = 1024

  private let digest: [UInt8]

  /// Takes a token: 16 to 1024 visible ASCII characters; nil where it is something else. O(length).
  public init?(_ token: [UInt8]) {
    guard (Self.bytesMin...Self.bytesMax).contains(token.count), token.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else {
      return nil
    }
    digest = Self.digest(token)
  }

  /// Reads a token from a file, white space around it left out; nil where there is none in it. O(length).
  public init?(file path: String) throws(DescriptorFailure) {
    var bytes: [UInt8] = []
    let file = try DescriptorHandle(reading: path)
    while bytes.count <= 2 * Self.bytesMax, try file.read(into: &bytes, atMost: 4096) > 0 {}
    let blanks: Set<UInt8> = [0x09, 0x0A, 0x0D, 0x20]
    while let last = bytes.last, blanks.contains(last) { bytes.removeLast() }
    self.init(Array(bytes.drop { blanks.contains($0) }))
  }

  /// Whether a text is the token. The time depends on the text's length alone: what is compared are digests, every byte of them.
  func matches(_ text: String) -> Bool { Self.areEqual(digest, Self.digest(Array(text.utf8))) }

  /// Whether two digests are equal, every byte looked at.
  private static func areEqual(_ left: [UInt8], _ right: [UInt8]) -> Bool {
    var difference: UInt8 = left.count == right.count ? 0 : 1
    for index in 0..<min(left.count, right.count) { difference |= left[index] ^ right[index] }
    return difference == 0
  }

  private static func digest(_ bytes: [UInt8]) -> [UInt8] {
    var hash = SHA256()
    hash.update(bytes.span)
    return Array(hash.finalize())
  }
}
