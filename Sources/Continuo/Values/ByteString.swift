// A name as bytes: a token, a wallet, an address. Swift's String compares by Unicode equivalence, which is the wrong
// identity here ("é" composed and "é" decomposed are two tokens).
// Invariant: equality and order are those of the bytes.
// Not here: what a valid name is, case-folding of addresses (Address).

/// A byte string: compared, ordered and hashed by its bytes, never normalised.
public struct ByteString: Hashable, Comparable, Sendable, ExpressibleByStringLiteral, CustomStringConvertible {
  /// The bytes, UTF-8 where they were accepted from outside.
  public let bytes: [UInt8]

  /// Makes a name of bytes. O(1).
  public init(_ bytes: [UInt8]) { self.bytes = bytes }

  /// Makes a name of a text's UTF-8 bytes. O(length).
  public init(_ text: some StringProtocol) { bytes = Array(text.utf8) }

  /// Makes a name of a text's UTF-8 bytes. O(length).
  public init(stringLiteral text: String) { bytes = Array(text.utf8) }

  public static func < (left: ByteString, right: ByteString) -> Bool {
    left.bytes.lexicographicallyPrecedes(right.bytes)
  }

  /// The name as text; bytes that are no UTF-8 become U+FFFD.
  public var description: String { String(decoding: bytes, as: UTF8.self) }
}
