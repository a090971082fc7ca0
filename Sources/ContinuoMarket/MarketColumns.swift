// The values of a market's events, a column a field.
// Invariant: all columns that are used have one length; amounts and prices count 10^-8 and are over zero.
// Not here: what decides the values (SwapDraw, TransferDraw), which order they are put in (Delivery).

internal import Continuo

struct MarketColumns: Sendable {
  /// The mark of the zero address among wallets and takers.
  static let nobody = UInt32.max
  private static let unitsPerCount: Int64 = 10_000_000_000

  /// Counted from the market's first block.
  var blocks: [UInt32] = []
  var logIndexes: [UInt32] = []
  var tokens: [UInt32] = []
  /// A swap's wallet, a transfer's giver.
  var wallets: [UInt32] = []
  /// A transfer's taker.
  var takers: [UInt32] = []
  /// 0 buys, 1 sells.
  var sides: [UInt8] = []
  var prices: [Int64] = []
  var amounts: [Int64] = []
  var money: [Int64] = []
  /// Digits nine to eighteen, 1 ..< 10^10, where the market has them.
  var amountDigits: [Int64] = []
  var moneyDigits: [Int64] = []

  @inline(__always)
  func price(_ row: Int) -> Decimal18 { Self.decimal(prices[row], 0) }

  @inline(__always)
  func amount(_ row: Int) -> Decimal18 { Self.decimal(amounts[row], amountDigits.isEmpty ? 0 : amountDigits[row]) }

  @inline(__always)
  func money(_ row: Int) -> Decimal18 { Self.decimal(money[row], moneyDigits.isEmpty ? 0 : moneyDigits[row]) }

  @inline(__always)
  private static func decimal(_ count: Int64, _ digits: Int64) -> Decimal18 {
    // Both are not negative, and far from the end of 128 bits.
    let product = count.multipliedFullWidth(by: unitsPerCount)
    return Decimal18(units: (Int128(product.high) &<< 64 | Int128(product.low)) &+ Int128(digits))
  }

  /// Puts the rows in another order, in which a row may stand more than once. O(rows).
  mutating func arrange(_ order: [UInt32]) {
    func arrange<Value>(_ column: inout [Value]) {
      guard !column.isEmpty else { return }
      let arranged = order.map { column[Int($0)] }
      column = arranged
    }
    arrange(&blocks)
    arrange(&logIndexes)
    arrange(&tokens)
    arrange(&wallets)
    arrange(&takers)
    arrange(&sides)
    arrange(&prices)
    arrange(&amounts)
    arrange(&money)
    arrange(&amountDigits)
    arrange(&moneyDigits)
  }
}
