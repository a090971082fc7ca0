// An engine brought back from what is sound of damaged kept files, and what is lost of each.
// Invariant: nothing is taken that is not sound; what refers to a name that is lost is lost with it, and said.
// Not here: the blocks (KeptRemains, SegmentRemains), the journal behind (JournalRemains), writing (Repair).

internal import Continuo

/// Takes in what is sound of the kept files that a manifest names.
struct KeptSalvage {
  /// A group or a block of names that is sound and does not fit to the rest.
  private struct Piece: Hashable {
    var file: UInt32
    var number: Int
  }

  private let disk: any Disk
  private let directory: DataDirectory
  private let manifest: Manifest
  private let fileNames: Set<String>
  private var misfits: Set<Piece> = []
  private var scratch = SegmentScratch()

  /// What is lost, file by file.
  private(set) var losses: [RepairLoss] = []
  /// The files that are sound.
  private(set) var sound: [KeptEntry] = []
  /// The stretches of time whose segments are not sound.
  private(set) var stretches: Set<Int64> = []
  /// Whether what is left of dropped events is to be written anew.
  private(set) var areBasesChanged = false
  /// The names' numbers.
  private(set) var numbers = NameNumbers()
  /// Tokens of which transfers are lost, by their numbers now; nil: any of them.
  private var incomplete: Set<UInt32>? = []

  init(_ disk: any Disk, _ directory: DataDirectory, _ manifest: Manifest) throws(StorageFailure) {
    (self.disk, self.directory, self.manifest) = (disk, directory, manifest)
    fileNames = try KeptRestore.names(disk, directory)
  }

  /// Gives an engine without anything what is sound. O(events).
  ///
  /// - Returns: false where something did not fit and is left out from now on: another engine is to be filled.
  mutating func fill(_ engine: inout Engine) throws(StorageFailure) -> Bool {
    (losses, sound, stretches, areBasesChanged) = ([], [], [], false)
    (numbers, incomplete) = (NameNumbers(), [])
    guard try takeNames(&engine) else { return false }
    guard try takeBases(&engine) else { return false }
    guard try takeSegments(&engine) else { return false }
    return try takeMarks(&engine)
  }

  private mutating func noteIncomplete(_ tally: LossTally) {
    guard tally.mayHaveTransfers else { return }
    if let tokens = tally.tokens { incomplete?.formUnion(tokens) } else { incomplete = nil }
  }

  // MARK: names

  private mutating func takeNames(_ engine: inout Engine) throws(StorageFailure) -> Bool {
    let entries = manifest.kept.filter { $0.header.kind == .names }
    let starts = entries.map { (Int(clamping: $0.header.first), Int(clamping: $0.header.second)) }
    let all = [(0, 1)] + starts.dropFirst() + [(Int(manifest.keptTokens), Int(manifest.keptAddresses))]
    // The files together have every number once: so the manifest says how many each of them has.
    guard starts.first.map({ $0 == (0, 1) }) ?? true,
      zip(all, all.dropFirst()).allSatisfy({ $0.0 <= $1.0 && $0.1 <= $1.1 }),
      !entries.isEmpty || all[1] == (0, 1), manifest.keptTokens <= Limits.tokensMax,
      manifest.keptAddresses <= Limits.addressesMax
    else { throw manifestFailure("names of which each has a number") }
    for (index, entry) in entries.enumerated() {
      let (start, end) = (all[index], all[index + 1])
      if try !takeNames(entry, end.0 - start.0, end.1 - start.1, &engine) { return false }
    }
    return true
  }

  private mutating func takeNames(
    _ entry: KeptEntry, _ tokens: Int, _ addresses: Int, _ engine: inout Engine
  ) throws(StorageFailure) -> Bool {
    let remains = try KeptRemains(disk, directory, fileNames, entry)
    var (block, lost, firstLost) = (0, (tokens: 0, addresses: 0), Int?.none)
    for (total, areTokens) in [(tokens, true), (addresses, false)] {
      for start in stride(from: 0, to: total, by: NamesFile.namesMax) {
        let count = min(NamesFile.namesMax, total - start)
        let piece = Piece(file: entry.header.number, number: block)
        var isTaken = false
        if let reader = remains.reader, block < reader.blockCount, !misfits.contains(piece),
          let payload = try NamesFile.payload(reader, block, areTokens: areTokens, count: count)
        {
          do throws(PackedBatchFault) {
            try engine.adoptNames(payload.span, tokens: areTokens ? count : 0, addresses: areTokens ? 0 : count)
            isTaken = true
          } catch {
            misfits.insert(piece)
            return false
          }
        }
        if isTaken {
          numbers.add(count, areTokens: areTokens)
        } else {
          numbers.skip(count, areTokens: areTokens)
          if areTokens { lost.tokens += count } else { lost.addresses += count }
          if firstLost == nil { firstLost = block }
        }
        block += 1
      }
    }
    if let firstLost {
      let byte = remains.fault == nil ? remains.reader?.place(firstLost) ?? 0 : remains.faultByte
      losses.append(
        RepairLoss(
          kind: .names, file: remains.path, byte: byte, events: 0, identities: [], tokens: nil, from: nil, to: nil,
          what:
            "the names of \(lost.tokens) tokens and \(lost.addresses) addresses, without which what refers to them is lost"
        ))
    } else if remains.fault == nil, remains.isComplete(NamesFile.footer(tokens, addresses)) {
      sound.append(entry)
    }
    return true
  }

