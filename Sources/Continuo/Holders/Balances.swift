// What each address holds of one token: running sums over all transfers that stand, dropped ones counted in.
// Invariant: a balance is Σ received − Σ given, exact at any size; the zero address has none; `holders` and `negatives`
// count the pairs over and under zero; supply is minted − burned.
// Not here: addresses' names (Interner), the transfers themselves (TransferRow), what they were before (BalanceLog).
// Rules 6.5.

/// The balances of one token by the address's number.
struct Balances: ~Copyable {
  /// Open addressing with linear probing, at most three quarters full: the address + 1, 0 where free, and the three words
  /// of its sum.
  private var table: AtomicWords
  private var used = 0
  /// How many addresses have a balance over zero.
  private(set) var holders = 0
  /// How many addresses have a balance below zero, because history is missing.
  private(set) var negatives = 0
  /// Minted − burned.
  private(set) var supply = ExactSum.zero
  private let arena: Arena

  init(_ arena: Arena) {
    self.arena = arena
    table = AtomicWords(0, arena)
  }

  /// The balances as readers have them. O(1).
  var view: BalancesView {
    BalancesView(table: BalanceTable(words: table.view), holders: holders, negatives: negatives, supply: supply)
  }

  /// Notes that the zero address gave so much: what it gives is minted, what it takes is burned. O(1).
  mutating func mint(_ amount: ExactSum) { supply += amount }

  /// Adds to the balance of an address other than the zero one. O(1) amortised.
  ///
  /// - Parameters:
  ///   - token: whose balances these are.
  ///   - log: where versions find what the balance was.
  /// - Returns: 1 where it was zero and is no more, −1 where it is zero now and was not, else 0.
  @inline(__always)
  mutating func add(_ amount: ExactSum, to address: UInt32, token: UInt32, _ log: inout BalanceLog) -> Int {
    let slot = slot(of: address)
    let words = table.four(slot)
    let before = BalanceTable.sum(words.1, words.2, words.3)
    if arena.isPublishing { log.append(BalanceLog.Entry(token: token, address: address, before: before)) }
    var after = before
    after += amount
    table.put(after.low, after.middle, UInt64(bitPattern: after.high), at: slot + 1)
    // Without a question of what changes: nobody could tell.
    let negative = (after.isNegative ? 1 : 0) &- (before.isNegative ? 1 : 0)
    let held = (after.isZero ? 0 : 1) &- (before.isZero ? 0 : 1)
    negatives &+= negative
    holders &+= held &- negative
    return held
  }

  /// Asks for the memory of an address's balance. O(1).
  @inline(__always)
  func prefetch(_ address: UInt32) {
    table.prefetch(BalanceTable.first(address) &* 4 & (table.count &- 4))
  }

  /// The slot of an address other than the zero one, a new one with balance zero if it has none. O(1) amortised.
  @inline(__always)
  private mutating func slot(of address: UInt32) -> Int {
    // Up to three quarters full.
    if (used &+ 1) &* 16 > table.count &* 3 { grow() }
    let mask = table.count &- 4
    var slot = BalanceTable.first(address) &* 4 & mask
    while true {
      let held = table[slot]
      if held == UInt64(address) &+ 1 { return slot }
      if held == 0 { break }
      slot = (slot &+ 4) & mask
    }
    table[slot] = UInt64(address) &+ 1
    used &+= 1
    return slot
  }

  @inline(never)
  private mutating func grow() {
    // Balances that went back to zero are left behind.
    let live = holders + negatives
    var wanted = 4
    while wanted < (live + 1) * 2 { wanted *= 2 }
    let grown = AtomicWords(wanted * 4, arena)
    view.table.visit { address, sum in
      var slot = BalanceTable.first(address) & (wanted - 1)
      while grown[4 * slot] != 0 { slot = (slot + 1) & (wanted - 1) }
      grown[4 * slot] = UInt64(address) + 1
      grown[4 * slot + 1] = sum.low
      grown[4 * slot + 2] = sum.middle
      grown[4 * slot + 3] = UInt64(bitPattern: sum.high)
    }
    used = live
    table = grown
  }
}

/// The balances of one token, as one version has them; the table itself may be ahead of it (BalanceLog).
struct BalancesView: BitwiseCopyable {
  var table: BalanceTable
  var holders: Int
  var negatives: Int
  var supply: ExactSum
}

/// The table of balances.
struct BalanceTable: BitwiseCopyable {
  var words: AtomicWordsView

  /// Lends every address with a balance other than zero, in no order. O(slots).
  func visit(_ body: (UInt32, ExactSum) -> Void) {
    for slot in stride(from: 0, to: words.count, by: 4) {
      let held = words[slot]
      guard held != 0 else { continue }
      let sum = Self.sum(words[slot + 1], words[slot + 2], words[slot + 3])
      if !sum.isZero { body(UInt32(truncatingIfNeeded: held - 1), sum) }
    }
  }

  @inline(__always)
  static func sum(_ low: UInt64, _ middle: UInt64, _ high: UInt64) -> ExactSum {
    ExactSum(low: low, middle: middle, high: Int64(bitPattern: high))
  }

  /// Where an address is looked for first.
  @inline(__always)
  static func first(_ address: UInt32) -> Int {
    Int(truncatingIfNeeded: UInt64(address) &* 0x9E37_79B9_7F4A_7C15 >> 32)
  }
}
