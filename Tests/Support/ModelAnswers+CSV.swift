// The model's own CSV, as `state_digest` hashes it: candles at every interval, statistics, holders.
// Invariant: the columns of rule 10.5, written out here a second time on purpose.
// Not here: the hash itself; the engine's CSV (ContinuoFormats).

import Continuo

extension ModelAnswers {
  /// The text whose SHA-256 is `state_digest` (rule 7.7).
  package func stateCSV() -> String {
    let clock = model.newest ?? Timestamp(microseconds: 0)
    var lines: [String] = []
    for interval in Interval.allCases {
      lines.append(
        "token,bucket,open,high,low,close,volume_usd,volume_token,buy_volume_usd,sell_volume_usd,trades,vwap,closed")
      for token in tokens {
        for candle in candles(token, CandleQuery(interval), clock: clock) {
          lines.append(Self.quoted(token) + "," + Self.line(candle))
        }
      }
    }
    lines.append(
      "token,as_of,last_price_usd,volume_24h_usd,volume_24h_token,trades_24h,open_24h,high_24h,low_24h,change_24h,"
        + "change_24h_percent,holders,supply,market_cap_usd")
    for token in tokens {
      if let statistics = try? statistics(token, asOf: clock, clock: clock) { lines.append(Self.line(statistics)) }
    }
    for token in tokens {
      lines.append("rank,address,balance,share_percent")
      for (index, holder) in holders(token).enumerated() {
        let balance = Self.cell(ModelNumber.fitted(holder.balance))
        lines.append("\(index + 1),\(Self.quoted(holder.address)),\(balance),\(Self.cell(holder.sharePercent))")
      }
    }
    return lines.map { $0 + "\n" }.joined()
  }

  private static func line(_ candle: ModelCandle) -> String {
    let prices = candle.prices.isEmpty ? ["", "", "", ""] : candle.prices.map { cell($0) }
    let volumes = [candle.volumeUSD, candle.volumeToken, candle.buyVolumeUSD, candle.sellVolumeUSD]
    let cells =
      [ModelCalendar.text(candle.bucket)] + prices + volumes.map { cell(ModelNumber.fitted($0)) }
      + [String(candle.trades), cell(candle.vwap), candle.isClosed ? "true" : "false"]
    return cells.joined(separator: ",")
  }

  private static func line(_ statistics: ModelStatistics) -> String {
    let window = statistics.window
    let cells = [
      quoted(statistics.token), ModelCalendar.text(window.asOf), cell(window.last),
      cell(ModelNumber.fitted(window.volumeUSD)), cell(ModelNumber.fitted(window.volumeToken)),
      String(window.trades), cell(window.open), cell(window.high), cell(window.low), cell(window.change),
      cell(window.changePercent), statistics.holders.map { String($0) } ?? "",
      cell(statistics.supply.flatMap { ModelNumber.fitted($0) }), cell(statistics.marketCapUSD),
    ]
    return cells.joined(separator: ",")
  }

  private static func cell(_ value: Decimal18?) -> String { value.map { ModelNumber.text($0) } ?? "" }

  /// RFC 4180: quotes only where they are needed.
  private static func quoted(_ name: ByteString) -> String {
    let text = String(decoding: name.bytes, as: UTF8.self)
    guard name.bytes.contains(where: { "\",\r\n".utf8.contains($0) }) else { return text }
    return "\"" + text.split(separator: "\"", omittingEmptySubsequences: false).joined(separator: "\"\"") + "\""
  }
}
