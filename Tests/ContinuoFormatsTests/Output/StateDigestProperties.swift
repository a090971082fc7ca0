// The digest of an engine's answers against the model's own CSV of them.
// Invariant: the model writes its columns out a second time, on purpose.
// Not here: the hash itself (Bytes), single answers (ContinuoTests).

import Continuo
import ContinuoBytes
import ContinuoFormats
import ContinuoTestSupport
import Testing

@Suite("State digest")
struct StateDigestProperties {
  private static func digest(_ text: String) -> String {
    var hash = SHA256()
    hash.update(Array(text.utf8))
    return hash.finalize().map { byte in
      let digits = String(byte, radix: 16)
      return digits.count == 1 ? "0" + digits : digits
    }.joined()
  }

  /// Rules 1.1, 7.7, 10.3–10.5: after any operations, the digest is that of the model's CSV.
  @Test("The digest is SHA-256 of the model's CSV", arguments: Seeds.thisRun(60))
  func equalsTheModels(seed: UInt64) throws {
    let market = try RandomMarket(seed: seed)
    var trial = Trial(market.settings, price: market.shape.price, seed: seed)
    do {
      for operation in market.operations { try trial.perform(operation) }
      let expected = Self.digest(ModelAnswers(trial.model).stateCSV())
      let found = try StateDigest.hexadecimal(of: trial.engine)
      #expect(found == expected, "\(Seeds.replay(seed, "equalsTheModels"))")
    } catch {
      Issue.record("\(error)\n\(Seeds.replay(seed, "equalsTheModels"))")
    }
  }

  /// Rule 7.7: an engine that has seen nothing has a digest too: that of the headers.
  @Test("Nothing seen: the headers")
  func nothing() throws {
    let candles =
      "token,bucket,open,high,low,close,volume_usd,volume_token,buy_volume_usd,sell_volume_usd,trades,vwap,closed\n"
    let stats =
      "token,as_of,last_price_usd,volume_24h_usd,volume_24h_token,trades_24h,open_24h,high_24h,low_24h,change_24h,"
      + "change_24h_percent,holders,supply,market_cap_usd\n"
    let expected = Self.digest(String(repeating: candles, count: 7) + stats)
    #expect(try StateDigest.hexadecimal(of: Engine()) == expected)
  }

  /// Rule 7.7: it stands still while nothing happens, though candles close and windows empty as time passes.
  @Test("Time that passes does not change it; an event does")
  func standsStill() throws {
    let noon = try #require(Timestamp("2024-12-01T12:00:00Z"))
    var engine = Engine()
    var batch = EventBatch()
    batch.append(Swap(block: 1, timestamp: noon, token: "ART", amountUSD: .one, priceUSD: .one))
    batch.append(Transfer(block: 1, timestamp: noon, token: "ART", from: "", to: "alice", amount: .one))
    _ = try engine.apply(batch, wallClock: nil)
    let before = try StateDigest.hexadecimal(of: engine)
    engine.advanceClock(to: noon + 10 * 86_400_000_000)
    #expect(try StateDigest.hexadecimal(of: engine) == before)
    batch.removeAll()
    batch.append(Transfer(block: 2, timestamp: noon, token: "ART", from: "", to: "bob", amount: .one))
    _ = try engine.apply(batch, wallClock: nil)
    #expect(try StateDigest.hexadecimal(of: engine) != before)
    let undone = try engine.rollback(chain: 0, above: 1)
    #expect(undone == 1)
    #expect(try StateDigest.hexadecimal(of: engine) == before)
  }
}
