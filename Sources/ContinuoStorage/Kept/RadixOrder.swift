// The order of many things by a small number of each, found without moving them: they are large, what decides is small.
// Invariant: things of one number stay in the order in which they came.
// Not here: what the things are (SegmentOrder, SegmentColumns).
// Source of the sort: H. Seward, 1954 (radix, lowest digits first).

/// Sorts the places of things by a number of each. It keeps its memory from time to time.
struct RadixOrder {
  /// A number and behind it the place where it came.
  private var entries: [UInt64] = []
  private var others: [UInt64] = []
  private var placeBits: UInt64 = 0

  /// No digit has more bits.
  private static let digitBits = 14

  init() {}

  /// How many things there are.
  var count: Int { entries.count }

  /// The place of the n-th thing in the order. O(1).
  @inline(__always)
  func place(_ index: Int) -> Int { Int(truncatingIfNeeded: entries[index] & (1 &<< placeBits &- 1)) }

  /// The n-th number in the order. O(1).
  @inline(__always)
  func number(_ index: Int) -> UInt64 { entries[index] &>> placeBits }

  /// Whether so many things with numbers of so many bits can be sorted.
  static func fits(_ count: Int, bits: Int) -> Bool { bits + width(count) <= UInt64.bitWidth }

  private static func width(_ count: Int) -> Int { Int.bitWidth - max(0, count - 1).leadingZeroBitCount }

  /// Finds the order of so many things. O(count × bits).
  ///
  /// - Parameters:
  ///   - bits: how many the greatest number has.
  ///   - number: is asked for the number of each place.
  /// - Precondition: ``fits(_:bits:)``.
  @inline(__always)
  mutating func sort(_ count: Int, bits: Int, _ number: (Int) -> UInt64) {
    precondition(Self.fits(count, bits: bits), "numbers and places fit into a word")
    placeBits = UInt64(Self.width(count))
    let passes = max(1, (bits + Self.digitBits - 1) / Self.digitBits)
    var starts = [UInt32](repeating: 0, count: 1 << (bits / passes) + 1)
    let mask: UInt64 = 1 &<< UInt64(bits / passes) &- 1
    entries.removeAll(keepingCapacity: true)
    entries.append(addingCapacity: count) { space in
      for place in 0..<count {
        let number = number(place)
        starts[Int(truncatingIfNeeded: number & mask) &+ 1] &+= 1
        space.append(number &<< placeBits | UInt64(truncatingIfNeeded: place))
      }
    }
    if others.count != count { others = entries }
    for pass in 0..<passes {
      let (first, behind) = (bits * pass / passes, bits * (pass + 1) / passes)
      if pass > 0 { starts = counts(placeBits + UInt64(first), bits: behind - first) }
      sort(&starts, placeBits + UInt64(first), bits: behind - first)
    }
  }

  /// How often each digit comes, behind the place of the one before.
  private func counts(_ shift: UInt64, bits: Int) -> [UInt32] {
    var starts = [UInt32](repeating: 0, count: 1 << bits + 1)
    let mask: UInt64 = 1 &<< UInt64(bits) &- 1
    for entry in entries { starts[Int(truncatingIfNeeded: entry &>> shift & mask) &+ 1] &+= 1 }
    return starts
  }

  private mutating func sort(_ starts: inout [UInt32], _ shift: UInt64, bits: Int) {
    let mask: UInt64 = 1 &<< UInt64(bits) &- 1
    for digit in 1...1 << bits { starts[digit] &+= starts[digit - 1] }
    for entry in entries {
      let digit = Int(truncatingIfNeeded: entry &>> shift & mask)
      others[Int(starts[digit])] = entry
      starts[digit] &+= 1
    }
    swap(&entries, &others)
  }
}
