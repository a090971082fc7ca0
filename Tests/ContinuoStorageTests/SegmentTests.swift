// Segments: what is written is read again, whatever it is; what is not what was written is refused.
// Invariant: seeds are printed with a failure.
// Not here: which segments a directory has (CheckpointTests), the page's example (SegmentFormatTests).
// Rules 7.4, 7.5.

import Continuo
import ContinuoStorage
import ContinuoTestSupport
import Testing

/// The events of a segment.
struct HeldGroup: Equatable {
  var swaps: [HeldSwap] = []
  var transfers: [HeldTransfer] = []
}

@Suite("Segments")
struct SegmentTests {
  private static let start = Timestamp(microseconds: 1_730_419_200_000_000)
  private static let length: Int64 = 14_400_000_000
  private static let header = KeptHeader(
    kind: .segment, directory: 0xABCD, number: 7, first: start.microseconds, second: length)

  private static func write(_ events: HeldGroup) throws -> (bytes: [UInt8], entry: KeptEntry) {
    let disk = SimulatedDisk()
    var scratch = SegmentScratch()
    let entry = try SegmentFile.write(
      disk.create("/segment"), header, events.swaps[...], events.transfers[...], &scratch)
    let image = disk.image
    return (try #require(image.files[image.names["/segment"] ?? 0]), entry)
  }

  private static func read(_ bytes: [UInt8], _ entry: KeptEntry) throws(StorageFailure) -> HeldGroup {
    var state = DiskState()
    (state.names, state.files) = (["/segment": 1], [1: bytes])
    let file = try onDisk { () throws(DiskFailure) in
      try SimulatedDisk(state).open("/segment", forWriting: false)
    }
    var scratch = SegmentScratch()
    var events = HeldGroup()
    try SegmentFile.forEachGroup(KeptReader(file, path: "/segment", entry), &scratch) { group in
      #expect(group.swaps.map(\.token) == group.tokens.sorted())
      let byKey = group.swaps.sorted { Self.precedes($0.key, $1.key) }
      #expect(byKey.map(\.key) == group.keys && byKey.map(\.token) == group.tokens)
      events.swaps += byKey
      events.transfers += group.transfers
    }
    return events
  }

  /// Events of a segment, of any kind that can be held.
  private static func events(_ random: inout SeededGenerator, _ count: Int) -> HeldGroup {
    var events = HeldGroup()
    let chains = random.pick([[1], [8453], [1, 8453], [0, 7, .max]]) as [UInt32]
    let isPlain = random.chance(50)
    let digits = random.pick([0, 2, 8, 18])
    func amount(_ random: inout SeededGenerator) -> Decimal18 {
      let power = (digits..<18).reduce(1 as Int128) { product, _ in product * 10 }
      let most: Int128 = random.pick([3, 1000, 1 << 33, 1 << 60])
      if random.chance(3) { return Decimal18(units: random.pick([0, 1, .max])) }
      return Decimal18(units: Int128.random(in: 0...most, using: &random) &* power)
    }
    var (block, log): (UInt64, UInt32) = (random.pick([0, 20_000_000]), 0)
    for index in 0..<count {
      if random.chance(30) {
        block &+= UInt64(random.pick([1, 1, 1, 2, 900]))
        log = random.chance(20) ? 17 : 0
      } else {
        log += random.chance(90) ? 1 : 5
      }
      let plain = start.microseconds + Int64(index / 3) * 2_000_000
      let time = isPlain ? plain : start.microseconds + Int64.random(in: 0..<length, using: &random)
      let key = OrderKey(
        timestamp: Timestamp(microseconds: min(time, start.microseconds + length - 1)),
        chain: random.pick(chains), block: block, logIndex: log)
      let token = UInt32.random(in: 0..<UInt32(random.chance(2) ? 1_000_000 : 50), using: &random)
      if random.chance(70) {
        let (price, tokens) = (amount(&random), amount(&random))
        let product = (price.units >> 9).multipliedReportingOverflow(by: tokens.units >> 60).partialValue
        events.swaps.append(
          HeldSwap(
            key: key, token: token, trader: UInt32.random(in: 0...50_000_000, using: &random),
            side: random.pick([.buy, .sell, nil]),
            amountUSD: random.chance(50) ? amount(&random) : Decimal18(units: product & .max),
            tokenAmount: tokens, price: price))
      } else {
        let isNamed = random.chance(30)
        events.transfers.append(
          HeldTransfer(
            key: key, token: token, from: random.pick([0, 1, 50_000_000]),
            to: UInt32.random(in: 0...9, using: &random), amount: amount(&random),
            tokenID: isNamed ? WideID(high: random.pick([0, .max]), low: UInt128(random.next())) : nil))
      }
    }
    return events
  }

  private static func precedes(_ one: OrderKey, _ other: OrderKey) -> Bool {
    (one.chain, one.block, one.logIndex) < (other.chain, other.block, other.logIndex)
  }

  private static func sorted(_ events: HeldGroup) -> HeldGroup {
    var sorted = events
    sorted.swaps.sort { precedes($0.key, $1.key) }
    sorted.transfers.sort { precedes($0.key, $1.key) }
    return sorted
  }

  @Test("Any events: written, read again, the same", arguments: Seeds.thisRun(60))
  func roundTrip(seed: UInt64) throws {
    var random = SeededGenerator(seed: seed)
    let count = random.pick([0, 1, 2, 3, 100, 1000])
    let events = Self.events(&random, count)
    let (bytes, entry) = try Self.write(events)
    let read = try Self.read(bytes, entry)
    #expect(read == Self.sorted(events), "\(Seeds.replay(seed, "SegmentTests"))")
    #expect(entry.bytes == Int64(bytes.count))
  }

  @Test("More events than a group has")
  func manyGroups() throws {
    var events = HeldGroup()
    for index in 0..<70_000 {
      events.swaps.append(
        HeldSwap(
          key: OrderKey(timestamp: Self.start, chain: 1, block: UInt64(index / 7), logIndex: UInt32(index % 7)),
          token: UInt32(index % 11), trader: 0, side: nil, amountUSD: .one, tokenAmount: .zero, price: .one))
    }
    let (bytes, entry) = try Self.write(events)
    #expect(try Self.read(bytes, entry) == events)
    #expect(bytes.count < 100_000)
  }

  /// Rule 7.4: every byte is covered, of headers, padding and footers too.
  @Test("Every byte changed, every length, another file's bytes", arguments: Seeds.thisRun(3))
  func damage(seed: UInt64) throws {
    var random = SeededGenerator(seed: seed)
    let (bytes, entry) = try Self.write(Self.events(&random, 12))
    func isDamage(_ bytes: [UInt8], _ entry: KeptEntry) -> Bool {
      do throws(StorageFailure) {
        _ = try Self.read(bytes, entry)
        return false
      } catch {
        if case .damaged("/segment", _, _, _) = error { return true }
        return false
      }
    }
    #expect(!isDamage(bytes, entry))
    for place in bytes.indices {
      var changed = bytes
      changed[place] ^= 1 << UInt8.random(in: 0..<8, using: &random)
      #expect(isDamage(changed, entry), "byte \(place), seed \(seed)")
    }
    for count in 0..<bytes.count {
      #expect(isDamage(Array(bytes.prefix(count)), entry), "\(count) bytes, seed \(seed)")
      var short = entry
      short.bytes = Int64(count)
      #expect(isDamage(Array(bytes.prefix(count)), short), "\(count) bytes, seed \(seed)")
    }
    #expect(isDamage(bytes + [0], entry))
    let (other, otherEntry) = try Self.write(Self.events(&random, 41))
    #expect(isDamage(other, entry))
    #expect(!isDamage(other, otherEntry))
  }
}
