// A damaged directory that was repaired, held against the directory that it was.
// Invariant: what is found wrong is recorded as an issue of the test that damaged it.
// Not here: the damage (RepairTests, ForgedRepairTests).

import Continuo
import ContinuoFormats
import ContinuoStorage
import ContinuoTestSupport
import Testing

/// An event by its names, whatever their numbers are.
struct NamedEvent: Hashable {
  var kind: EventKind
  var chain: UInt32
  var block: UInt64
  var logIndex: UInt32
  var time: Timestamp
  var token: ByteString
  /// All that else is said of it.
  var rest: String

  /// All events that are held.
  static func all(_ engine: borrowing Engine) -> Set<NamedEvent> {
    var events: Set<NamedEvent> = []
    for swap in engine.heldSwaps(from: .first, before: .last) {
      let trader = swap.trader == 0 ? "-" : engine.addressName(swap.trader - 1).description
      events.insert(
        NamedEvent(
          kind: .swap, chain: swap.key.chain, block: swap.key.block, logIndex: swap.key.logIndex,
          time: swap.key.timestamp, token: engine.tokenName(swap.token),
          rest: "\(trader) \(swap.side?.name ?? "-") \(swap.amountUSD) \(swap.tokenAmount) \(swap.price)"))
    }
    for transfer in engine.heldTransfers(from: .first, before: .last) {
      let (from, to) = (engine.addressName(transfer.from), engine.addressName(transfer.to))
      events.insert(
        NamedEvent(
          kind: .transfer, chain: transfer.key.chain, block: transfer.key.block, logIndex: transfer.key.logIndex,
          time: transfer.key.timestamp, token: engine.tokenName(transfer.token),
          rest: "\(from) \(to) \(transfer.amount) \(String(describing: transfer.tokenID))"))
    }
    return events
  }
}

extension RepairLoss {
  /// Whether it tells of an event. What is not known may be any.
  func covers(_ event: NamedEvent) -> Bool {
    guard kind == .segment || kind == .journal else { return false }
    if let from, event.time < from { return false }
    if let to, event.time > to { return false }
    if let tokens, !tokens.contains(event.token) { return false }
    return identities?.contains {
      $0.kind == event.kind && $0.chain == event.chain && ($0.firstBlock...$0.lastBlock).contains(event.block)
    } ?? true
  }
}

/// What became of a damaged directory.
struct RepairedDirectory {
  let losses: [RepairLoss]
  let missing: Set<NamedEvent>
  let state: DirectoryState
  private let what: String

  /// Repairs a damaged directory; nil where there is nothing to repair.
  init?(_ image: DiskState, from directory: FullDirectory, _ what: String) throws {
    self.what = what
    let path = FullDirectory.path
    // Looked at: nothing is written.
    let looked = SimulatedDisk(image)
    let repair = try Repair(looked, path: path, writes: false)
    losses = repair.losses
    let isDamaged = repair.isNeeded
    _ = consume repair
    let isSound = try Verification(SimulatedDisk(image), path: path).isSound
    #expect(isDamaged != isSound, "\(what)")
    #expect(looked.operations.isEmpty, "\(what)")
    guard isDamaged else { return nil }
    // Held for writing and let go: nothing is either, but the lock's text.
    let disk = SimulatedDisk(image)
    var own = try Repair(disk, path: path, writes: true, journalFileBytes: 4 * 4096)
    let again = own.losses
    #expect(again == losses, "\(what)")
    let changed = Self.change(disk.image, image)
    #expect(changed == nil, "\(what)")
    let receipt = try own.write()
    _ = consume own
    // Sound, and with what it says that it has.
    let found = try Verification(SimulatedDisk(disk.image), path: path)
    #expect(found.isSound, "\(what): \(found.failures) \(found.differences)")
    #expect(found.events == receipt.events, "\(what)")
    let read = try ReadDirectory(SimulatedDisk(disk.image), path: path, Engine.Settings())
    state = try DirectoryState(read.engine)
    let (before, after) = (try Self.events(directory.image), NamedEvent.all(read.engine))
    missing = before.subtracting(after)
    let isPrefix = losses.contains { $0.kind == .journal }
    if !isPrefix {
      let invented = after.subtracting(before).count
      #expect(invented == 0, "\(what)")
    }
    // That a last frame was there before it decayed nobody can know.
    let isTorn = image.bytes(of: directory.lastJournal) != directory.bytes(directory.lastJournal)
    let (earlier, digest) = (directory.moments[directory.moments.count - 2], state.digest)
    let untold = isTorn ? missing.intersection(try Self.events(earlier.image)) : missing
    for event in untold where !losses.contains(where: { $0.covers(event) }) {
      Issue.record("\(what): \(event) is missing, and nobody says so: \(losses)")
    }
    if losses.isEmpty {
      let isSame = digest == directory.state.digest || isTorn && digest == earlier.state.digest
      #expect(isSame, "\(what)")
    }
    Self.expectPutBy(image, in: disk.image, what)
    // Twice the same, also behind a writer.
    let second = try Repair(SimulatedDisk(disk.image), path: path, writes: true)
    let isNeeded = second.isNeeded
    #expect(!isNeeded, "\(what)")
    _ = consume second
    do {
      let ledger = try Ledger(disk, path: path, FullDirectory.options)
      _ = try ledger.take(.oneSwap(block: 5000), wallClock: nil)
    }
    Self.expectPutBy(image, in: disk.image, what)
    let last = try Verification(SimulatedDisk(disk.image), path: path)
    #expect(last.isSound, "\(what)")
  }

  private static func events(_ image: DiskState) throws -> Set<NamedEvent> {
    let read = try ReadDirectory(SimulatedDisk(image), path: FullDirectory.path, Engine.Settings())
    return NamedEvent.all(read.engine)
  }

  /// How many events are missing is what the list says, where it says how many.
  func expectCounts() throws {
    let counts = losses.map(\.events)
    guard !counts.contains(nil) else { return }
    let told = counts.reduce(0) { $0 + ($1 ?? 0) }
    #expect(told == missing.count, "\(what): \(losses)")
  }

  /// Every file that was there is where it was, or in `damaged/`, byte by byte.
  static func expectPutBy(_ before: DiskState, in after: DiskState, _ what: String) {
    for (path, file) in before.names where !path.hasSuffix("/lock") && !path.hasSuffix(".new") {
      let bytes = before.files[file]
      if after.bytes(of: path) == bytes { continue }
      let name = path.split(separator: "/").last ?? ""
      let copies = after.names.keys.filter { $0.contains("/damaged/") && $0.hasSuffix("/\(name)") }
      let isThere = copies.contains { after.bytes(of: $0) == bytes }
      #expect(isThere, "\(what): \(path) is gone")
    }
  }

  /// What differs besides the text of the lock, and files that do not count; nil if nothing does.
  static func change(_ found: DiskState, _ image: DiskState) -> String? {
    let ignored: (String) -> Bool = { $0.hasSuffix("/lock") || $0.hasSuffix("/manifest.new") }
    let (own, other) = (found.names.keys.filter { !ignored($0) }, image.names.keys.filter { !ignored($0) })
    if Set(own) != Set(other) { return "\(Set(own).symmetricDifference(other))" }
    return own.first { found.bytes(of: $0) != image.bytes(of: $0) }
  }
}
