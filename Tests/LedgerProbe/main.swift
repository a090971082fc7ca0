// A writer to be killed: it takes numbered steps into a data directory and says of each that it is acknowledged; and what is
// there afterwards.
// Usage: LedgerProbe write DIRECTORY sync|os|none        prints the number of each step that is acknowledged, one a line
//        LedgerProbe check DIRECTORY N                   prints how many steps are there, N at least, and the bytes that were cut
// Not here: killing it (tools/crash).

internal import Continuo
internal import ContinuoBytes
internal import ContinuoFormats
internal import ContinuoStorage
internal import Foundation

/// The events of a step: some swaps, and every seventh time the retraction of one before.
func step(_ number: Int) -> EventBatch {
  var batch = EventBatch()
  for index in 0..<(number % 37 + 1) {
    let time = Timestamp(microseconds: 1_730_419_200_000_000 + Int64(number) * 1_000_000)
    batch.append(
      Swap(
        block: UInt64(number), logIndex: UInt32(index), timestamp: time, token: ByteString("T\(index % 5)"),
        side: index % 2 == 0 ? .buy : .sell, amountUSD: Decimal18(whole: Int64(index + 1)),
        priceUSD: Decimal18(whole: Int64(number % 100 + 1)), wallet: ByteString("wallet \(number * 37 + index)")))
  }
  if number % 7 == 6 { batch.retract(EventIdentity(kind: .swap, block: UInt64(number - 3))) }
  return batch
}

/// How many steps an engine has taken, if it took a first part of them and nothing else.
func steps(_ engine: borrowing Engine) throws -> Int? {
  guard let newest = engine.newest else { return engine.tokens().isEmpty ? 0 : nil }
  let count = Int((newest.microseconds - 1_730_419_200_000_000) / 1_000_000) + 1
  var expected = Engine()
  for number in 0..<count { try expected.apply(step(number), wallClock: nil) }
  let isSame = try StateDigest.hexadecimal(of: engine) == StateDigest.hexadecimal(of: expected)
  return isSame ? count : nil
}

struct Wrong: Error, CustomStringConvertible {
  let description: String
}

/// Takes steps for ever.
func write(_ path: String, _ durability: Durability) throws {
  let ledger = try Ledger(path: path, Ledger.Options(durability: durability))
  let output = DescriptorHandle.standardOutput
  // Steps are numbered by what is there.
  var number = 0
  var reader = ledger.publication().reader()
  if let newest = reader.read({ $0.newest }) {
    number = Int((newest.microseconds - 1_730_419_200_000_000) / 1_000_000) + 1
  }
  try output.write(Array("open \(number)\n".utf8))
  while true {
    _ = try ledger.take(step(number), wallClock: nil)
    try output.write(Array("\(number)\n".utf8))
    number += 1
  }
}

/// Says how many steps are there, and how many bytes were cut.
func check(_ path: String, least: Int) throws -> String {
  let read: ReadDirectory
  do throws(StorageFailure) {
    read = try ReadDirectory(path: path)
  } catch {
    // Killed before it was there at all.
    if case .missing = error, least == 0 { return "0 0" }
    throw error
  }
  guard let count = try steps(read.engine) else {
    throw Wrong(description: "what is there is no first part of the steps")
  }
  guard count >= least else { throw Wrong(description: "\(count) steps are there, \(least) were acknowledged") }
  return "\(count) \(read.restored.tornTailBytes)"
}

let arguments = CommandLine.arguments
do {
  if arguments.count == 4, arguments[1] == "write", let durability = Durability(rawValue: arguments[3]) {
    try write(arguments[2], durability)
  } else if arguments.count == 4, arguments[1] == "check", let least = Int(arguments[3]) {
    print(try check(arguments[2], least: least))
  } else {
    throw Wrong(description: "usage: LedgerProbe write DIRECTORY sync|os|none, or LedgerProbe check DIRECTORY N")
  }
} catch {
  try DescriptorHandle.standardError.write(Array("LedgerProbe: \(error)\n".utf8))
  exit(1)
}
