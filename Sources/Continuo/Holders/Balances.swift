// What each address holds of one token: running sums over all transfers that stand, dropped ones counted in.
// Invariant: a balance is Σ received − Σ given, exact at any size; the zero address has none; `holders` and `negatives`
// count the pairs over and under zero; supply is minted − burned.
// Not here: addresses' names (Interner), the transfers themselves (TransferRow), what they were before (BalanceLog).
// Rules 6.5.

/// The balances of one token by the address's number.
struct Balances: ~Copyable {
  /// Open addressing with linear probing, at most half full: the address + 1, 0 where free, and the three words of its sum.
  private var table: AtomicWords
  private var used = 0
  /// How many addresses have a balance over zero.
  private(set) var holders = 0
  /// How many addresses have a balance below zero, because history is missing.
  private(set) var negatives = 0
  /// Minted − burned.
  private(set) var supply = ExactSum.zero
  private let arena: Arena

  /// A balance that changes.
  struct Change: BitwiseCopyable {
    var address: UInt32
    var before: ExactSum
    var after: ExactSum
  }

  init(_ arena: Arena) {
    self.arena = arena
    table = AtomicWords(0, arena)
  }

  /// The balances as readers have them. O(1).
  var view: BalancesView {
    BalancesView(table: BalanceTable(words: table.view), holders: holders, negatives: negatives, supply: supply)
  }

  /// Applies a transfer, or takes it back. O(1) amortised.
  ///
  /// - Parameter willChange: is lent each change before it is made.
  mutating func apply(_ row: TransferRow, undo: Bool, willChange: (Change) -> Void) {
    guard row.amount != .zero, row.from != row.to else { return }
    let amount = undo ? -ExactSum(row.amount) : ExactSum(row.amount)
    if row.from == TransferRow.zeroAddress {
      supply += amount
    } else {
      add(-amount, to: row.from, willChange)
    }
    if row.to == TransferRow.zeroAddress {
      supply -= amount
    } else {
      add(amount, to: row.to, willChange)
    }
  }

  /// Asks for the memory of an address's balance. O(1).
  @inline(__always)
  func prefetch(_ address: UInt32) {
    if table.count > 0 { table.prefetch(4 * (BalanceTable.first(address) & (table.count / 4 - 1))) }
  }

  private mutating func add(_ amount: ExactSum, to address: UInt32, _ willChange: (Change) -> Void) {
    let slot = slot(of: address)
    let before = BalanceTable.sum(table[slot + 1], table[slot + 2], table[slot + 3])
    var after = before
    after += amount
    willChange(Change(address: address, before: before, after: after))
    table[slot + 1] = after.low
    table[slot + 2] = after.middle
    table[slot + 3] = UInt64(bitPattern: after.high)
    holders += (after.isPositive ? 1 : 0) - (before.isPositive ? 1 : 0)
    negatives += (after.isNegative ? 1 : 0) - (before.isNegative ? 1 : 0)
  }

  /// The slot of an address, a new one with balance zero if it has none.
  private mutating func slot(of address: UInt32) -> Int {
    if (used + 1) * 8 > table.count { grow() }
    let mask = table.count / 4 - 1
    var slot = BalanceTable.first(address) & mask
    while true {
      let held = table[4 * slot]
      if held == UInt64(address) + 1 { return 4 * slot }
      if held == 0 { break }
      slot = (slot + 1) & mask
    }
    table[4 * slot] = UInt64(address) + 1
    used += 1
    return 4 * slot
  }

  private mutating func grow() {
    // Balances that went back to zero are left behind.
    var live = 0
    view.table.visit { _, _ in live += 1 }
    var wanted = 4
    while wanted < (live + 1) * 4 { wanted *= 2 }
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
