// Where and when each event of a group stands, as columns: blocks, how many events each has, and what cannot be foretold.
// Invariant: events ascend strictly by chain, block and log index; what is written is read back to the bit.
// Not here: what the events are (SegmentColumns), the columns' bits (ColumnCode).
// Format: docs/format/segment.md, "Positions".

internal import Continuo

/// Chain, block, log index and time of each event of a group.
struct PositionColumns: Equatable {
  // A number for each block.
  var chainSteps: [UInt64] = []
  var blockSteps: [UInt64] = []
  /// How many events a block has, less one.
  var counts: [UInt64] = []
  /// How far the time of its first event is from where it was expected.
  var blockTimes: [UInt64] = []
  // A number for each event.
  /// How far its time is from that of its block's first event.
  var times: [UInt64] = []
  var logSteps: [UInt64] = []
  /// Times count so many microseconds.
  var timePower: UInt8 = 0
  /// So many of these lie between a block and the next one, mostly.
  var blockTime: Int64 = 0
  /// Where the first event stands: steps count from here.
  var firstChain: UInt32 = 0
  var firstBlock: UInt64 = 0
  var firstTime: Int64 = 0

  init() {}

  /// Takes the positions of events apart. O(events).
  ///
  /// - Parameters:
  ///   - keys: ascending by chain, block and log index.
  ///   - start: what times are counted from.
  init(_ keys: [OrderKey], from start: Timestamp) {
    timePower = Self.power(keys, start)
    let unit = Int64(PackPlan.power(timePower))
    func time(_ key: OrderKey) -> Int64 { (key.timestamp.microseconds &- start.microseconds) / unit }
    blockTime = Self.usualTime(keys, time)
    times.reserveCapacity(keys.count)
    logSteps.reserveCapacity(keys.count)
    if let first = keys.first { (firstChain, firstBlock, firstTime) = (first.chain, first.block, time(first)) }
    var (last, lastTime, ownTime): (OrderKey?, Int64, Int64) = (nil, 0, 0)
    for key in keys {
      let now = time(key)
      if let last, last.chain == key.chain, last.block == key.block {
        counts[counts.count - 1] += 1
        logSteps.append(UInt64(key.logIndex &- last.logIndex &- 1))
      } else {
        // The first block is where the head says: no step at all.
        let before = last ?? OrderKey(timestamp: key.timestamp, chain: key.chain, block: key.block &- 1, logIndex: 0)
        let isNew = before.chain != key.chain
        chainSteps.append(UInt64(key.chain &- before.chain))
        let step = isNew ? key.block : key.block &- before.block
        blockSteps.append(isNew ? step : step &- 1)
        counts.append(0)
        if last == nil { lastTime = firstTime &- blockTime }
        blockTimes.append((now &- Self.expected(isNew, lastTime, step, blockTime)).zigzag)
        (lastTime, ownTime) = (now, now)
        logSteps.append(UInt64(key.logIndex))
      }
      times.append((now &- ownTime).zigzag)
      last = key
    }
  }

  /// Where a block's time is expected.
  private static func expected(_ isNew: Bool, _ before: Int64, _ step: UInt64, _ blockTime: Int64) -> Int64 {
    isNew ? 0 : before &+ blockTime &* Int64(truncatingIfNeeded: step)
  }

  /// Puts the positions together again. O(events).
  ///
  /// - Throws: ``ColumnFault`` where they do not ascend, or are none.
  func keys(from start: Timestamp) throws(ColumnFault) -> [OrderKey] {
    guard timePower <= 18 else { throw ColumnFault(what: "a power of ten") }
    let unit = Int64(truncatingIfNeeded: PackPlan.power(timePower))
    var keys: [OrderKey] = []
    keys.reserveCapacity(times.count)
    var (chain, block, time) = (firstChain, firstBlock &- 1, firstTime &- blockTime)
    guard chainSteps.first == 0, blockSteps.first == 0, blockTimes.first == 0 else {
      throw ColumnFault(what: "a first block where the head says")
    }
    for index in counts.indices {
      let isNew = chainSteps[index] > 0
      guard let next = UInt32(exactly: UInt64(chain).addingSaturated(chainSteps[index])) else {
        throw ColumnFault(what: "a chain")
      }
      chain = next
      let (step, tooFar) =
        isNew ? (blockSteps[index], false) : blockSteps[index].addingReportingOverflow(1)
      // Before the first one lies none: block 0 − 1 is where it begins.
      let (reached, isPast) =
        isNew || index == 0 ? (isNew ? step : firstBlock, false) : block.addingReportingOverflow(step)
      guard !tooFar, !isPast, counts[index] < UInt64(times.count - keys.count) else {
        throw ColumnFault(what: "blocks that ascend, with as many events as there are")
      }
      block = reached
      time = Self.expected(isNew, time, step, blockTime) &+ blockTimes[index].unzigzag
      var log: UInt64 = 0
      for event in keys.count...keys.count + Int(counts[index]) {
        log = log.addingSaturated(logSteps[event])
        guard let logIndex = UInt32(exactly: log) else { throw ColumnFault(what: "a log index") }
        let instant = start.microseconds &+ (time &+ times[event].unzigzag) &* unit
        keys.append(
          OrderKey(timestamp: Timestamp(microseconds: instant), chain: chain, block: block, logIndex: logIndex))
        log += 1
      }
    }
    guard keys.count == times.count else { throw ColumnFault(what: "a block of each event") }
    return keys
  }

  /// The greatest power of ten that divides all times.
  private static func power(_ keys: [OrderKey], _ start: Timestamp) -> UInt8 {
    var power: UInt8 = 9
    for key in keys {
      let time = key.timestamp.microseconds &- start.microseconds
      while power > 0, time % Int64(PackPlan.power(power)) != 0 { power -= 1 }
      if power == 0 { break }
    }
    return power
  }

  /// The time between blocks that comes most often among the first ones.
  private static func usualTime(_ keys: [OrderKey], _ time: (OrderKey) -> Int64) -> Int64 {
    var counts: [Int64: Int] = [:]
    for (before, key) in zip(keys, keys.dropFirst().prefix(4096)) where before.chain == key.chain {
      guard let steps = Int64(exactly: key.block &- before.block), steps > 0 else { continue }
      let (quotient, rest) = (time(key) &- time(before)).quotientAndRemainder(dividingBy: steps)
      if rest == 0 { counts[quotient, default: 0] += 1 }
    }
    return counts.max { ($0.value, $1.key) < ($1.value, $0.key) }?.key ?? 0
  }
}

extension Int64 {
  /// Small numbers of either sign as small numbers.
  var zigzag: UInt64 { UInt64(bitPattern: self << 1 ^ self >> 63) }
}

extension UInt64 {
  var unzigzag: Int64 { Int64(bitPattern: self >> 1) ^ -Int64(bitPattern: self & 1) }

  /// The sum, or the greatest number where it is past that.
  func addingSaturated(_ other: UInt64) -> UInt64 {
    let (sum, isPast) = addingReportingOverflow(other)
    return isPast ? .max : sum
  }
}

extension Int128 {
  /// Small numbers of either sign as small numbers.
  @inline(__always)
  var zigzag: UInt128 { UInt128(bitPattern: self << 1 ^ self >> 127) }
}

extension UInt128 {
  @inline(__always)
  var unzigzag: Int128 { Int128(bitPattern: self >> 1) ^ -Int128(bitPattern: self & 1) }
}
