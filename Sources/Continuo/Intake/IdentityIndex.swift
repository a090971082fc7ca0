// Which events are held: per kind and chain, sorted leaves of (block, log index), each with its token and time.
// Invariant: one entry for every held event and none besides; entries ascend strictly; leaves are never empty.
// Not here: comparing contents (Verdict), the events themselves (EventSeries).
// Rules 3.1.

/// The identities of one kind of event on one chain, in the order of (block, log index).
struct IdentityIndex: ~Copyable {
  private var leaves = SlotsHandle<IdentityLeaf>()
  private(set) var count = 0

  /// Where an event is held: its token and its time, which with the identity make its key.
  struct Entry: Equatable {
    var block: UInt64
    var logIndex: UInt32
    var token: UInt32
    var timestamp: Timestamp
  }

  /// The entry of an identity, nil if it is not held. O(log n).
  func find(block: UInt64, logIndex: UInt32) -> Entry? {
    let leaf = leafIndex(block, logIndex)
    guard leaf < leaves.count else { return nil }
    let slot = leaves[leaf].lowerBound(block, logIndex)
    let entry = leaves[leaf].entry(at: slot)
    return entry.block == block && entry.logIndex == logIndex ? entry : nil
  }

  /// Adds an entry. O(1) at the end, else O(leaf).
  ///
  /// - Precondition: its identity is not held.
  mutating func insert(_ entry: Entry) {
    count += 1
    var leaf = leafIndex(entry.block, entry.logIndex)
    if leaf == leaves.count {
      if leaf == 0 || leaves[leaf - 1].count == Limits.leafEntriesMax {
        leaves.append(IdentityLeaf())
      } else {
        leaf -= 1
      }
      return leaves[leaf].insert(entry, at: leaves[leaf].count)
    }
    if leaves[leaf].count == Limits.leafEntriesMax {
      let upper = leaves[leaf].split(at: Limits.leafEntriesMax / 2)
      leaves.insert(upper, at: leaf + 1)
      if leaves[leaf].endsBefore(entry.block, entry.logIndex) { leaf += 1 }
    }
    let slot = leaves[leaf].lowerBound(entry.block, entry.logIndex)
    leaves[leaf].insert(entry, at: slot)
  }

  /// Takes an identity out. O(leaf).
  mutating func remove(block: UInt64, logIndex: UInt32) {
    let leaf = leafIndex(block, logIndex)
    guard leaf < leaves.count else { return }
    let slot = leaves[leaf].lowerBound(block, logIndex)
    let entry = leaves[leaf].entry(at: slot)
    guard entry.block == block, entry.logIndex == logIndex else { return }
    count -= 1
    leaves[leaf].removeSubrange(slot..<slot + 1)
    if leaves[leaf].count == 0 { leaves.removeSubrange(leaf..<leaf + 1) }
  }

  /// Takes out every entry with a block over `block`. O(entries taken out + leaf).
  mutating func removeAll(above block: UInt64) -> [Entry] {
    guard block < .max else { return [] }
    let first = leafIndex(block + 1, 0)
    guard first < leaves.count else { return [] }
    var entries: [Entry] = []
    let slot = leaves[first].lowerBound(block + 1, 0)
    for leaf in first..<leaves.count {
      for index in (leaf == first ? slot : 0)..<leaves[leaf].count { entries.append(leaves[leaf].entry(at: index)) }
    }
    leaves[first].removeSubrange(slot..<leaves[first].count)
    leaves.removeSubrange((leaves[first].count == 0 ? first : first + 1)..<leaves.count)
    count -= entries.count
    return entries
  }

  /// Takes out every entry before `timestamp` and tells the greatest block of them. O(leaves + entries of those
  /// touched).
  mutating func removeAll(before timestamp: Timestamp) -> UInt64? {
    var greatest: UInt64?
    for leaf in 0..<leaves.count where leaves[leaf].firstTime < timestamp {
      let before = leaves[leaf].count
      if let block = leaves[leaf].removeAll(before: timestamp) { greatest = max(greatest ?? 0, block) }
      count -= before - leaves[leaf].count
    }
    leaves.removeAll { $0.count == 0 }
    return greatest
  }

  /// Lends every entry, in order. O(n).
  func visit(_ body: (Entry) -> Void) {
    for leaf in 0..<leaves.count {
      for index in 0..<leaves[leaf].count { body(leaves[leaf].entry(at: index)) }
    }
  }

  /// The first leaf that does not end before an identity.
  private func leafIndex(_ block: UInt64, _ logIndex: UInt32) -> Int {
    let last = leaves.count - 1
    if last < 0 || leaves[last].endsBefore(block, logIndex) { return leaves.count }
    return Search.first(leaves.count) { !leaves[$0].endsBefore(block, logIndex) }
  }
}

/// A run of entries, as columns.
private struct IdentityLeaf: ~Copyable {
  private var blocks = ColumnHandle<UInt64>()
  private var logIndexes = ColumnHandle<UInt32>()
  private var tokens = ColumnHandle<UInt32>()
  private var timestamps = ColumnHandle<Timestamp>()
  /// No entry is before this; after removals it may lie too early, which only costs a look.
  private(set) var firstTime = Timestamp(microseconds: .max)

  var count: Int { blocks.count }

  func entry(at index: Int) -> IdentityIndex.Entry {
    IdentityIndex.Entry(
      block: blocks[index], logIndex: logIndexes[index], token: tokens[index], timestamp: timestamps[index])
  }

  func endsBefore(_ block: UInt64, _ logIndex: UInt32) -> Bool {
    let last = count - 1
    return blocks[last] < block || blocks[last] == block && logIndexes[last] < logIndex
  }

  func lowerBound(_ block: UInt64, _ logIndex: UInt32) -> Int {
    Search.first(count) { blocks[$0] > block || blocks[$0] == block && logIndexes[$0] >= logIndex }
  }

  mutating func insert(_ entry: IdentityIndex.Entry, at index: Int) {
    blocks.insert(entry.block, at: index)
    logIndexes.insert(entry.logIndex, at: index)
    tokens.insert(entry.token, at: index)
    timestamps.insert(entry.timestamp, at: index)
    firstTime = min(firstTime, entry.timestamp)
  }

  mutating func removeSubrange(_ range: Range<Int>) {
    blocks.removeSubrange(range)
    logIndexes.removeSubrange(range)
    tokens.removeSubrange(range)
    timestamps.removeSubrange(range)
  }

  mutating func split(at index: Int) -> IdentityLeaf {
    var upper = IdentityLeaf()
    blocks.moveSuffix(from: index, into: &upper.blocks)
    logIndexes.moveSuffix(from: index, into: &upper.logIndexes)
    tokens.moveSuffix(from: index, into: &upper.tokens)
    timestamps.moveSuffix(from: index, into: &upper.timestamps)
    upper.firstTime = firstTime
    return upper
  }

  /// Takes out what is before `timestamp`; the greatest block of it, nil if it was nothing.
  mutating func removeAll(before timestamp: Timestamp) -> UInt64? {
    var kept = 0
    var greatest: UInt64?
    firstTime = Timestamp(microseconds: .max)
    for index in 0..<count {
      guard !(timestamps[index] < timestamp) else {
        greatest = max(greatest ?? 0, blocks[index])
        continue
      }
      firstTime = min(firstTime, timestamps[index])
      blocks[kept] = blocks[index]
      logIndexes[kept] = logIndexes[index]
      tokens[kept] = tokens[index]
      timestamps[kept] = timestamps[index]
      kept += 1
    }
    removeSubrange(kept..<count)
    return greatest
  }
}
