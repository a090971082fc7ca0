// A writer to be killed: it takes numbered steps into a data directory and says of each that it is acknowledged; and what is
// there afterwards.
// Usage: LedgerProbe write DIRECTORY sync|os|none [STEPS [AHEAD]]
//            prints the number of each step that is acknowledged, one a line; takes STEPS of them (0: for ever), and offers
//            AHEAD of them before it waits for the first
//        LedgerProbe check DIRECTORY N     prints how many steps are there, N at least, and the bytes that were cut
//        LedgerProbe open DIRECTORY        opens it for writing, takes nothing, and prints how many steps are there, and 0
//        LedgerProbe replay N              takes N steps in memory, and prints the same
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

/// The number of the step that follows: steps are numbered by what is there.
func following(_ newest: Timestamp?) -> Int {
  newest.map { Int(($0.microseconds - 1_730_419_200_000_000) / 1_000_000) + 1 } ?? 0
}

/// How many steps an engine has taken, if it took a first part of them and nothing else.
func steps(_ engine: borrowing Engine) throws -> Int? {
  guard let newest = engine.newest else { return engine.tokens().isEmpty ? 0 : nil }
  let count = following(newest)
  var expected = Engine()
  for number in 0..<count { try expected.apply(step(number), wallClock: nil) }
  let isSame = try StateDigest.hexadecimal(of: engine) == StateDigest.hexadecimal(of: expected)
  return isSame ? count : nil
}

struct Wrong: Error, CustomStringConvertible {
  let description: String
}

/// Takes steps: so many, or for ever; `ahead` of them are offered before the first is waited for.
func write(_ path: String, _ durability: Durability, steps: Int, ahead: Int) throws {
  let ledger = try Ledger(path: path, Ledger.Options(durability: durability))
  let output = DescriptorHandle.standardOutput
  var reader = ledger.publication().reader()
  var number = following(reader.read { $0.newest })
  try output.write(Array("open \(number)\n".utf8))
  let end = steps > 0 ? number + steps : .max
  var offered: [OfferedBatch] = []
  var next = number
  while number < end {
    while next < end, offered.count < ahead {
      offered.append(try ledger.offer(step(next), wallClock: nil))
      next += 1
    }
    do {
      _ = try offered.removeFirst().receipt()
    } catch {
      try requireEnd(of: ledger, offered, after: error, at: next)
      throw error
    }
    try output.write(Array("\(number)\n".utf8))
    number += 1
  }
}

/// A failure is final: what was offered before it was seen, and a step that is offered now, fail as it did.
func requireEnd(of ledger: Ledger, _ offered: [OfferedBatch], after failure: any Error, at next: Int) throws {
  guard let failure = failure as? StorageFailure, case .poisoned = failure else { return }
  for answer in offered + [try ledger.offer(step(next), wallClock: nil)] {
    do { _ = try answer.receipt() } catch let other as StorageFailure where other == failure { continue }
    throw Wrong(description: "a step was acknowledged behind a failure: \(failure)")
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

/// Opens a directory for writing, and says how far it is.
func open(_ path: String) throws -> String {
  let ledger = try Ledger(path: path)
  var reader = ledger.publication().reader()
  return "\(following(reader.read { $0.newest })) 0"
}

/// Takes so many steps in memory, and says how far that is.
func replay(_ count: Int) throws -> String {
  var engine = Engine()
  for number in 0..<count { try engine.apply(step(number), wallClock: nil) }
  return "\(following(engine.newest)) 0"
}

/// A number of the command line; `usual` where there is none.
func count(_ arguments: [String], _ index: Int, usual: Int) -> Int? {
  index < arguments.count ? Int(arguments[index]).flatMap { $0 >= 0 ? $0 : nil } : usual
}

let arguments = CommandLine.arguments
do {
  if (4...6).contains(arguments.count), arguments[1] == "write", let durability = Durability(rawValue: arguments[3]),
    let steps = count(arguments, 4, usual: 0), let ahead = count(arguments, 5, usual: 1), ahead > 0
  {
    try write(arguments[2], durability, steps: steps, ahead: ahead)
  } else if arguments.count == 4, arguments[1] == "check", let least = Int(arguments[3]) {
    print(try check(arguments[2], least: least))
  } else if arguments.count == 3, arguments[1] == "open" {
    print(try open(arguments[2]))
  } else if arguments.count == 3, arguments[1] == "replay", let steps = count(arguments, 2, usual: 0) {
    print(try replay(steps))
  } else {
    throw Wrong(
      description: "usage: LedgerProbe write DIRECTORY sync|os|none [STEPS [AHEAD]], LedgerProbe check DIRECTORY N, "
        + "LedgerProbe open DIRECTORY, or LedgerProbe replay N")
  }
} catch {
  try DescriptorHandle.standardError.write(Array("LedgerProbe: \(error)\n".utf8))
  exit(1)
}
