// Files of a directory that are changed and sealed again: every checksum is right, whatever is in them.
// Invariant: a file that is sealed without a change is the same, byte by byte (ForgedDirectoryDamageTests).
// Not here: what is changed (ForgedDirectoryDamageTests). Written from docs/format, not from the code that it is to test.

import Continuo
import ContinuoBytes
import ContinuoStorage
import ContinuoTestSupport

extension [UInt8] {
  /// An integer that stands at a place, its lowest byte first.
  func word<Word: FixedWidthInteger>(_ place: Int, _ type: Word.Type) -> Word {
    var word: Word = 0
    for index in 0..<Word.bitWidth / 8 { word |= Word(truncatingIfNeeded: self[place + index]) << Word(8 * index) }
    return word
  }

  mutating func put<Word: FixedWidthInteger>(_ word: Word, at place: Int) {
    for index in 0..<Word.bitWidth / 8 { self[place + index] = UInt8(truncatingIfNeeded: word >> Word(8 * index)) }
  }

  private func sum(_ range: Range<Int>, after before: UInt32? = nil) -> UInt32 {
    if let before { return CRC32C.sum(span.extracting(range), after: before) }
    return CRC32C.sum(span.extracting(range))
  }

  // MARK: kept files

  /// Where the blocks of a kept file begin, and at last its footer.
  var blocks: [Int] {
    let footer = word(count - 16, Int.self)
    return (0..<Int(word(footer + 16, UInt32.self))).map { word(footer + 24 + 8 * $0, Int.self) } + [footer]
  }

  /// The payload of the block that begins at a place.
  func payload(_ block: Int) -> Range<Int> { block + 16..<block + 16 + Int(word(block + 4, UInt32.self)) }

  /// Makes the checksums of a kept file those of its bytes.
  ///
  /// - Parameter all: where its blocks were before the footer was changed.
  mutating func sealKept(_ all: [Int]) {
    put(sum(0..<60), at: 60)
    let last = all[all.count - 1]
    for (index, block) in all.enumerated() {
      var head: [UInt8] = []
      head += self[16..<24]
      head += self[12..<16]
      head += [UInt8](repeating: 0, count: 8)
      head.put(UInt64(block), at: 12)
      head += self[block..<block + 8]
      let end = block + (16 + payload(block).count + 7) / 8 * 8
      put(sum(block + 12..<end, after: CRC32C.sum(head.span)), at: block + 8)
      // The footer, which comes last, says it again.
      if index < all.count - 1 { put(word(block + 8, UInt32.self), at: last + 24 + 8 * (all.count - 1) + 4 * index) }
    }
    put(word(last + 8, UInt32.self), at: count - 8)
  }

  // MARK: the manifest

  /// Where its entries of kept files begin.
  private var entries: [Int] {
    let section = 136 + Int(word(132, UInt32.self))
    return [Int](stride(from: section + 8, to: section + 8 + Int(word(section + 4, UInt32.self)), by: 40))
  }

  mutating func sealManifest() { put(sum(0..<count - 4), at: count - 4) }

  /// Lets the manifest say of a kept file what that says of itself.
  mutating func name(_ file: [UInt8]) {
    for entry in entries where word(entry + 4, UInt32.self) == file.word(12, UInt32.self) {
      put(file.word(24, UInt64.self), at: entry + 8)
      put(file.word(32, UInt64.self), at: entry + 16)
      put(file.count, at: entry + 24)
      put(file.word(file.count - 8, UInt32.self), at: entry + 32)
    }
    sealManifest()
  }

  /// Says nothing any more of what the contents of kept files add up to.
  mutating func forgetContents() {
    for entry in entries { put(UInt32(0), at: entry + 36) }
    sealManifest()
  }

  // MARK: the journal

  /// Where the frames of a journal file begin that stand behind each other.
  var frames: [Int] {
    var frames: [Int] = []
    var place = 4096
    while place < count, self[place] == 0x46 {
      frames.append(place)
      place += (64 + Int(word(place + 32, UInt32.self)) + 4095) / 4096 * 4096
    }
    return frames
  }

  /// Makes the checksums of a journal file those of its bytes, and each frame follow the one before.
  mutating func sealJournal() {
    put(sum(0..<60), at: 60)
    var chain = word(32, UInt32.self)
    for frame in frames {
      let end = frame + (64 + Int(word(frame + 32, UInt32.self)) + 4095) / 4096 * 4096
      put(chain, at: frame + 36)
      put(sum(frame + 64..<end), at: frame + 40)
      put(sum(frame..<frame + 60), at: frame + 60)
      chain = word(frame + 60, UInt32.self)
    }
  }
}

extension DiskState {
  /// The same with another kept file that the manifest names.
  func forging(_ file: String, _ bytes: [UInt8]) -> DiskState {
    let manifest = FullDirectory.path + "/manifest"
    var named = self.bytes(of: manifest) ?? []
    named.name(bytes)
    return with(file, bytes).with(manifest, named)
  }
}

extension Verification {
  /// Differences but those of files with other contents than were written.
  var otherDifferences: [String] { differences.filter { !$0.contains("contents are not those that were written") } }
}
