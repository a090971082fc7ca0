// What a market takes on the disk, column by column, what checkpoints cost beside ingest, and how long the way back is. One
// JSON object a round and line; first the columns.
// Usage: Storage DIRECTORY [--events N] [--rounds N]     tools/bench runs it and prints the table.
//        Storage DIRECTORY first [--events N]            the first candles alone, of a larger market
//        Storage DIRECTORY killed [--events N]           takes a market in until it is killed (KilledRun)
// Not here: the journal alone (Durable).

internal import ContinuoMachine
internal import ContinuoMarket
internal import ContinuoStorage
internal import Foundation

let flags = BenchmarkFlags(["--events": 10_000_000, "--rounds": 5])
guard let directory = flags.names.first, flags.names.count == 1 || ["first", "killed"].contains(flags.names[1]) else {
  fatalError("usage: Storage DIRECTORY [first | killed] [--events N] [--rounds N]")
}
let market = Market(MarketShape(events: flags["--events"]))
if flags.names.last == "killed" {
  try StorageRun(directory, market).ingestUntilKilled()
  exit(1)
}
if flags.names.last == "first" {
  let run = StorageRun(directory + "/large", market)
  defer { try? FileManager.default.removeItem(atPath: run.path) }
  _ = try run.checkpoints()
  let first = try FirstCandles(run.path + "/full", tokens: 9)
  print("{\"events\":\(market.count),\"tail_ms\":\(first.median),\"tail_longest_ms\":\(first.longest)}")
  exit(0)
}
let columns = try ColumnSizes.of(market).map { "\"\($0.column)\":\($0.bits)" }.joined(separator: ",")
print("{\"bits_per_event\":{\(columns)}}")
_ = MachineHandle.touch(bytes: flags["--events"] * 120)
for round in 0..<flags["--rounds"] {
  let path = directory + "/round-\(round)"
  defer { try? FileManager.default.removeItem(atPath: path) }
  let run = StorageRun(path, market)
  let without = try run.ingest("without", checkpointBytes: nil)
  try? FileManager.default.removeItem(atPath: path + "/without")
  let with = try run.ingest("with", checkpointBytes: Ledger.Options().checkpointBytes)
  try? FileManager.default.removeItem(atPath: path + "/with")
  let checkpoints = try run.checkpoints()
  let behindJournal = try FirstCandles(path + "/full", tokens: 9)
  try run.checkpoint()
  let first = try FirstCandles(path + "/full", tokens: 9)
  let day = try FirstCandles(path + "/full", tokens: 9, hours: 24)
  let (restored, decode) = (try run.restore(), try run.decode())
  let killed = try KilledRun(path, events: market.count)
  print(
    """
    {"events":\(market.count),"raw_bytes_per_event":\(Double(restored.rawBytes) / Double(market.count)),\
    "state_bytes":\(restored.stateBytes),"without_per_second":\(without.perSecond),"with_per_second":\(with.perSecond),\
    "without_p999_ms":\(without.p999),"without_longest_ms":\(without.longest),"with_p999_ms":\(with.p999),\
    "with_longest_ms":\(with.longest),"full_bytes":\(checkpoints.full.bytes),"full_seconds":\(checkpoints.full.seconds),\
    "more_bytes":\(checkpoints.more.bytes),"more_seconds":\(checkpoints.more.seconds),\
    "first_ms":\(first.median),"first_longest_ms":\(first.longest),"first_cold":\(first.areCold),\
    "day_ms":\(day.median),\
    "tail_ms":\(behindJournal.median),"tail_longest_ms":\(behindJournal.longest),\
    "decode_seconds":\(decode),"ready_seconds":\(killed.readySeconds),"ready_journal_bytes":\(killed.journalBytes),\
    "restore_seconds":\(restored.seconds),"restore_busy_seconds":\(restored.busySeconds)}
    """)
}
