// The product of two numbers as text, for `--map amount_usd=price*qty`.
// Invariant: the text, read as Decimal18, is the exact product of the two (rounded) factors rounded half-even once.
// Not here: which columns are multiplied (RowPlan), what a missing factor means (RowPlan).

internal import Continuo

/// Multiplies two texts.
enum ExactProduct: Equatable {
  /// The product's text.
  case product([UInt8])
  /// A factor is no number, or does not fit by itself; it is to be judged as it is.
  case faultyLeft
  case faultyRight

  /// Multiplies. What is no number goes before what does not fit, as in rule 3.6. O(length).
  static func text(_ left: Span<UInt8>, _ right: Span<UInt8>) -> ExactProduct {
    let (first, firstFault) = read(left)
    let (second, secondFault) = read(right)
    if firstFault == .notANumber { return .faultyLeft }
    if secondFault == .notANumber { return .faultyRight }
    guard let first else { return .faultyLeft }
    guard let second else { return .faultyRight }
    var digits: [UInt8] = []
    if let rounded = WideArithmetic.product(ExactSum(first), second) {
      rounded.append(to: &digits)
    } else {
      appendExact(first, second, to: &digits)
    }
    return .product(digits)
  }

  private static func read(_ text: Span<UInt8>) -> (Decimal18?, NumberFault?) {
    do throws(NumberFault) {
      return (try Decimal18(parsing: text), nil)
    } catch {
      return (nil, error)
    }
  }

  /// All digits of a product that does not fit, so that the rejection shows what it is.
  private static func appendExact(_ left: Decimal18, _ right: Decimal18, to output: inout [UInt8]) {
    if (left.units < 0) != (right.units < 0) { output.append(UInt8(ascii: "-")) }
    let product = left.units.magnitude.multipliedFullWidth(by: right.units.magnitude)
    // Groups of eighteen digits, the last one first: two of them are the fraction of 36 digits.
    let divisor: UInt128 = 1_000_000_000_000_000_000
    var groups: [UInt64] = []
    var (high, low) = (product.high, product.low)
    while high != 0 || low != 0 || groups.count < 3 {
      let (nextHigh, carry) = high.quotientAndRemainder(dividingBy: divisor)
      let (nextLow, group) = divisor.dividingFullWidth((carry, low))
      groups.append(UInt64(group))
      (high, low) = (nextHigh, nextLow)
    }
    DecimalDigits.append(groups[groups.count - 1], to: &output)
    for index in stride(from: groups.count - 2, through: 0, by: -1) {
      if index == 1 { output.append(UInt8(ascii: ".")) }
      DecimalDigits.append(padded: groups[index], width: 18, to: &output)
    }
  }
}
