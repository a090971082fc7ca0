// Tables of other names and types: what a mapping says, and what is read by it.
// Invariant: a mapping that could not work is refused in words that say where.
// Not here: the application's own tables (FollowerTests).

import Continuo
import ContinuoPostgres
import Foundation
import Testing

@Suite("Tables of other names")
struct MappingTests {
  private static let shop = """
    {"events": [{"kind": "swap", "schema": "shop", "table": "trades",
                 "columns": {"token": "coin", "chain": "network", "block": "height", "log_index": "nr", "timestamp": "at", "amount_usd": "usd", "token_amount": "coins"},
                 "only_column": "state", "only_value": "final"},
                {"kind": "transfer", "table": "moves", "amount_scale": 18,
                 "columns": {"token": "coin", "chain": "network", "block": "height", "log_index": "nr", "timestamp": "at", "from": "a", "to": "b", "amount": "raw"}}]}
    """

  /// Rule 20.1: other tables and names are a few lines; those of the documentation are these.
  @Test("The documentation's example is a mapping; others say what is wrong with them")
  func read() throws {
    let page = try String(contentsOf: Schema.root.appending(path: "docs/postgres.md"), encoding: .utf8)
    let example = try #require(
      page.components(separatedBy: "```json\n").dropFirst().first?.components(separatedBy: "```").first)
    let mapping = try TableMapping(json: Array(example.utf8))
    #expect(try mapping == TableMapping(json: Array(Self.shop.utf8)))
    #expect(mapping.events.map(\.title) == ["shop.trades", "public.moves"])
    #expect(mapping.events[1].amountScale == 18 && mapping.tokens == TokenTable())
    for (part, other, wanted) in [
      ("\"swap\"", "\"swop\"", "swop"), ("\"amount_usd\"", "\"amount_eur\"", "amount_eur"), ("\"height\"", "7", "JSON"),
      ("\"token\": \"coin\", ", "", "token"), (", \"only_value\": \"final\"", "", "only_value"), (": 18", ": 99", "99"),
    ] {
      let text = Self.shop.replacingOccurrences(of: part, with: other)
      do {
        _ = try TableMapping(json: Array(text.utf8))
        Issue.record("\(other) was taken")
      } catch { #expect(error.description.contains(wanted), "\(error)") }
    }
    // A table's number is one byte in the file of keys.
    for (count, isTaken) in [(255, true), (256, false)] {
      let tables = (0..<count).map { number in
        #"{"kind": "transfer", "table": "t\#(number)", "columns": {"token": "a", "chain": "b", "block": "c", "log_index": "d", "timestamp": "e", "from": "f", "to": "g", "amount": "h"}}"#
      }
      let text = #"{"events": [\#(tables.joined(separator: ","))]}"#
      if isTaken {
        #expect(try TableMapping(json: Array(text.utf8)).events.count == count)
      } else {
        #expect(throws: InvalidMapping("256 tables of events are named, and 255 is the most")) {
          try TableMapping(json: Array(text.utf8))
        }
      }
    }
  }

  #if Postgres
    /// Rule 20.1: values of every type that a column may have are read as what they are, raw units divided.
    @Test("Followed as they are mapped")
    func followed() throws {
      let cluster = try Cluster.shared.get()
      let name = try cluster.database(withTables: true)
      let server = try cluster.connection(name)
      try server.script(
        """
        create schema shop;
        create table shop.trades (nr int4, height int8, network int2, coin text, usd int8, coins numeric, state varchar, at timestamptz,
          primary key (network, height, nr));
        create table moves (id uuid primary key default gen_random_uuid(), coin varchar, network int4, height int8, nr int4, at timestamptz,
          a text, b text, raw numeric(78, 0));
        insert into shop.trades values (0, 1, 7, 'Gold', 30, 4, 'final', '2024-12-01 10:00+00'), (1, 1, 7, 'Gold', 90, 4, 'draft', '2024-12-01 10:00+00');
        insert into moves (coin, network, height, nr, at, a, b, raw) values ('Gold', 7, 1, 0, '2024-12-01 10:00+00', '', 'me', 2500000000000000000)
        """)
      var options = Follower.Options(try cluster.target(name), wallClock: wallClock)
      (options.name, options.mapping, options.statusMicroseconds) = (
        name, try TableMapping(json: Array(Self.shop.utf8)), 100_000
      )
      let folder = try Folder()
      let following = try Following(options, directory: folder.path + "/data")
      func wait(_ candles: [String], _ balances: [String]) throws {
        let end = ContinuousClock.now + .seconds(20)
        while following.ledger.hourCandles != candles || following.ledger.balances != balances {
          try #require(
            ContinuousClock.now < end,
            "\(following.ledger.hourCandles) \(following.ledger.balances) \(following.status)")
          usleep(10_000)
        }
      }
      let hour = "Gold 1733047200"
      try wait(["\(hour) 7.5 7.5 7.5 7.5 30 4 0 1"], ["Gold me 2.5"])
      try server.script(
        "update shop.trades set state = 'final' where nr = 1; insert into moves (coin, network, height, nr, at, a, b, raw) values ('Gold', 7, 2, 0, '2024-12-01 10:01+00', 'me', 'you', 1)"
      )
      try wait(
        ["\(hour) 7.5 22.5 7.5 22.5 120 8 0 2"], ["Gold me 2.499999999999999999", "Gold you 0.000000000000000001"])
      try server.script(
        "delete from shop.trades where nr = 0; update moves set raw = 500000000000000000 where height = 2")
      try wait(["\(hour) 22.5 22.5 22.5 22.5 90 4 0 1"], ["Gold me 2", "Gold you 0.5"])
    }
  #endif
}
