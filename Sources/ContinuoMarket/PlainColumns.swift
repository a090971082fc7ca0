// A market's rows copied into ten wide arrays and nothing else: what the machine can do at best with as many values.
// Invariant: every value that an engine is given of a row is in it, names as their numbers.
// Not here: what an engine makes of the rows.

package import Continuo

/// The values of rows in arrays as wide as the values are given.
package struct PlainColumns: Sendable {
  package private(set) var timestamps: [Timestamp] = []
  private var chains: [UInt32] = []
  private var blocks: [UInt64] = []
  private var logIndexes: [UInt32] = []
  private var tokens: [UInt32] = []
  private var wallets: [UInt32] = []
  private var sides: [UInt8] = []
  private var amounts: [Decimal18] = []
  private var money: [Decimal18] = []
  private var prices: [Decimal18] = []

  package init() {}

  /// Copies rows of a market, one after the other, over what was copied before; the memory stays. O(rows).
  package mutating func copy(_ rows: Range<Int>, of market: Market) {
    removeAll(reserving: rows.count)
    let columns = market.columns
    for row in rows {
      timestamps.append(market.timestamp(row))
      chains.append(Market.chain)
      blocks.append(market.block(row))
      logIndexes.append(columns.logIndexes[row])
      tokens.append(columns.tokens[row])
      wallets.append(columns.wallets[row])
      amounts.append(columns.amount(row))
      guard market.shape.kind == .swaps else { continue }
      sides.append(columns.sides[row])
      money.append(columns.money(row))
      prices.append(columns.price(row))
    }
  }

  private mutating func removeAll(reserving count: Int) {
    func empty<Value>(_ column: inout [Value]) {
      column.removeAll(keepingCapacity: true)
      column.reserveCapacity(count)
    }
    empty(&timestamps)
    empty(&chains)
    empty(&blocks)
    empty(&logIndexes)
    empty(&tokens)
    empty(&wallets)
    empty(&sides)
    empty(&amounts)
    empty(&money)
    empty(&prices)
  }
}
