// SHA-256 against published vectors, in every way of cutting the input.
// Invariant: the expected digests are literals, from FIPS 180-4's examples and `sha256sum`.
// Not here: what is digested.

import ContinuoBytes
import Testing

/// Rule 7.7 stands on this digest.
@Suite("SHA-256")
struct SHA256Tests {
  private func hexadecimal(_ digest: [UInt8]) -> String {
    digest.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
  }

  @Test(
    "Published vectors",
    arguments: [
      ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
      ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
      (
        "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
        "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
      ),
      (
        "abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmnoijklmnopjklmnopqklmnopqrlmnopqrsmnopqrstnopqrstu",
        "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1"
      ),
    ])
  func vectors(text: String, expected: String) {
    var hash = SHA256()
    hash.update(Array(text.utf8))
    #expect(hexadecimal(hash.finalize()) == expected)
    // Asking twice changes nothing, and one may go on.
    #expect(hexadecimal(hash.finalize()) == expected)
  }

  @Test("A million times a")
  func million() {
    var hash = SHA256()
    let thousand = [UInt8](repeating: UInt8(ascii: "a"), count: 1_000)
    for _ in 0..<1_000 { hash.update(thousand) }
    #expect(
      hexadecimal(hash.finalize()) == "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0")
  }

  @Test("Every length around a block, cut anywhere")
  func cuts() {
    let bytes = (0..<200).map { UInt8(truncatingIfNeeded: $0 &* 37 &+ 11) }
    for length in 0...bytes.count {
      var whole = SHA256()
      whole.update(Array(bytes[..<length]))
      let expected = whole.finalize()
      for cut in stride(from: 0, through: length, by: 7) {
        var parts = SHA256()
        parts.update(Array(bytes[..<cut]))
        parts.update(Array(bytes[cut..<length]))
        #expect(parts.finalize() == expected, "\(length) cut at \(cut)")
      }
    }
    var all = SHA256()
    all.update(bytes)
    #expect(hexadecimal(all.finalize()) == "5e48d64839a8bff5e2471507af6a49f9990817df437857f4a2007df41266e1b5")
  }
}