  // MARK: what is left of dropped events

  private mutating func takeBases(_ engine: inout Engine) throws(StorageFailure) -> Bool {
    for (index, entry) in manifest.kept.filter({ $0.header.kind == .bases }).enumerated() {
      let horizon = Timestamp(microseconds: entry.header.first)
      guard index == 0, horizon == manifest.marks.horizon, horizon.isInRange else {
        throw manifestFailure("one file of what was dropped, below the horizon")
      }
      if try !takeBases(entry, &engine) { return false }
    }
    return true
  }

  private mutating func takeBases(_ entry: KeptEntry, _ engine: inout Engine) throws(StorageFailure) -> Bool {
    let remains = try KeptRemains(disk, directory, fileNames, entry)
    var (bases, areAll, tally, last) = (0, remains.reader != nil, LossTally(), UInt32?.none)
    let span = Timestamp.first...Timestamp(microseconds: entry.header.first)
    for group in 0..<(remains.reader.map(BasesFile.groups) ?? 0) {
      let piece = Piece(file: entry.header.number, number: group)
      guard let own = try misfits.contains(piece) ? nil : self.bases(remains, group, after: last) else {
        tally.note(events: 0, tokens: try tokens(remains, group), within: span)
        areAll = false
        continue
      }
      bases += own.count
      last = own.last?.token ?? last
      for base in own {
        let fitting = numbers.base(base)
        if fitting.map({ $0.balances.count < base.balances.count }) ?? true {
          tally.note(events: 0, tokens: fitting.map { [$0.token] }, within: span)
        }
        guard let fitting else { continue }
        do throws(PackedBatchFault) { try engine.adopt(fitting) } catch {
          misfits.insert(piece)
          return false
        }
      }
    }
    let isComplete = areAll && remains.isComplete(BasesFile.footer(bases))
    if isComplete, remains.fault == nil, tally.isEmpty { sound.append(entry) } else { areBasesChanged = true }
    // Of what was behind the last sound block of a file without its footer nobody knows.
    if !isComplete, remains.fault != nil || tally.isEmpty { tally.note(events: 0, tokens: nil, within: span) }
    guard !tally.isEmpty else { return true }
    noteIncomplete(tally)
    losses.append(
      tally.loss(
        .bases, remains.path, remains.faultByte, "candles, balances and last prices of before \(span.upperBound)",
        name: { engine.tokenName($0) }))
    return true
  }

  private func bases(
    _ remains: KeptRemains, _ group: Int, after last: UInt32?
  ) throws(StorageFailure) -> [TokenBase]? {
    guard let reader = remains.reader else { return nil }
    return try KeptRemains.ifSound { () throws(StorageFailure) in
      let own = try BasesFile.bases(reader, group: group)
      let tokens = [last].compactMap { $0 } + own.map(\.token)
      guard zip(tokens, tokens.dropFirst()).allSatisfy({ $0 < $1 }) else {
        throw reader.damaged(0, "tokens that ascend")
      }
      return own
    }
  }

  /// The tokens of a group that is lost, by their numbers now; nil: nobody knows.
  private func tokens(_ remains: KeptRemains, _ group: Int) throws(StorageFailure) -> [UInt32]? {
    guard let reader = remains.reader else { return nil }
    let known = try KeptRemains.ifSound { () throws(StorageFailure) in try BasesFile.tokens(reader, group: group) }
    let own = known?.compactMap { numbers.token($0) }
    return own?.count == known?.count ? own : nil
  }

  // MARK: events

  private mutating func takeSegments(_ engine: inout Engine) throws(StorageFailure) -> Bool {
    var earliest = manifest.marks.horizon?.microseconds ?? .min
    let entries = manifest.kept.filter { $0.header.kind == .segment }.sorted { $0.header.first < $1.header.first }
    for entry in entries {
      guard entry.header.first >= earliest, Timestamp(microseconds: entry.header.first).isInRange else {
        throw manifestFailure("each time once, and none that was dropped")
      }
      earliest = entry.header.first + ChangedTimes.length
      if try !takeSegment(entry, &engine) { return false }
    }
    return true
  }

