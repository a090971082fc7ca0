// Random numbers of the kinds that a market is drawn from, decided by a seed.
// Invariant: the same seed and purpose give the same numbers on every machine.
// Not here: what is drawn (SwapDraw, TransferDraw, Delivery).
// Sources: SplitMix64 (S. Vigna, public domain); normals by G. Box and M. Muller; the zeta distribution by L. Devroye
// (1986, X.6.1); picking by weight in one step by A. Walker and M. Vose.

/// SplitMix64, and what is made of it.
package struct RandomSource: RandomNumberGenerator, Sendable {
  /// What numbers are for. Each purpose has numbers of its own, so that one option of a market changes nothing else in it.
  package enum Purpose: UInt64, Sendable {
    case blocks = 1
    case tokens, values, wallets, digits, lateness, repeats, order, names, questions, demo, demoTokens, demoMoods
  }

  private var state: UInt64

  package init(seed: UInt64, for purpose: Purpose) {
    state = Self.mixed(seed &+ purpose.rawValue &* 0xD1B5_4A32_D192_ED03)
  }

  package mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    return Self.mixed(state)
  }

  private static func mixed(_ bits: UInt64) -> UInt64 {
    var bits = bits
    bits = (bits ^ (bits >> 30)) &* 0xBF58_476D_1CE4_E5B9
    bits = (bits ^ (bits >> 27)) &* 0x94D0_49BB_1331_11EB
    return bits ^ (bits >> 31)
  }

  /// A number in 0 ≤ x < 1.
  package mutating func unit() -> Double { Double(next() >> 11) * 0x1p-53 }

  /// A whole number in 0 ≤ x < bound.
  package mutating func below(_ bound: UInt64) -> UInt64 { next().multipliedFullWidth(by: bound).high }

  /// Two independent normal numbers of mean 0 and deviation 1.
  mutating func normals() -> (Double, Double) {
    let length = (-2 * Curves.ln(1 - unit())).squareRoot()
    let (cosine, sine) = Curves.circle(unit())
    return (length * cosine, length * sine)
  }
}

/// Whole numbers k ≥ 1 with a weight of k^-1.2 (the zeta distribution): who trades how often.
struct ZetaDistribution: Sendable {
  /// Up to which number the table goes.
  private static let tableMax = 1_024
  private static let exponentMinusOne = 0.2

  /// Below which second draw a number is taken, by the number.
  private let acceptance: [Double]
  private let limit: Double

  init() {
    let b = Curves.exp(Self.exponentMinusOne * Curves.ln(2))
    let bound = { (k: Double) -> Double in
      let t = Curves.exp(Self.exponentMinusOne * Curves.ln(1 + 1 / k))
      return t / b * (b - 1) / (k * (t - 1))
    }
    acceptance = (0...Self.tableMax).map { $0 == 0 ? 0 : bound(Double($0)) }
    limit = (b - 1) / (b * Self.exponentMinusOne)
  }

  /// Draws a number under 2^63.
  func draw(_ random: inout RandomSource) -> UInt64 {
    while true {
      let u = 1 - random.unit()
      let v = random.unit()
      let squared = u * u
      let x = (1 / (squared * squared * u)).rounded(.down)
      guard x < 9.2e18 else { continue }
      // Past the table the bound is within one thousandth of where it tends to.
      if x <= Double(Self.tableMax) ? v <= acceptance[Int(x)] : v <= limit { return UInt64(x) }
    }
  }
}

/// Places 0 ..< count, picked by weight in one step.
package struct WeightedPick: Sendable {
  private let share: [Double]
  private let other: [UInt32]

  /// Weights of (place + 1)^-exponent; an exponent of 0 picks uniformly. O(count).
  package init(count: Int, exponent: Double) {
    let weights = (0..<count).map { exponent == 0 ? 1 : Curves.exp(-exponent * Curves.ln(Double($0 + 1))) }
    let sum = weights.reduce(0, +)
    var share = weights.map { $0 / sum * Double(count) }
    var other = [UInt32](repeating: 0, count: count)
    var small = share.indices.filter { share[$0] < 1 }
    var large = share.indices.filter { share[$0] >= 1 }
    while let poor = small.popLast(), let rich = large.last {
      other[poor] = UInt32(rich)
      share[rich] -= 1 - share[poor]
      if share[rich] < 1 {
        large.removeLast()
        small.append(rich)
      }
    }
    // What is left is 1 but for rounding.
    for place in small + large { share[place] = 2 }
    self.share = share
    self.other = other
  }

  /// Picks a place. O(1).
  package func draw(_ random: inout RandomSource) -> Int {
    let place = Int(random.below(UInt64(share.count)))
    return random.unit() < share[place] ? place : Int(other[place])
  }
}
