// The engine's answers in the model's words, so that the two can be compared field by field.
// Invariant: only copies values; computes nothing that the engine should have computed.
// Not here: the comparison (Trial).

package import Continuo

extension BigInteger {
  package init(_ sum: ExactSum) {
    self.init(high: sum.high, low: UInt128(sum.middle) << 64 | UInt128(sum.low))
  }
}

extension ModelCandle {
  package init(_ row: CandleRow) {
    self.init(bucket: row.bucket, isClosed: row.isClosed)
    if let candle = row.candle {
      prices = [candle.open, candle.high, candle.low, candle.close]
      (openKey, closeKey) = (candle.openKey, candle.closeKey)
      (volumeUSD, volumeToken) = (BigInteger(candle.volumeUSD), BigInteger(candle.volumeToken))
      (buyVolumeUSD, sellVolumeUSD) = (BigInteger(candle.buyVolumeUSD), BigInteger(candle.sellVolumeUSD))
      trades = candle.trades
      vwap = candle.vwap
    } else if let close = row.previousClose {
      prices = [close, close, close, close]
    }
  }
}

extension ModelWindow {
  package init(_ window: WindowStatistics) {
    self.init(
      asOf: window.asOf, volumeUSD: BigInteger(window.volumeUSD), volumeToken: BigInteger(window.volumeToken),
      buyVolumeUSD: BigInteger(window.buyVolumeUSD), sellVolumeUSD: BigInteger(window.sellVolumeUSD),
      trades: window.trades, open: window.open, high: window.high, low: window.low, last: window.last,
      change: window.change, changePercent: window.changePercent)
  }
}

extension ModelTraders {
  package init(_ traders: WindowTraders) {
    self.init(
      buys: traders.buys, sells: traders.sells, traders: traders.traders, buyers: traders.buyers,
      sellers: traders.sellers)
  }
}

extension ModelHolder {
  package init(_ holder: Holder) {
    self.init(
      address: holder.address, balance: BigInteger(holder.balance), sharePercent: holder.sharePercent)
  }
}

extension ModelStatistics {
  package init(_ statistics: TokenStatistics, name: ByteString) {
    self.init(
      token: name, window: ModelWindow(statistics.window), holders: statistics.holders,
      supply: statistics.supply.map { BigInteger($0) }, marketCapUSD: statistics.marketCapUSD)
  }
}

extension ModelExplanation {
  package init(_ explanation: Explanation) {
    self.init(role: explanation.role, price: explanation.price, key: explanation.key)
  }
}

extension ModelInspection {
  package init(_ inspection: Inspection) {
    self.init(
      swaps: inspection.swaps, transfers: inspection.transfers, first: inspection.first, tokens: inspection.tokens,
      addresses: inspection.addresses, newest: inspection.newest, clock: inspection.clock,
      horizon: inspection.horizon, negativeBalances: inspection.negativeBalances,
      incompleteTokens: inspection.incompleteTokens)
  }
}

extension ModelReceipt {
  package init(_ receipt: Receipt) {
    self.init(
      accepted: receipt.accepted, duplicates: receipt.duplicates, undone: receipt.undone, notFound: receipt.notFound,
      rejections: receipt.rejections.map { ModelRejection(line: $0.line, reason: $0.reason) })
  }
}

extension MarketAnswers where Self: ~Copyable {
  /// A token's candles in the model's words.
  package func candleAnswers(
    _ token: TokenID, _ query: CandleQuery, clock: Timestamp? = nil
  ) -> [ModelCandle] {
    var rows: [ModelCandle] = []
    var expected: [Bar] = []
    forEachCandle(of: token, query, clock: clock) {
      rows.append(ModelCandle($0))
      expected.append(Bar($0))
    }
    var bars: [Bar] = []
    forEachBar(of: token, query, clock: clock) { bars.append($0) }
    // Bars are read another way: where they differ there is no answer that could be right.
    return bars == expected ? rows : []
  }
}
