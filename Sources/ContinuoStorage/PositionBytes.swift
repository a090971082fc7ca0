// The bytes of positions of sources, as the journal has them beside a batch and the manifest in a section of its own.
// Invariant: bytes that are no position are told, and never trap.
// Not here: what a position is (Continuo), where it stands (JournalRecord, Manifest).
// Format: docs/format/journal.md, docs/format/manifest.md.

internal import Continuo

extension InputPosition {
  /// The least bytes of a position: 16 of it, one that says how long the name is, and a name of one.
  static let bytesMin = 18

  /// Adds the position to some bytes. O(length).
  func append(to bytes: inout [UInt8]) {
    bytes.appendWord(position)
    bytes.append(UInt8(source.bytes.count))
    bytes += source.bytes
  }

  /// How many bytes it has. O(1).
  var encodedBytes: Int { Self.bytesMin - 1 + source.bytes.count }

  /// A position at a place of some bytes; nil where there is none. O(length).
  init?(_ bytes: Span<UInt8>, at place: Int) {
    guard bytes.count - place >= Self.bytesMin else { return nil }
    let name = place + Self.bytesMin - 1
    let length = Int(bytes[name - 1])
    guard length <= bytes.count - name else { return nil }
    self.init(ByteString((name..<name + length).map { bytes[$0] }), bytes.word(place, UInt128.self))
  }
}

extension InputPositions {
  /// All of them, one behind the other. O(sources).
  var encoded: [UInt8] {
    var bytes: [UInt8] = []
    for position in all { position.append(to: &bytes) }
    return bytes
  }

  /// Those of some bytes; nil where these are none. O(sources).
  init?(_ bytes: Span<UInt8>) {
    var found: [InputPosition] = []
    var place = 0
    while place < bytes.count {
      guard let next = InputPosition(bytes, at: place) else { return nil }
      found.append(next)
      place += next.encodedBytes
    }
    self.init(found)
  }
}
