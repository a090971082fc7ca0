// Exponential, logarithm, sine and cosine by plain IEEE additions and multiplications.
// Invariant: the same argument gives the same bits on every machine; relative error under 1e-13 where it is used.
// Not here: what is drawn with them (RandomSource). The system's own functions differ between machines in the last bit,
// and a price would differ with them.

package enum Curves {
  private static var log2e: Double { 1.442_695_040_888_963_4 }
  private static var ln2: Double { 0.693_147_180_559_945_3 }
  /// The upper bits of ln 2: a small whole number times it is exact.
  private static var ln2High: Double { 0x1.62e42fefap-1 }
  private static var ln2Low: Double { 0x1.cf79abc9e3b39p-40 }

  /// e^x for |x| ≤ 700.
  @inline(__always)
  package static func exp(_ x: Double) -> Double {
    let x = max(-700, min(700, x))
    let power = (x * log2e).rounded(.toNearestOrEven)
    let r = (x - power * ln2High) - power * ln2Low
    var sum = 1.0 / 479_001_600
    sum = sum * r + 1.0 / 39_916_800
    sum = sum * r + 1.0 / 3_628_800
    sum = sum * r + 1.0 / 362_880
    sum = sum * r + 1.0 / 40_320
    sum = sum * r + 1.0 / 5_040
    sum = sum * r + 1.0 / 720
    sum = sum * r + 1.0 / 120
    sum = sum * r + 1.0 / 24
    sum = sum * r + 1.0 / 6
    sum = sum * r + 0.5
    sum = sum * r + 1
    sum = sum * r + 1
    return sum * Double(bitPattern: UInt64(bitPattern: Int64(power) + 1023) << 52)
  }

  /// The natural logarithm of a normal number over zero.
  @inline(__always)
  package static func ln(_ x: Double) -> Double {
    var exponent = Int64(x.bitPattern >> 52) - 1023
    var mantissa = Double(bitPattern: x.bitPattern & 0x000F_FFFF_FFFF_FFFF | 0x3FF0_0000_0000_0000)
    if mantissa > 1.414_213_562_373_095_1 {
      mantissa *= 0.5
      exponent += 1
    }
    let s = (mantissa - 1) / (mantissa + 1)
    let q = s * s
    var sum = 1.0 / 19
    sum = sum * q + 1.0 / 17
    sum = sum * q + 1.0 / 15
    sum = sum * q + 1.0 / 13
    sum = sum * q + 1.0 / 11
    sum = sum * q + 1.0 / 9
    sum = sum * q + 1.0 / 7
    sum = sum * q + 1.0 / 5
    sum = sum * q + 1.0 / 3
    sum = sum * q + 1
    return Double(exponent) * ln2 + 2 * s * sum
  }

  /// Cosine and sine of `turns` × 2π, 0 ≤ turns < 1.
  @inline(__always)
  package static func circle(_ turns: Double) -> (cosine: Double, sine: Double) {
    let quarter = (turns * 4).rounded(.toNearestOrEven)
    let r = (turns * 4 - quarter) * 1.570_796_326_794_896_6
    let q = r * r
    var sine = -1.0 / 1_307_674_368_000
    sine = sine * q + 1.0 / 6_227_020_800
    sine = sine * q - 1.0 / 39_916_800
    sine = sine * q + 1.0 / 362_880
    sine = sine * q - 1.0 / 5_040
    sine = sine * q + 1.0 / 120
    sine = sine * q - 1.0 / 6
    sine = (sine * q + 1) * r
    var cosine = 1.0 / 20_922_789_888_000
    cosine = cosine * q - 1.0 / 87_178_291_200
    cosine = cosine * q + 1.0 / 479_001_600
    cosine = cosine * q - 1.0 / 3_628_800
    cosine = cosine * q + 1.0 / 40_320
    cosine = cosine * q - 1.0 / 720
    cosine = cosine * q + 1.0 / 24
    cosine = cosine * q - 0.5
    cosine = cosine * q + 1
    switch Int(quarter) & 3 {
    case 0: return (cosine, sine)
    case 1: return (-sine, cosine)
    case 2: return (-cosine, -sine)
    default: return (sine, -cosine)
    }
  }
}
