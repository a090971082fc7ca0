// How long single answers and undoings take in an engine that holds a whole market, each beside a floor: what the machine
// needs to copy or find as much. One JSON object a row and line: the percentiles of each round.
// Usage: Latencies [--events N] [--rounds N] [--calls N] [ROW...]     tools/bench runs it and prints the table.
// Not here: rates and memory of ingest (`continuo load`).

internal import Continuo
internal import ContinuoMachine
internal import ContinuoMarket

let flags = BenchmarkFlags(["--events": 10_000_000, "--rounds": 5, "--calls": 20_000])
let (names, calls) = (flags.names, flags["--calls"])
let unknown = names.filter { !LatencyRow.names.contains($0) }
guard unknown.isEmpty else { fatalError("no such row: \(unknown); there are \(LatencyRow.names)") }

var bench = try Bench(Market(MarketShape(events: flags["--events"])))
for row in LatencyRow.all where names.isEmpty || names.contains(row.name) {
  var results: [LatencySamples] = []
  for round in 0..<flags["--rounds"] {
    results.append(try row.measure(&bench, LatencyRow.Round(number: round, calls: max(1, calls / row.costs))))
  }
  print(row.json(results))
}
// What was read goes somewhere, so that no read can be left out.
print("{\"row\":\"checksum\",\"value\":\(bench.seen)}")
