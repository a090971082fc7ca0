// Where the prices of the demo's tokens are: they wander, are drawn home slowly, and have moods that last some hours.
// Invariant: a price stays within a factor of twelve of its home; moves depend on the seed, the time that passed and what was
// drawn, and on nothing else.
// Not here: who trades how much (DemoMarket).

internal import Continuo

struct DemoPrices: Sendable {
  private struct Walk: Sendable {
    var logarithm: Double
    var at: Int64
    /// Which mood it is in, and how strongly that pulls.
    var moodNumber: Int64 = .min
    var pull = 0.0
  }

  private static let dayMicroseconds = 86_400_000_000.0
  private static let moodMicroseconds: Int64 = 25_200_000_000
  /// Which share of the way home it is drawn in a day.
  private static let homesickness = 0.08
  private static let distanceMax = 2.5
  /// Half of what lies between what buyers pay and sellers get, as a share.
  private static let halfSpread = 0.0012
  private static let moveMax = 0.4

  private let seed: UInt64
  private let characters: [DemoTokens.Character]
  private var walks: [Walk]

  init(seed: UInt64, _ characters: [DemoTokens.Character], from start: Timestamp) {
    (self.seed, self.characters) = (seed, characters)
    walks = characters.map { Walk(logarithm: $0.home, at: start.microseconds) }
  }

  /// Puts a token's price where it is found. O(1).
  mutating func set(_ token: Int, _ price: Decimal18, at instant: Timestamp) {
    walks[token].logarithm = Curves.ln(max(1e-18, Double(price.units) / 1e18))
    walks[token].at = instant.microseconds
  }

  /// Forgets how much time has passed since the last trade. O(1).
  mutating func wait(_ token: Int, until instant: Timestamp) { walks[token].at = instant.microseconds }

  /// How strongly a token's mood pulls now; over zero is up. O(1).
  mutating func pull(_ token: Int, at instant: Timestamp) -> Double {
    let number = instant.microseconds / Self.moodMicroseconds
    if walks[token].moodNumber != number {
      var random = RandomSource(
        seed: seed &+ UInt64(token) &* 0xA24B_AED4_963E_E407 &+ UInt64(bitPattern: number), for: .demoMoods)
      walks[token].moodNumber = number
      walks[token].pull = random.normals().0
    }
    return walks[token].pull
  }

  /// Moves a token's price by the time that has passed, and by a jump; the price in the middle. O(1).
  mutating func move(_ token: Int, to instant: Timestamp, normal: Double, jump: Double) -> Double {
    let character = characters[token]
    let days = max(0, Double(instant.microseconds - walks[token].at)) / Self.dayMicroseconds
    let pull = pull(token, at: instant)
    let deviation = character.dailyDeviation
    var move = deviation * days.squareRoot() * normal + 1.6 * deviation * pull * days + jump
    move -= Self.homesickness * days * (walks[token].logarithm - character.home)
    let moved = walks[token].logarithm + max(-Self.moveMax, min(Self.moveMax, move))
    walks[token].logarithm = max(
      character.home - Self.distanceMax, min(character.home + Self.distanceMax, moved))
    walks[token].at = instant.microseconds
    return Curves.exp(walks[token].logarithm)
  }

  /// What a buyer pays, or a seller gets, where the middle is known; `luck` is 0 to 1. O(1).
  static func quoted(_ middle: Double, _ side: Side, luck: Double) -> Decimal18 {
    let share = halfSpread * (0.3 + luck) * (side == .buy ? 1 : -1)
    return RoundedDecimal.nearest(middle * (1 + share), digits: 6)
  }
}
