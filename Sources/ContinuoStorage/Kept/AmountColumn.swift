// Amounts as whole numbers of the greatest power of ten that divides all of them, and what another column foretells of them.
// Invariant: what is written is read back to the bit.
// Not here: the numbers' bits (ColumnCode), which amounts there are (SwapColumns, TransferColumns).
// Format: docs/format/segment.md, "Amounts".

internal import Continuo

/// How amounts of a group are scaled.
enum AmountScale {
  /// The greatest power of ten, 18 at most, that divides all of some amounts. O(amounts).
  static func power(_ amounts: some Sequence<Decimal18>) -> UInt8 {
    var power: UInt8 = 18
    for amount in amounts where power > 0 {
      while !divides(power, amount.units.magnitude) { power -= 1 }
    }
    return power
  }

  @inline(__always)
  private static func divides(_ power: UInt8, _ number: UInt128) -> Bool {
    // Twos are cheap to look for, and few numbers have as many by chance.
    guard number.trailingZeroBitCount >= Int(power) else { return number == 0 }
    if let word = UInt64(exactly: number) { return word % PowerOfTen.of(power) == 0 }
    return number % UInt128(PowerOfTen.of(power)) == 0
  }

  /// An amount in units of a power of ten that divides it. O(1).
  @inline(__always)
  static func quotient(_ amount: Decimal18, _ power: UInt8) -> Int128 {
    if power == 0 { return amount.units }
    if let word = Int64(exactly: amount.units) { return Int128(word / Int64(PowerOfTen.of(power))) }
    return amount.units / Int128(PowerOfTen.of(power))
  }

  /// The amount that a number of units of a power of ten is; modulo 2^128. O(1).
  @inline(__always)
  static func amount(_ quotient: Int128, _ power: UInt8) -> Decimal18 {
    Decimal18(units: quotient &* Int128(PowerOfTen.of(power)))
  }
}

/// What price × tokens foretells of an amount in dollars.
struct AmountForecast: Equatable {
  /// The product of the two quotients counts 10^-places of an amount's units.
  private let places: Int
  private let divisor: UInt128

  /// nil where the product is coarser than the amounts are, or any power is none.
  init?(price: UInt8, tokens: UInt8, amounts: UInt8) {
    guard price <= 18, tokens <= 18, amounts <= 18 else { return nil }
    places = 18 + Int(amounts) - Int(price) - Int(tokens)
    guard places >= 0 else { return nil }
    divisor = (0..<places).reduce(1) { product, _ in product * 10 }
  }

  /// The rounded product; 0 where it is past 128 bits, or one of the two is negative. O(1).
  @inline(__always)
  func amount(price: Int128, tokens: Int128) -> Int128 {
    guard price >= 0, tokens >= 0 else { return 0 }
    let (high, low) = UInt128(price).multipliedFullWidth(by: UInt128(tokens))
    if high == 0 {
      let (sum, isPast) = low.addingReportingOverflow(divisor / 2)
      if !isPast {
        if let word = UInt64(exactly: sum), let narrow = UInt64(exactly: divisor) { return Int128(word / narrow) }
        return Int128(truncatingIfNeeded: sum / divisor)
      }
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
