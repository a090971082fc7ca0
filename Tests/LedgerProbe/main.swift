// A writer to be killed: it takes numbered steps into a data directory and says of each that it is acknowledged; and what is
// there afterwards.
// Usage: LedgerProbe write|keep DIRECTORY sync|os|none [STEPS [AHEAD]]
//            prints the number of each step that is acknowledged, one a line; takes STEPS of them (0: for ever), and offers
//            AHEAD of them before it waits for the first. keep: checkpoints are made all the time, segments expire, journal
//            files are short, and copies are made, to DIRECTORY-copy-1 and so on
//        LedgerProbe check DIRECTORY N [keep]     prints how many steps are there, N at least, and the bytes that were cut
//        LedgerProbe open DIRECTORY [keep]        opens it for writing, takes nothing, and prints how many steps are there, and 0
//        LedgerProbe replay N              takes N steps in memory, and prints the same
// Not here: the steps (Course), killing it (tools/crash).

internal import Continuo
internal import ContinuoBytes
internal import ContinuoFormats
internal import ContinuoStorage
internal import Foundation

struct Wrong: Error, CustomStringConvertible {
  let description: String
}

extension Course {
  /// How a directory is opened for these steps.
  func options(_ durability: Durability) -> Ledger.Options {
    var options = Ledger.Options(durability: durability)
    options.engine.retention = retention
    guard self == .kept else { return options }
    options.checkpointBytes = 1 << 16
    options.journalFileBytes = 1 << 18
    options.preparesFiles = true
    return options
  }
}

/// Takes steps: so many, or for ever; `ahead` of them are offered before the first is waited for.
func write(_ course: Course, _ path: String, _ durability: Durability, steps: Int, ahead: Int) throws {
  let ledger = try Ledger(path: path, course.options(durability))
  let output = DescriptorHandle.standardOutput
  var reader = ledger.publication().reader()
  var number = course.following(reader.read { $0.newest })
  try output.write(Array("open \(number)\n".utf8))
  if course == .kept { Thread.detachNewThread { copy(ledger, path) } }
  let end = steps > 0 ? number + steps : .max
  var offered: [OfferedBatch] = []
  var next = number
  while number < end {
    while next < end, offered.count < ahead {
      if course.movesHorizon(before: next) { _ = try ledger.moveHorizon() }
      offered.append(try ledger.offer(course.step(next), wallClock: nil))
      next += 1
    }
    do {
      _ = try offered.removeFirst().receipt()
    } catch {
      try requireEnd(of: ledger, course, offered, after: error, at: next)
      throw error
    }
    try output.write(Array("\(number)\n".utf8))
    number += 1
  }
}

/// Copies the directory again and again, until the process ends.
func copy(_ ledger: Ledger, _ path: String) {
  for number in 1... {
    do { _ = try ledger.backup(to: "\(path)-copy-\(number)") } catch {
      try? DescriptorHandle.standardError.write(Array("LedgerProbe: copy \(number): \(error)\n".utf8))
      exit(1)
    }
  }
}

/// A failure is final: what was offered before it was seen, and a step that is offered now, fail as it did.
func requireEnd(
  of ledger: Ledger, _ course: Course, _ offered: [OfferedBatch], after failure: any Error, at next: Int
) throws {
  guard let failure = failure as? StorageFailure, case .poisoned = failure else { return }
  for answer in offered + [try ledger.offer(course.step(next), wallClock: nil)] {
    do { _ = try answer.receipt() } catch let other as StorageFailure where other == failure { continue }
    throw Wrong(description: "a step was acknowledged behind a failure: \(failure)")
  }
}

/// Says how many steps are there, and how many bytes were cut.
func check(_ course: Course, _ path: String, least: Int) throws -> String {
  let read: ReadDirectory
  do throws(StorageFailure) {
    read = try ReadDirectory(path: path)
  } catch {
    // Killed before it was there at all.
    if case .missing = error, least == 0 { return "0 0" }
    throw error
  }
  guard let count = try course.steps(read.engine) else {
    throw Wrong(description: "what is there is no first part of the steps")
  }
  guard count >= least else { throw Wrong(description: "\(count) steps are there, \(least) were acknowledged") }
  return "\(count) \(read.restored.tornTailBytes)"
}

/// Opens a directory for writing, and says how far it is.
func open(_ course: Course, _ path: String) throws -> String {
  let ledger = try Ledger(path: path, course.options(.sync))
  var reader = ledger.publication().reader()
  return "\(course.following(reader.read { $0.newest })) 0"
}

/// Takes so many steps in memory, and says how far that is.
func replay(_ count: Int) throws -> String {
  let engine = try Course.plain.taken(count)
  return "\(Course.plain.following(engine.newest)) 0"
}

/// A number of the command line; `usual` where there is none.
func count(_ arguments: [String], _ index: Int, usual: Int) -> Int? {
  index < arguments.count ? Int(arguments[index]).flatMap { $0 >= 0 ? $0 : nil } : usual
}

let arguments = CommandLine.arguments
do {
  if (4...6).contains(arguments.count), let course = Course(rawValue: arguments[1]),
    let durability = Durability(rawValue: arguments[3]),
    let steps = count(arguments, 4, usual: 0), let ahead = count(arguments, 5, usual: 1), ahead > 0
  {
    try write(course, arguments[2], durability, steps: steps, ahead: ahead)
  } else if (4...5).contains(arguments.count), arguments[1] == "check", let least = Int(arguments[3]),
    let course = Course(rawValue: arguments.count > 4 ? arguments[4] : "write")
  {
    print(try check(course, arguments[2], least: least))
  } else if (3...4).contains(arguments.count), arguments[1] == "open",
    let course = Course(rawValue: arguments.count > 3 ? arguments[3] : "write")
  {
    print(try open(course, arguments[2]))
  } else if arguments.count == 3, arguments[1] == "replay", let steps = count(arguments, 2, usual: 0) {
    print(try replay(steps))
  } else {
    throw Wrong(
      description:
        "usage: LedgerProbe write|keep DIRECTORY sync|os|none [STEPS [AHEAD]], LedgerProbe check DIRECTORY N "
        + "[keep], LedgerProbe open DIRECTORY [keep], or LedgerProbe replay N")
  }
} catch {
  try DescriptorHandle.standardError.write(Array("LedgerProbe: \(error)\n".utf8))
  exit(1)
}
