// Amounts as whole numbers of the greatest power of ten that divides all of them, and what another column foretells of them.
// Invariant: what is written is read back to the bit.
// Not here: the numbers' bits (ColumnCode), which amounts there are (SegmentColumns).
// Format: docs/format/segment.md, "Amounts".

internal import Continuo

/// How amounts of a group are scaled.
enum AmountScale {
  /// The greatest power of ten, 18 at most, that divides all of some amounts. O(amounts).
  static func power(_ amounts: some Sequence<Decimal18>) -> UInt8 {
    var power: UInt8 = 18
    var scale = ExactScale(power)
    for amount in amounts where power > 0 {
      while power > 0, scale.word(amount.units) == nil, !divides(power, amount.units.magnitude) {
        power -= 1
        scale = ExactScale(power)
      }
    }
    return power
  }

  @inline(never)
  private static func divides(_ power: UInt8, _ number: UInt128) -> Bool {
    // Twos are cheap to look for, and few numbers have as many by chance.
    guard number.trailingZeroBitCount >= Int(power) else { return number == 0 }
    return number % UInt128(PackPlan.power(power)) == 0
  }

  /// The same power, and the amounts in units of it, where all of these are words that are not negative; nil else. O(amounts).
  static func words(_ units: [Int128]) -> (power: UInt8, words: [Int64])? {
    var power: UInt8 = 18
    var words = [Int64](repeating: 0, count: units.count)
    var index = 0
    var scale = ExactScale(power)
    while index < units.count {
      if let word = scale.word(units[index]) {
        words[index] = word
        index += 1
        continue
      }
      // One that is too large for a word would be too large in smaller units too.
      if power == 0 || divides(power, units[index].magnitude) { return nil }
      power -= 1
      scale = ExactScale(power)
      // Those before in the smaller unit: mostly the first one decides.
      index = 0
    }
    return (power, words)
  }

  /// Amounts in units of a power of ten that divides them. O(amounts).
  static func quotients(_ amounts: some Sequence<Decimal18>, _ power: UInt8, into quotients: inout [Int128]) {
    quotients.removeAll(keepingCapacity: true)
    let scale = ExactScale(power)
    for amount in amounts {
      if let word = scale.word(amount.units) {
        quotients.append(Int128(word))
      } else {
        quotients.append(amount.units / Int128(PackPlan.power(power)))
      }
    }
  }

  /// The amount that a number of units of a power of ten is; modulo 2^128. O(1).
  ///
  /// - Parameter unit: the power of ten itself.
  @inline(__always)
  static func amount(_ quotient: Int128, _ unit: Int128) -> Decimal18 { Decimal18(units: quotient &* unit) }
}

/// Division by a power of ten of numbers that are its multiples.
private struct ExactScale {
  private let power: UInt64
  private let factor: UInt64
  /// 5^-power, modulo 2^64.
  private let inverse: UInt64

  init(_ power: UInt8) {
    self.power = UInt64(power)
    factor = PackPlan.power(power)
    let odd = factor >> UInt64(power)
    // Each step doubles the bits that are right: three to begin with.
    var inverse = odd &* odd &* odd
    for _ in 0..<5 { inverse = inverse &* (2 &- odd &* inverse) }
    self.inverse = inverse
  }

  /// The quotient, where the number is a multiple and the quotient is not negative and has 63 bits; nil else. O(1).
  @inline(__always)
  func word(_ number: Int128) -> Int64? {
    let (high, low) = (UInt64(truncatingIfNeeded: number >> 64), UInt64(truncatingIfNeeded: number))
    let shifted = low &>> power | (power == 0 ? 0 : high &<< (64 &- power))
    let quotient = shifted &* inverse
    let product = quotient.multipliedFullWidth(by: factor)
    guard product.low == low, product.high == high, quotient >> 63 == 0 else { return nil }
    return Int64(bitPattern: quotient)
  }
}

/// What price × tokens foretells of an amount in dollars.
struct AmountForecast: Equatable {
  /// How many products of the two quotients an amount's unit is.
  private let divisor: UInt128
  /// The same as a word; 0 where it is none.
  private let narrowDivisor: UInt64

  /// nil where the product is coarser than the amounts are, or any power is none.
  init?(price: UInt8, tokens: UInt8, amounts: UInt8) {
    guard price <= 18, tokens <= 18, amounts <= 18 else { return nil }
    let places = 18 + Int(amounts) - Int(price) - Int(tokens)
    guard places >= 0 else { return nil }
    divisor = (0..<places).reduce(1) { product, _ in product * 10 }
    narrowDivisor = UInt64(exactly: divisor) ?? 0
  }

  /// The rounded product of words that are not negative; nil where it is no such word. O(1).
  @inline(__always)
  func word(price: Int64, tokens: Int64) -> Int64? {
    let (high, low) = UInt64(bitPattern: price).multipliedFullWidth(by: UInt64(bitPattern: tokens))
    let (sum, carry) = low.addingReportingOverflow(narrowDivisor / 2)
    guard narrowDivisor > 0 else { return nil }
    // Mostly a word is divided by a word.
    if high == 0, !carry { return Int64(exactly: sum / narrowDivisor) }
    let top = high &+ (carry ? 1 : 0)
    guard top < narrowDivisor else { return nil }
    return Int64(exactly: narrowDivisor.dividingFullWidth((top, sum)).quotient)
  }

  /// The rounded product; 0 where it is past 128 bits, or one of the two is negative. O(1).
  @inline(__always)
  func amount(price: Int128, tokens: Int128) -> Int128 {
    if price >= 0, tokens >= 0, let price = Int64(exactly: price), let tokens = Int64(exactly: tokens),
      let word = word(price: price, tokens: tokens)
    {
      return Int128(word)
    }
    return general(price, tokens)
  }

  @inline(never)
  private func general(_ price: Int128, _ tokens: Int128) -> Int128 {
    guard price >= 0, tokens >= 0 else { return 0 }
    let (high, low) = UInt128(price).multipliedFullWidth(by: UInt128(tokens))
    if high == 0 {
      let (sum, isPast) = low.addingReportingOverflow(divisor / 2)
      if !isPast { return Int128(truncatingIfNeeded: sum / divisor) }
    }
    return wide(high, low)
  }

  @inline(never)
  private func wide(_ high: UInt128, _ low: UInt128) -> Int128 {
    let (sum, carry) = low.addingReportingOverflow(divisor / 2)
    let top = high &+ (carry ? 1 : 0)
    guard top < divisor else { return 0 }
    return Int128(truncatingIfNeeded: divisor.dividingFullWidth((top, sum)).quotient)
  }
}
