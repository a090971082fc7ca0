// Sums of any size.
// Invariant: expectations come from the model's big integers.
// Not here: quotients and products (DecimalVectorTests).

import Continuo
import ContinuoTestSupport
import Testing

@Suite("ExactSum")
struct ExactSumTests {
  /// Rule 2.5: sums are exact at any size, in any order, and give back what was added.
  @Test("Adding and taking away, past the range and back")
  func addingAndTakingAway() {
    var random = SeededGenerator(seed: 25)
    var sum = ExactSum.zero
    var expected = BigInteger.zero
    var added: [Decimal18] = []
    for _ in 0..<5_000 {
      let bits = UInt128.random(in: 0...UInt128.max, using: &random)
      let value =
        random.chance(30)
        ? random.pick([Decimal18.max, Decimal18.min, .zero, Decimal18(units: -1)])
        : Decimal18(units: Int128(bitPattern: bits) >> Int128.random(in: 0..<127, using: &random))
      if random.chance(50) {
        sum += value
        expected += BigInteger(value.units)
        added.append(value)
      } else {
        sum -= value
        expected -= BigInteger(value.units)
        added.append(value)
        // Kept as the pair of what undoes it.
        sum += value
        expected += BigInteger(value.units)
        sum += value
        expected += BigInteger(value.units)
      }
      #expect(BigInteger(sum) == expected)
      #expect(sum.decimal?.units == expected.int128)
      #expect(sum.isNegative == expected.isNegative && sum.isZero == expected.isZero)
      #expect(sum.isPositive == expected.isPositive)
      #expect(BigInteger(-sum) == -expected && BigInteger(sum.magnitude) == expected.magnitude)
    }
    for value in added.shuffled(using: &random) { sum -= value }
    #expect(sum == .zero)
  }

  /// Rule 2.5: the order of sums is that of numbers.
  @Test("Order")
  func order() {
    var random = SeededGenerator(seed: 7)
    func any() -> (ExactSum, BigInteger) {
      var sum = ExactSum.zero
      var expected = BigInteger.zero
      for _ in 0..<Int.random(in: 0...4, using: &random) {
        let value = random.pick([Decimal18.max, Decimal18.min, .one, Decimal18(units: -1)])
        sum += value
        expected += BigInteger(value.units)
      }
      return (sum, expected)
    }
    for _ in 0..<5_000 {
      let (left, right) = (any(), any())
      #expect((left.0 < right.0) == (left.1 < right.1))
      #expect((left.0 == right.0) == (left.1 == right.1))
    }
  }
}
