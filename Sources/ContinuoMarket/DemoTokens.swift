// The tokens of the demo's market: invented names that say what they are, and what each is like.
// Invariant: the same seed gives the same tokens; each name ends in `.demo`; first prices lie from 10^-6 to 10^3.
// Not here: what happens to them (DemoMarket).

package import Continuo

package enum DemoTokens {
  /// What every name ends in, so that nobody takes one for a token that can be bought.
  package static let suffix = ".demo"

  /// The names, the most popular first.
  package static let names: [ByteString] = [
    "Velvet-Harbor", "Copper-Lantern", "Paper-Comets", "Northlight-Choir", "Salt-Meridian", "Glass-Orchard",
    "Ember-Parade", "Tin-Carousel", "Indigo-Ferry", "Quiet-Engines", "Marble-Foxes", "Winter-Escalator",
    "Saffron-Static", "Lunar-Mechanics", "Cedar-Telegraph", "Moth-Cathedral", "Cobalt-Picnic", "Silver-Kiosk",
    "Amber-Gasworks", "Thistle-and-Wire", "Neon-Almanac", "Rust-Ballet", "Oracle-Bicycle", "Feral-Pianos",
    "Plum-Observatory", "Sixth-Tide", "Granite-Lullaby", "Ivory-Turbine", "Kite-Republic", "Pixel-Monsoon",
    "Opal-Freight", "Tundra-Disco", "Walnut-Radio", "Zinc-Nocturne", "Lemon-Parallax", "Hollow-Cartography",
  ].map { ByteString($0 + suffix) }

  /// By which exponent popularity falls from one to the next.
  package static let popularityExponent = 0.85

  /// What a token is like.
  struct Character: Sendable {
    /// The logarithm of the price that it wanders about.
    let home: Double
    /// The deviation of a day's price, as a share.
    let dailyDeviation: Double
    /// How many there are at first.
    let supply: Decimal18
  }

  private static let ln10 = 2.302_585_092_994_046
  private static let exponents = -6.0...3.0
  /// What the most popular token is worth at first, in dollars.
  private static let largestWorth = 2e7

  /// Draws what each token is like. O(tokens).
  static func characters(seed: UInt64) -> [Character] {
    var random = RandomSource(seed: seed, for: .demoTokens)
    // Each has a part of the range of prices for itself, so that both ends are there whatever the seed.
    var parts = Array(names.indices)
    for index in stride(from: parts.count - 1, to: 0, by: -1) {
      parts.swapAt(index, Int(random.below(UInt64(index + 1))))
    }
    let width = (exponents.upperBound - exponents.lowerBound) / Double(names.count)
    return parts.enumerated().map { rank, part in
      let home = (exponents.lowerBound + width * (Double(part) + random.unit())) * ln10
      let (scatter, _) = random.normals()
      let worth = largestWorth * Curves.exp(-1.1 * Curves.ln(Double(rank + 1)) + 0.4 * scatter)
      let supply = RoundedDecimal.nearest(worth / Curves.exp(home), digits: 3)
      return Character(
        home: home, dailyDeviation: 0.04 + 0.1 * random.unit() + 0.002 * Double(rank), supply: supply)
    }
  }
}

/// Decimals as people quote them: a few digits that count.
enum RoundedDecimal {
  /// The decimal of so many significant digits nearest to a number from 10^-12 to 10^18. O(1).
  static func nearest(_ number: Double, digits: Int) -> Decimal18 {
    let number = max(1e-12, min(1e18, number))
    let exponent = Int((Curves.ln(number) / 2.302_585_092_994_046).rounded(.down)) + 1 - digits
    let scaled = exponent >= 0 ? number / power(exponent) : number * power(-exponent)
    let count = Int128(max(1, scaled.rounded(.toNearestOrEven)))
    let places = exponent + 18
    guard places >= 0 else { return Decimal18(units: max(1, count / Int128(PowersOfTen.value(-places)))) }
    return Decimal18(units: count * Int128(PowersOfTen.value(places)))
  }

  /// 10^exponent; exact up to 22.
  private static func power(_ exponent: Int) -> Double { (0..<exponent).reduce(1.0) { power, _ in power * 10 } }
}
