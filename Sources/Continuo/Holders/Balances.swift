// What each address holds of one token: running sums over all transfers that stand, dropped ones counted in.
// Invariant: a balance is Σ received − Σ given, exact at any size; the zero address has none; `holders` and `negatives`
// count the pairs over and under zero; supply is minted − burned.
// Not here: addresses' names (Interner), the transfers themselves (TransferRow).
// Rules 6.5.

/// The balances of one token by the address's number.
struct Balances: ~Copyable {
  /// Open addressing with linear probing: address + 1, 0 where free; at most half full.
  private var slots = ColumnHandle<UInt32>()
  private var sums = ColumnHandle<ExactSum>()
  private var used = 0
  /// How many addresses have a balance over zero.
  private(set) var holders = 0
  /// How many addresses have a balance below zero, because history is missing.
  private(set) var negatives = 0
  /// Minted − burned.
  private(set) var supply = ExactSum.zero

  /// Applies a transfer, or takes it back. O(1) amortised.
  ///
  /// - Parameter crossed: told each address whose balance became zero (false) or stopped being it (true).
  mutating func apply(_ row: TransferRow, undo: Bool, crossed: (UInt32, Bool) -> Void) {
    guard row.amount != .zero, row.from != row.to else { return }
    let amount = undo ? -ExactSum(row.amount) : ExactSum(row.amount)
    if row.from == TransferRow.zeroAddress {
      supply += amount
    } else {
      add(-amount, to: row.from, crossed)
    }
    if row.to == TransferRow.zeroAddress {
      supply -= amount
    } else {
      add(amount, to: row.to, crossed)
    }
  }

  /// Lends every address with a balance other than zero, in no order. O(slots).
  func visit(_ body: (UInt32, ExactSum) -> Void) {
    for slot in 0..<slots.count where slots[slot] != 0 && !sums[slot].isZero { body(slots[slot] - 1, sums[slot]) }
  }

  private mutating func add(_ amount: ExactSum, to address: UInt32, _ crossed: (UInt32, Bool) -> Void) {
    let slot = slot(of: address)
    let before = sums[slot]
    var after = before
    after += amount
    sums[slot] = after
    holders += (after.isPositive ? 1 : 0) - (before.isPositive ? 1 : 0)
    negatives += (after.isNegative ? 1 : 0) - (before.isNegative ? 1 : 0)
    if before.isZero { crossed(address, true) }
    if after.isZero { crossed(address, false) }
  }

  /// The slot of an address, a new one with balance zero if it has none.
  private mutating func slot(of address: UInt32) -> Int {
    if (used + 1) * 2 > slots.count { grow() }
    var slot = Self.first(address) & (slots.count - 1)
    while slots[slot] != 0 {
      if slots[slot] == address + 1 { return slot }
      slot = (slot + 1) & (slots.count - 1)
    }
    slots[slot] = address + 1
    sums[slot] = .zero
    used += 1
    return slot
  }

  private mutating func grow() {
    var oldSlots = ColumnHandle<UInt32>()
    var oldSums = ColumnHandle<ExactSum>()
    swap(&oldSlots, &slots)
    swap(&oldSums, &sums)
    // Balances that went back to zero are left behind.
    let live = Search.count(oldSlots.count) { oldSlots[$0] != 0 && !oldSums[$0].isZero }
    var wanted = 4
    while wanted < (live + 1) * 4 { wanted *= 2 }
    slots = ColumnHandle(repeating: 0, count: wanted)
    sums = ColumnHandle(repeating: .zero, count: wanted)
    used = 0
    for slot in 0..<oldSlots.count where oldSlots[slot] != 0 && !oldSums[slot].isZero {
      sums[self.slot(of: oldSlots[slot] - 1)] = oldSums[slot]
    }
  }

  private static func first(_ address: UInt32) -> Int {
    Int(truncatingIfNeeded: UInt64(address) &* 0x9E37_79B9_7F4A_7C15 >> 32)
  }
}

extension Search {
  /// How many of 0..<count `holds` is true for. O(count).
  static func count(_ count: Int, where holds: (Int) -> Bool) -> Int {
    var found = 0
    for index in 0..<count where holds(index) { found += 1 }
    return found
  }
}
