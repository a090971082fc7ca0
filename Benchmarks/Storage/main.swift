// What a market takes on the disk, column by column beside its entropy, and how fast it is written and read.
// Usage: Storage [--events N] [--hours N]     tools/bench runs it and prints the table.
// Not here: the journal (Durable).

internal import Continuo
internal import ContinuoMachine
internal import ContinuoMarket
internal import ContinuoStorage
internal import Foundation

let flags = BenchmarkFlags(["--events": 10_000_000, "--hours": 4])
let events = flags["--events"]
let market = Market(MarketShape(events: events))
var engine = Engine()
var batch = EventBatch()
for rows in market.batches(of: 10_000) {
  batch.removeAll()
  market.append(rows, to: &batch)
  _ = try engine.apply(batch, wallClock: nil)
}
let length = Int64(flags["--hours"]) * 3_600_000_000
guard let first = engine.inspection().first, let newest = engine.newest else { fatalError("no events") }
var start = Timestamp(microseconds: first.microseconds / length * length)
var last = LastPrices()
var columns: [GroupColumn: Int] = [:]
var (count, bytes, collecting, packing, reading) = (0, 0, 0.0, 0.0, 0.0)
func seconds<Answer>(_ sum: inout Double, _ body: () throws -> Answer) rethrows -> Answer {
  let start = MachineHandle.nanoseconds
  defer { sum += Double(MachineHandle.nanoseconds - start) / 1e9 }
  return try body()
}
while start <= newest {
  let next = start + length
  var swaps = seconds(&collecting) { engine.heldSwaps(from: start, before: next) }
  seconds(&collecting) {
    swaps.sort { ($0.key.chain, $0.key.block, $0.key.logIndex) < ($1.key.chain, $1.key.block, $1.key.logIndex) }
  }
  for place in stride(from: 0, to: swaps.count, by: GroupHead.eventsMax) {
    let group = swaps[place..<min(place + GroupHead.eventsMax, swaps.count)]
    let packed = seconds(&packing) { GroupColumns(group, from: start, &last) }
    for (column, own) in packed.bytes { columns[column, default: 0] += own.count + 16 }
    bytes += packed.bytes.values.reduce(0) { $0 + $1.count + 16 }
    var file: [UInt8] = []
    var places: [GroupColumn: Range<Int>] = [:]
    for (column, own) in packed.bytes {
      places[column] = file.count..<file.count + own.count
      file += own
    }
    let read = try seconds(&reading) {
      try GroupReader(packed.head, from: start).swaps(file.span, { places[$0] ?? 0..<0 }, &last)
    }
    precondition(read == Array(group))
    count += group.count
  }
  start = next
}
for column in GroupColumn.allCases {
  print(column, Double(columns[column, default: 0]) * 8 / Double(count), "bits")
}
print(
  """
  {"events":\(count),"bytes_per_event":\(Double(bytes) / Double(count)),"collected_per_second":\(Double(count) / collecting),\
  "packed_per_second":\(Double(count) / packing),"read_per_second":\(Double(count) / reading)}
  """)
