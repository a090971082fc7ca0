// A column of whole numbers as few bits: of each how long it is, by a prefix code, and then its bits but the highest.
// Invariant: what is written is read back to the bit; bytes that are no column never trap.
// Not here: which numbers a column has (SegmentColumns), checksums (KeptFormat).
// Source: P. Elias, "Universal codeword sets", 1975, with Huffman's code for the lengths. Format: docs/format/segment.md.

internal import Continuo

/// What is wrong with the bytes of a column.
package struct ColumnFault: Error, Equatable {
  var what: String
}

/// Columns of numbers that are not negative.
enum ColumnCode {
  /// No number has more bits.
  private static let classMax = 128
  /// Behind a column, so that eight bytes can be read from its last one on.
  private static let slack = 8

  // MARK: writing

  /// Adds a column to some bytes. O(numbers).
  static func append<Number: FixedWidthInteger & UnsignedInteger>(_ numbers: [Number], to bytes: inout [UInt8]) {
    var (least, greatestNumber) = (numbers.first ?? 0, numbers.first ?? 0)
    for number in numbers {
      least = min(least, number)
      greatestNumber = max(greatestNumber, number)
    }
    // Words are quicker than 128 bits, and mostly they do.
    if Number.bitWidth > 64, greatestNumber <= Number(UInt64.max) {
      return append(numbers.map { UInt64(truncatingIfNeeded: $0) }, to: &bytes)
    }
    var counts = [Int](repeating: 0, count: classMax + 1)
    if least == greatestNumber {
      counts[0] = numbers.count
    } else {
      for number in numbers { counts[Self.length(number &- least)] += 1 }
    }
    let greatest = counts.lastIndex { $0 > 0 } ?? 0
    let code = PrefixCode(counts: Array(counts[...greatest]))
    bytes.append(UInt8(greatest))
    bytes.appendWord(UInt64(truncatingIfNeeded: least))
    bytes.appendWord(UInt64(truncatingIfNeeded: UInt128(least) >> 64))
    // Of one class alone no code is needed, and of zeros nothing at all.
    let isMixed = counts.count { $0 > 0 } > 1
    if isMixed {
      for pair in stride(from: 0, through: greatest, by: 2) {
        bytes.append(code.lengths[pair] | (pair < greatest ? code.lengths[pair + 1] << 4 : 0))
      }
    } else {
      bytes.append(contentsOf: repeatElement(0, count: greatest / 2 + 1))
    }
    var classes = BitWriter(bits: isMixed ? 4 * numbers.count : 0)
    var rests = BitWriter(bits: greatest * numbers.count)
    if least != greatestNumber {
      // A class's code, and behind it how many bits that has.
      let codes = zip(code.codes, code.lengths).map { isMixed ? UInt32($0) << 8 | UInt32($1) : 0 }
      for number in numbers {
        let rest = number &- least
        let length = Self.length(rest)
        let own = codes[length]
        classes.put(UInt64(own &>> 8), Int(own & 0xFF))
        guard length > 1 else { continue }
        let bits = rest ^ (1 &<< Number(truncatingIfNeeded: length &- 1))
        rests.put(UInt64(truncatingIfNeeded: bits), min(64, length - 1))
        if length > 65 { rests.put(UInt64(truncatingIfNeeded: UInt128(bits) >> 64), length - 65) }
      }
    }
    let place = bytes.count
    bytes.append(contentsOf: [0, 0, 0, 0])
    bytes.put(UInt32(classes.finish(into: &bytes)), at: place)
    _ = rests.finish(into: &bytes)
    bytes.append(contentsOf: repeatElement(0, count: slack))
  }

  /// How many bits a number has.
  @inline(__always)
  private static func length<Number: FixedWidthInteger>(_ number: Number) -> Int {
    Number.bitWidth - number.leadingZeroBitCount
  }

  // MARK: reading

