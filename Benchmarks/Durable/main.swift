// What it costs that nothing acknowledged is lost: ingest through a ledger beside ingest in memory, many writers beside bare
// syncs, and bringing it all back. One JSON object a round and line.
// Usage: Durable DIRECTORY [--events N] [--rounds N] [--commits N]     tools/bench runs it and prints the table.
// Not here: ingest in memory on its own (`continuo load`).

internal import Continuo
internal import ContinuoMachine
internal import ContinuoMarket
internal import Foundation

var directory: String?
var events = 10_000_000
var rounds = 5
var commits = 20_000
var arguments = CommandLine.arguments.dropFirst()

func number(_ text: String?, after flag: String) -> Int {
  guard let number = text.flatMap({ Int($0) }), number > 0 else { fatalError("\(flag) needs a whole number over 0") }
  return number
}

while let argument = arguments.popFirst() {
  switch argument {
  case "--events": events = number(arguments.popFirst(), after: argument)
  case "--rounds": rounds = number(arguments.popFirst(), after: argument)
  case "--commits": commits = number(arguments.popFirst(), after: argument)
  default: directory = argument
  }
}
guard let directory else { fatalError("usage: Durable DIRECTORY [--events N] [--rounds N] [--commits N]") }

let market = Market(MarketShape(events: events))
_ = MachineHandle.touch(bytes: events * 120)
for round in 0..<rounds {
  let path = directory + "/round-\(round)"
  defer { try? FileManager.default.removeItem(atPath: path) }
  let memory = try DurableRun(path, market).inMemory()
  let durable = try DurableRun(path, market).ingest()
  let restored = try DurableRun(path, market).restore()
  let writers = try ManyWriters(path + "/writers", writers: 100, commits: commits).run()
  try? FileManager.default.removeItem(atPath: path)
  print(
    """
    {"events":\(events),"in_memory_per_second":\(memory),"durable_per_second":\(durable.rate),\
    "journal_bytes_per_event":\(durable.bytesPerEvent),"restored_per_second":\(restored),\
    "commits_per_second":\(writers.rate),"commit_p99_us":\(writers.p99),"bare_syncs_per_second":\(writers.bare)}
    """)
}
