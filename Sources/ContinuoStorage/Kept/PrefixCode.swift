// A prefix code of few symbols, at most twelve bits each: made of how often each comes, and told by its lengths alone.
// Invariant: the same lengths give the same code; lengths that are no complete code are refused.
// Not here: what the symbols mean (ColumnCode), bits in memory (BitsHandle).
// Source: D. Huffman, 1952; canonical codes: E. Schwartz & B. Kallick, 1964. Format: docs/format/segment.md, "Classes".

/// A canonical prefix code, its bits written lowest first.
struct PrefixCode {
  /// The longest code.
  static let bitsMax = 12
  /// How many bits each symbol has; 0 where it never comes.
  let lengths: [UInt8]
  /// Each symbol's bits, the first one lowest.
  let codes: [UInt16]

  /// Makes the code for symbols that come so often. O(symbols × log symbols).
  init(counts: [Int]) {
    var counts = counts
    var lengths = Self.huffman(counts)
    while let longest = lengths.max(), longest > Self.bitsMax {
      // Rare symbols are taken for less rare ones: their codes get shorter, at next to no cost.
      counts = counts.map { $0 == 0 ? 0 : ($0 + 1) / 2 }
      lengths = Self.huffman(counts)
    }
    self.lengths = lengths
    codes = Self.canonical(lengths)
  }

  /// The code with these lengths; nil where they are none: not all bits would be used, or some twice. O(symbols).
  init?(lengths: [UInt8]) {
    var used = 0
    for length in lengths where length > 0 {
      guard length <= Self.bitsMax else { return nil }
      used += 1 << (Self.bitsMax - Int(length))
    }
    guard used == 1 << Self.bitsMax else { return nil }
    self.lengths = lengths
    codes = Self.canonical(lengths)
  }

  /// What the next bits begin with, as many as the longest code has: the symbol, and in the lowest four bits how many of them
  /// are its own. O(2^bits).
  var table: [UInt16] {
    var table = [UInt16](repeating: 0, count: 1 << Int(lengths.max() ?? 0))
    for symbol in lengths.indices where lengths[symbol] > 0 {
      let entry = UInt16(symbol) << 4 | UInt16(lengths[symbol])
      for place in stride(from: Int(codes[symbol]), to: table.count, by: 1 << Int(lengths[symbol])) {
        table[place] = entry
      }
    }
    return table
  }

  private static func canonical(_ lengths: [UInt8]) -> [UInt16] {
    var codes = [UInt16](repeating: 0, count: lengths.count)
    var next: UInt16 = 0
    for length in 1...UInt8(bitsMax) {
      for symbol in lengths.indices where lengths[symbol] == length {
        codes[symbol] = next.reversed(bits: Int(length))
        next += 1
      }
      next <<= 1
    }
    return codes
  }

  /// How long each symbol's code would be without a bound.
  private static func huffman(_ counts: [Int]) -> [UInt8] {
    var lengths = [UInt8](repeating: 0, count: counts.count)
    var trees = counts.indices.filter { counts[$0] > 0 }.map { (count: counts[$0], symbols: [$0]) }
    while trees.count > 1 {
      // Few symbols: the two rarest are looked for.
      trees.sort { $0.count > $1.count }
      let (last, other) = (trees.removeLast(), trees.removeLast())
      for symbol in last.symbols + other.symbols { lengths[symbol] += 1 }
      trees.append((last.count + other.count, last.symbols + other.symbols))
    }
    return lengths
  }
}

extension UInt16 {
  /// The lowest bits in the other order.
  fileprivate func reversed(bits: Int) -> UInt16 {
    var (reversed, rest): (UInt16, UInt16) = (0, self)
    for _ in 0..<bits {
      reversed = reversed << 1 | rest & 1
      rest >>= 1
    }
    return reversed
  }
}
