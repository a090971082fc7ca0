// What the contents of a kept file add up to, as the engine had them when it was written, whatever bytes they became.
// Invariant: the order of events is of no matter; another value, name or number is another sum, but for one time in 2^32.
// Not here: checksums of bytes (KeptFormat), who compares (Verification).
// Format: docs/format/kept.md, "Contents". Source of the mixing: G. Fowler, L. C. Noll, P. Vo, FNV-1a, here with words.

internal import Continuo

/// Adds up the contents of a kept file.
struct ContentSum {
  private var total: UInt64 = 0

  /// What is added: each begins with a number of its own.
  private enum Part: UInt64 {
    case swap = 1
    case transfer = 2
    case base = 3
    case candle = 4
    case balance = 5
    case names = 6
  }

  /// Words, one behind the other.
  private struct Mix {
    private(set) var state: UInt64 = 0xCBF2_9CE4_8422_2325

    @inline(__always)
    init(_ part: Part) { put(part.rawValue) }

    @inline(__always)
    mutating func put(_ word: UInt64) {
      state = (state ^ word) &* 0x9E37_79B9_7F4A_7C15
      // The upper bits depend on all that came before: they go on in the lower ones.
      state ^= state &>> 32
    }

    @inline(__always)
    mutating func put(_ low: UInt32, _ high: UInt32) { put(UInt64(low) | UInt64(high) << 32) }

    @inline(__always)
    mutating func put(_ key: OrderKey) {
      put(UInt64(bitPattern: key.timestamp.microseconds))
      put(key.block)
      put(key.chain, key.logIndex)
    }

    @inline(__always)
    mutating func put(_ amount: Decimal18) {
      put(UInt64(truncatingIfNeeded: amount.units))
      put(UInt64(truncatingIfNeeded: amount.units >> 64))
    }

    mutating func put(_ sum: ExactSum) {
      put(sum.low)
      put(sum.middle)
      put(UInt64(bitPattern: sum.high))
    }

    mutating func put(_ count: Int) { put(UInt64(bitPattern: Int64(count))) }
  }

  /// The sum, which is never 0: that says nothing.
  var value: UInt32 { max(1, UInt32(truncatingIfNeeded: total ^ total >> 32)) }

  /// O(events).
  mutating func add(_ swaps: ArraySlice<HeldSwap>, _ transfers: ArraySlice<HeldTransfer>) {
    for swap in swaps { add(swap) }
    for transfer in transfers { add(transfer) }
  }

  @inline(__always)
  private mutating func add(_ swap: HeldSwap) {
    var mix = Mix(.swap)
    mix.put(swap.row.key)
    mix.put(swap.token, swap.row.wallet &+ 1)
    mix.put(swap.row.side == .buy ? 0 : swap.row.side == .sell ? 1 : 2)
    mix.put(swap.row.amountUSD)
    mix.put(swap.row.tokenAmount)
    mix.put(swap.row.price)
    total &+= mix.state
  }

  private mutating func add(_ transfer: HeldTransfer) {
    var mix = Mix(.transfer)
    mix.put(transfer.key)
    mix.put(transfer.token, transfer.from)
    mix.put(transfer.to, transfer.tokenID == nil ? 0 : 1)
    mix.put(transfer.amount)
    for half in [transfer.tokenID?.low ?? 0, transfer.tokenID?.high ?? 0] {
      mix.put(UInt64(truncatingIfNeeded: half))
      mix.put(UInt64(truncatingIfNeeded: half >> 64))
    }
    total &+= mix.state
  }

  /// O(candles + balances).
  mutating func add(_ base: TokenBase) {
    var mix = Mix(.base)
    mix.put(base.token, base.lastKey == nil ? 0 : 1)
    mix.put(base.droppedSwaps)
    mix.put(base.droppedTransfers)
    if let key = base.lastKey { mix.put(key) }
    mix.put(base.lastPrice)
    mix.put(base.supply)
    total &+= mix.state
    for archived in base.candles { add(archived, of: base.token) }
    for (address, sum) in base.balances {
      var mix = Mix(.balance)
      mix.put(base.token, address)
      mix.put(sum)
      total &+= mix.state
    }
  }

  private mutating func add(_ archived: TokenBase.Archived, of token: UInt32) {
    let candle = archived.candle
    var mix = Mix(.candle)
    mix.put(UInt64(token))
    mix.put(UInt64(bitPattern: archived.interval.microseconds))
    mix.put(UInt64(bitPattern: archived.start.microseconds))
    for price in [candle.open, candle.high, candle.low, candle.close] { mix.put(price) }
    for key in [candle.openKey, candle.closeKey] { mix.put(key) }
    for sum in [candle.volumeUSD, candle.volumeToken, candle.buyVolumeUSD, candle.sellVolumeUSD] { mix.put(sum) }
    mix.put(candle.trades)
    mix.put(candle.tradesWithoutTokenAmount)
    total &+= mix.state
  }

  /// Adds a block of names. O(bytes).
  ///
  /// - Parameters:
  ///   - first: the number of the first one.
  ///   - names: one behind the other, as in the block.
  mutating func add(areTokens: Bool, first: Int, count: Int, _ names: Span<UInt8>) {
    var mix = Mix(.names)
    mix.put(areTokens ? 0 : 1)
    mix.put(first)
    mix.put(count)
    for place in stride(from: 0, to: names.count, by: 8) {
      var word: UInt64 = 0
      for index in place..<min(place + 8, names.count) { word |= UInt64(names[index]) << UInt64(8 * (index - place)) }
      mix.put(word)
    }
    total &+= mix.state
  }
}