  private mutating func takeSegment(_ entry: KeptEntry, _ engine: inout Engine) throws(StorageFailure) -> Bool {
    let remains = try KeptRemains(disk, directory, fileNames, entry)
    var (tally, found, before, lost) = (LossTally(), SegmentFooter(), OrderKey?.none, GroupRemains?.none)
    var (kind, unnamed) = (EventKind.swap, 0)
    for group in remains.segmentGroups {
      if group.kind != kind { (kind, before) = (group.kind, nil) }
      let piece = Piece(file: entry.header.number, number: group.number)
      guard let events = try misfits.contains(piece) ? nil : self.events(remains, group, after: &before) else {
        try remains.note(group, numbers, in: &tally)
        if lost == nil { lost = group }
        continue
      }
      found.note(events)
      var (swaps, transfers): ([HeldSwap], [HeldTransfer]) = ([], [])
      for swap in events.swaps.sorted(by: { $0.key.precedes($1.key) }) {
        if let own = numbers.swap(swap) {
          swaps.append(own)
        } else {
          tally.note(swap.key, .swap, token: numbers.token(swap.token))
        }
      }
      for transfer in events.transfers {
        if let own = numbers.transfer(transfer) {
          transfers.append(own)
        } else {
          tally.note(transfer.key, .transfer, token: numbers.token(transfer.token))
        }
      }
      unnamed += events.swaps.count + events.transfers.count - swaps.count - transfers.count
      do throws(PackedBatchFault) {
        try engine.adopt(swaps.span)
        try engine.adopt(transfers.span)
      } catch {
        misfits.insert(piece)
        return false
      }
    }
    let isComplete = lost == nil && remains.isComplete(found.encoded)
    // Of which the manifest says other blocks it is written anew, with what it says.
    let isNamedSo = entry.ranges.map { $0 == found.ranges } ?? true
    if isComplete, isNamedSo, remains.fault == nil, tally.isEmpty {
      sound.append(entry)
    } else {
      stretches.insert(ChangedTimes.stretch(Timestamp(microseconds: entry.header.first)))
    }
    if !isComplete {
      if let footer = remains.segmentFooter {
        let missing = Int(footer.swaps + footer.transfers) - Int(found.swaps + found.transfers)
        if lost == nil, missing > 0 { tally.note(events: missing, tokens: nil, within: remains.times) }
        if !tally.isEmpty { tally.settle(events: max(0, missing) + unnamed, footer.ranges) }
      } else {
        tally.note(events: nil, tokens: nil, within: remains.stretch)
      }
    }
    if !tally.isEmpty { noteSegment(remains, tally, lost, isNamed: isComplete) { engine.tokenName($0) } }
    return true
  }

  private mutating func noteSegment(
    _ remains: KeptRemains, _ tally: LossTally, _ lost: GroupRemains?, isNamed: Bool, _ name: (UInt32) -> ByteString
  ) {
    noteIncomplete(tally)
    var byte = remains.faultByte
    if remains.fault == nil, let lost, let reader = remains.reader {
      byte = reader.place(reader.firstUnsound(lost.blocks) ?? lost.blocks.lowerBound)
    }
    losses.append(
      tally.loss(
        .segment, remains.path, byte,
        isNamed ? "events of names that are lost" : "events of four hours, or some of them",
        name: name))
  }

  private mutating func events(
    _ remains: KeptRemains, _ group: GroupRemains, after before: inout OrderKey?
  ) throws(StorageFailure) -> SegmentGroup? {
    guard let reader = remains.reader else { return nil }
    do throws(StorageFailure) {
      return try SegmentFile.events(
        reader, group.blocks, group.kind, group: group.number, after: &before, &scratch)
    } catch {
      guard case .damaged = error else { throw error }
      return nil
    }
  }

  // MARK: marks

  private func takeMarks(_ engine: inout Engine) throws(StorageFailure) -> Bool {
    var marks = manifest.marks
    let count = engine.nameCounts.tokens
    var tokens = incomplete ?? Set((0..<count).map { UInt32($0) })
    for token in marks.incomplete { if let own = numbers.token(token) { tokens.insert(own) } }
    marks.incomplete = tokens.sorted()
    do throws(PackedBatchFault) { try engine.adopt(marks) } catch { throw manifestFailure(error.what) }
    return true
  }

  private func manifestFailure(_ expected: String) -> StorageFailure {
    .damaged(file: directory.manifest, byte: 0, found: "other bytes with a right checksum", expected: expected)
  }
}