  /// Reads a column of so many numbers. O(numbers).
  ///
  /// - Throws: ``ColumnFault`` where the bytes are no such column.
  static func read<Number: FixedWidthInteger & UnsignedInteger>(
    _ bytes: Span<UInt8>, count: Int, as type: Number.Type
  ) throws(ColumnFault) -> [Number] {
    guard bytes.count >= 17 + slack, Int(bytes[0]) <= Number.bitWidth else {
      throw ColumnFault(what: "a column of numbers of \(Number.bitWidth) bits")
    }
    let greatest = Int(bytes[0])
    let base = UInt128(bytes.word(9, UInt64.self)) << 64 | UInt128(bytes.word(1, UInt64.self))
    guard let least = Number(exactly: base) else {
      throw ColumnFault(what: "a column of numbers of \(Number.bitWidth) bits")
    }
    let start = 17 + greatest / 2 + 1 + 4
    guard start + slack <= bytes.count else { throw ColumnFault(what: "the lengths of a column's codes") }
    let lengths = (0...greatest).map { bytes[17 + $0 / 2] >> UInt8($0 % 2 * 4) & 0xF }
    let classBytes = Int(bytes.word(start - 4, UInt32.self))
    guard classBytes <= bytes.count - slack - start else { throw ColumnFault(what: "a column's classes") }
    guard bytes.areZeros(bytes.count - slack..<bytes.count), greatest % 2 == 1 || bytes[start - 5] >> 4 == 0 else {
      throw ColumnFault(what: "zeros")
    }
    var numbers: [Number] = []
    let isMixed = lengths.contains { $0 > 0 }
    guard isMixed || greatest > 0 else {
      guard classBytes == 0, bytes.count == start + slack else { throw ColumnFault(what: "no bits") }
      return [Number](repeating: least, count: count)
    }
    var table: [UInt16] = []
    if isMixed {
      guard lengths[greatest] > 0, let code = PrefixCode(lengths: lengths) else {
        throw ColumnFault(what: "a prefix code")
      }
      table = code.table
    } else {
      table = [UInt16(greatest) << 4]
    }
    let middle = start + classBytes
    var isPast = false
    var classes = BitReader(bytes, start..<middle)
    var rests = BitReader(bytes, middle..<bytes.count - slack)
    numbers.append(addingCapacity: count) { (space: inout OutputSpan<Number>) in
      let symbols = table.span
      let mask = UInt64(symbols.count - 1)
      var left = count
      while left > 0 {
        // Four classes of one word: it is loaded, and its place added to, once for them.
        var (bits, used) = (classes.next, 0)
        for _ in 0..<min(4, left) {
          let entry = symbols[Int(truncatingIfNeeded: bits & mask)]
          bits &>>= UInt64(entry & 0xF)
          used &+= Int(entry & 0xF)
          let (number, isOver) = least.addingReportingOverflow(rest(Int(entry >> 4), &rests))
          isPast = isPast || isOver
          space.append(number)
        }
        classes.skip(used)
        left &-= 4
      }
    }
    guard !isPast, classes.isDone, rests.isDone else {
      throw ColumnFault(what: "as many bits as \(count) numbers have")
    }
    return numbers
  }

  /// A number of so many bits, of which the highest is not written.
  @inline(__always)
  private static func rest<Number: FixedWidthInteger & UnsignedInteger>(
    _ length: Int, _ bits: inout BitReader
  ) -> Number {
    guard length > 1 else { return Number(truncatingIfNeeded: length) }
    let count = length &- 1
    let top = (1 as Number) &<< Number(truncatingIfNeeded: count)
    if count <= 57 { return top | Number(truncatingIfNeeded: bits.take(count)) }
    var rest: Number = 0
    for start in stride(from: 0, to: count, by: 32) {
      rest |= Number(truncatingIfNeeded: bits.take(min(32, count - start))) << Number(start)
    }
    return top | rest
  }
}
