// What it costs that nothing acknowledged is lost: ingest through a ledger beside ingest in memory, many writers beside bare
// syncs, and bringing it all back. One JSON object a round and line.
// Usage: Durable DIRECTORY [--events N] [--rounds N] [--commits N]     tools/bench runs it and prints the table.
// Not here: ingest in memory on its own (`continuo load`).

internal import Continuo
internal import ContinuoMachine
internal import ContinuoMarket
internal import Foundation

let flags = BenchmarkFlags(["--events": 10_000_000, "--rounds": 5, "--commits": 20_000])
guard let directory = flags.names.first else {
  fatalError("usage: Durable DIRECTORY [--events N] [--rounds N] [--commits N]")
}
let events = flags["--events"]

let market = Market(MarketShape(events: events))
_ = MachineHandle.touch(bytes: events * 120)
for round in 0..<flags["--rounds"] {
  let path = directory + "/round-\(round)"
  defer { try? FileManager.default.removeItem(atPath: path) }
  let memory = try DurableRun(path, market).inMemory()
  let durable = try DurableRun(path, market).ingest()
  let restored = try DurableRun(path, market).restore()
  let writers = try ManyWriters(path + "/writers", writers: 100, commits: flags["--commits"]).run()
  try? FileManager.default.removeItem(atPath: path)
  print(
    """
    {"events":\(events),"in_memory_per_second":\(memory),"durable_per_second":\(durable.rate),\
    "journal_bytes_per_event":\(durable.bytesPerEvent),"restored_per_second":\(restored),\
    "commits_per_second":\(writers.rate),"commit_p99_us":\(writers.p99),"bare_syncs_per_second":\(writers.bare)}
    """)
}
