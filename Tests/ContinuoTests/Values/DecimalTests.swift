// Decimals: the cases that a person would think of first.
// Invariant: none.
// Not here: the million others (DecimalVectorTests).

import Continuo
import ContinuoTestSupport
import Testing

@Suite("Decimal18")
struct DecimalTests {
  /// Rules 2.2, 2.3: read, rounded half-even at the 18th digit, printed canonically.
  @Test(
    "Text to number to text",
    arguments: [
      ("0", "0"), ("-0", "0"), ("+0.000", "0"), ("1.0", "1"), ("00012.3400", "12.34"), ("1e3", "1000"),
      ("1E-3", "0.001"),
      ("-1.5e+1", "-15"), ("0.0000000000000000005", "0"), ("0.0000000000000000015", "0.000000000000000002"),
      ("0.0000000000000000025", "0.000000000000000002"), ("0.00000000000000000250001", "0.000000000000000003"),
      ("-0.0000000000000000015", "-0.000000000000000002"), ("0.9999999999999999995", "1"),
      ("170141183460469231731.687303715884105727", "170141183460469231731.687303715884105727"),
      ("170141183460469231731.6873037158841057274999", "170141183460469231731.687303715884105727"),
      ("-170141183460469231731.687303715884105728", "-170141183460469231731.687303715884105728"),
      ("-170141183460469231731.6873037158841057285", "-170141183460469231731.687303715884105728"),
      ("0e99999999999999999999999999", "0"), ("5e-99999999999999999999999999", "0"),
      ("1e-9223372036854775808", "0"), ("0.0e9223372036854775807", "0"),
    ])
  func textToNumberToText(text: String, printed: String) {
    #expect(Decimal18(text)?.description == printed)
  }

  /// Rule 2.2: in the grammar, but out of range; an exponent of any size costs nothing and does not trap.
  @Test(
    "Out of range",
    arguments: [
      "170141183460469231731.6873037158841057275", "170141183460469231731.687303715884105728",
      "-170141183460469231731.68730371588410572850001", "1e21", "1e99999999999999999999999999",
      "-1e9223372036854775807",
      "9e9223372036854775808", "1e0000000000000000000000000000000000000021", "999999999999999999999",
    ])
  func outOfRange(text: String) {
    let bytes = Array(text.utf8)
    #expect(throws: NumberFault.outOfRange) { try Decimal18(parsing: bytes.span) }
  }

  /// Rule 2.2: outside the grammar.
  @Test(
    "No number",
    arguments: [
      "", "+", "-", ".", "1.", ".1", "1e", "1e+", "e1", "1 ", " 1", "1,0", "1_0", "0x1", "NaN", "inf", "--1", "1.2.3",
      "1e1.0",
      "1e1e1", "١", "1\u{0}", "−1",
    ])
  func noNumber(text: String) {
    let bytes = Array(text.utf8)
    #expect(throws: NumberFault.notANumber) { try Decimal18(parsing: bytes.span) }
  }

  /// Rule 2.4: quotients round half-even once; what does not fit is nil.
  @Test("Quotients, products, percents")
  func quotientsProductsPercents() {
    func sum(_ units: Int128) -> ExactSum { ExactSum(Decimal18(units: units)) }
    let one = Decimal18.unitsPerWhole
    #expect(WideArithmetic.quotient(sum(1), over: sum(3 * one))?.units == 0)
    #expect(WideArithmetic.quotient(sum(1), over: sum(2 * one))?.units == 0)
    #expect(WideArithmetic.quotient(sum(3), over: sum(2 * one))?.units == 2)
    #expect(WideArithmetic.quotient(sum(-3), over: sum(2 * one))?.units == -2)
    #expect(WideArithmetic.quotient(sum(5), over: sum(2 * one))?.units == 2)
    #expect(WideArithmetic.quotient(sum(.max), over: sum(one))?.units == .max)
    #expect(WideArithmetic.quotient(sum(.min), over: sum(one))?.units == .min)
    #expect(WideArithmetic.quotient(sum(.max), over: sum(one - 1)) == nil)
    #expect(WideArithmetic.percent(sum(one), of: sum(3 * one))?.description == "33.333333333333333333")
    #expect(WideArithmetic.percent(sum(-2 * one), of: sum(3 * one))?.description == "-66.666666666666666667")
    var supply = sum(.max)
    supply += sum(.max)
    #expect(WideArithmetic.product(supply, Decimal18(units: one / 2))?.units == .max)
    #expect(WideArithmetic.product(supply, Decimal18(units: one / 2 + 1)) == nil)
  }

  /// Rule 2.4: quotients of sums of any two widths, ties among them, are those of integers of any size.
  @Test("Quotients against big integers", arguments: Seeds.thisRun(8))
  func quotientsOfAnyWidth(seed: UInt64) {
    var random = SeededGenerator(seed: seed)
    func draw() -> Int128 {
      let value = UInt128.random(in: 0...UInt128.max, using: &random) >> UInt128.random(in: 1...127, using: &random)
      return max(1, Int128(random.chance(20) ? value & ~1 : value))
    }
    for _ in 0..<4_000 {
      let divisor = draw()
      // A divisor whose leading word is nearly a power of two is where a guessed word is furthest off.
      let hard = random.chance(20) ? Int128.max >> Int128.random(in: 0...60, using: &random) : divisor
      let numerator = random.chance(10) ? hard / 2 : draw()
      let quotient = WideArithmetic.quotient(
        ExactSum(Decimal18(units: numerator)), over: ExactSum(Decimal18(units: hard)))
      let expected = ModelNumber.quotient(BigInteger(numerator), over: BigInteger(hard))
      #expect(quotient == expected, "\(numerator) / \(hard); \(Seeds.replay(seed, "DecimalTests"))")
    }
  }
}
