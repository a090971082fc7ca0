// Names are bytes: never compared as Unicode text.
// Invariant: none.
// Not here: which names are valid (JudgementTests).

import Continuo
import Testing

@Suite("ByteString")
struct ByteStringTests {
  /// Rule 3.5: two spellings of one character are two names.
  @Test("Unicode equivalence is no identity")
  func unicodeEquivalenceIsNoIdentity() {
    let (composed, decomposed) = ("caf\u{e9}", "cafe\u{301}")
    #expect(composed == decomposed, "Swift's own comparison follows Unicode: that is the trap")
    #expect(ByteString(composed) != ByteString(decomposed))
    #expect(Set([ByteString(composed), ByteString(decomposed)]).count == 2)
    #expect(ByteString(decomposed) < ByteString(composed))
    #expect(ByteString("\u{2126}") != ByteString("\u{3a9}"))
  }

  /// Rule 3.5: ordered by bytes, a prefix first, capitals before small letters.
  @Test("Order is that of the bytes")
  func orderIsThatOfTheBytes() {
    let names: [ByteString] = [
      "", "0xAb", "0xab", "A", "AR", "ART", "a", "z", "\u{7f}", "\u{80}", "é", "日本", "\u{1F3B5}",
    ]
    #expect(names.shuffled().sorted() == names)
  }

  /// Bytes that are no text are names too, until somebody prints them.
  @Test("Bytes that are no text")
  func bytesThatAreNoText() {
    let name = ByteString([0x61, 0xFF])
    #expect(name.bytes == [0x61, 0xFF])
    #expect(name.description == "a\u{FFFD}")
  }
}
