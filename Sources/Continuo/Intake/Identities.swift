// The identity indexes of all kinds and chains.
// Invariant: an index for each kind and chain that was ever seen; chains are few, their lookup is remembered.
// Not here: the order inside an index (IdentityIndex).

/// Where an identity is, or belongs, until anything is changed.
struct IdentityPlace: BitwiseCopyable {
  /// The place of its index, under 0 where it belongs to the end of one.
  fileprivate var index: Int
  fileprivate var position: SeriesView<IdentityEntry>.Position
  /// Whether it is there.
  fileprivate(set) var isHeld: Bool

  /// Behind all others of its chain, or the first one of it.
  static var end: IdentityPlace { IdentityPlace(index: -1, position: .init(chunk: 0, row: 0), isHeld: false) }

  @inline(__always)
  var isEnd: Bool { index < 0 }
}

/// Every held identity, by kind and chain.
struct Identities: ~Copyable {
  private var indexes: SlotsHandle<IdentityIndex>
  private var places: [UInt64: Int] = [:]
  private let arena: Arena
  /// The last place that was looked up: events of one chain come in a row.
  private var recent: (name: UInt64, place: Int) = (.max, 0)

  init(_ arena: Arena) {
    self.arena = arena
    indexes = SlotsHandle(arena)
  }

  /// How many events are held.
  var count: Int {
    var sum = 0
    for place in 0..<indexes.count { sum += indexes[place].count }
    return sum
  }

  /// Whether ``find(_:_:)`` may find anything: not behind the end of the chain that was added to last. O(1).
  @inline(__always)
  func mayHold(_ key: OrderKey, _ kind: EventKind) -> Bool {
    guard recent.name == Self.name(kind, key.chain) else { return true }
    guard let last = indexes[recent.place].lastKey else { return false }
    return !(last < IdentityEntry.Key(block: key.block, logIndex: key.logIndex))
  }

  /// The entry with the identity of an event that stands at `key`, nil if it is not held. O(log n), O(1) behind the end
  /// of its chain.
  func find(_ key: OrderKey, _ kind: EventKind) -> IdentityEntry? {
    let place = locate(key, kind)
    return place.isHeld ? entry(at: place) : nil
  }

  /// Where an identity is, or belongs. O(log n), O(1) behind the end of its chain.
  ///
  /// - Parameter chunk: where it is looked for first; under 0 where nobody knows.
  @inline(__always)
  func locate(_ key: OrderKey, _ kind: EventKind, near chunk: Int = -1) -> IdentityPlace {
    guard let index = place(kind, chain: key.chain) else { return .end }
    let own = IdentityEntry.Key(block: key.block, logIndex: key.logIndex)
    guard let last = indexes[index].lastKey, !(last < own) else { return .end }
    let view = indexes[index].view
    let position = view.lowerBound(own, near: chunk)
    return IdentityPlace(index: index, position: position, isHeld: view.key(at: position) == own)
  }

  /// The entry at a place where one is held. O(1).
  func entry(at place: IdentityPlace) -> IdentityEntry { indexes[place.index].row(at: place.position) }

  /// The place of an identity's index, nil where nothing of its kind and chain was ever held. O(1).
  @inline(__always)
  func place(_ kind: EventKind, chain: UInt32) -> Int? {
    let name = Self.name(kind, chain)
    return recent.name == name ? recent.place : places[name]
  }

  /// The index at a place, to be read until it is changed. O(1).
  @inline(__always)
  func view(at place: Int) -> SeriesView<IdentityEntry> { indexes[place].view }

  /// Adds an entry. O(1) at the end of its chain, else O(chunk).
  @inline(__always)
  mutating func insert(_ entry: IdentityEntry, _ kind: EventKind, chain: UInt32) {
    let name = Self.name(kind, chain)
    if recent.name != name { recent = (name, place(name)) }
    indexes[recent.place].insert(entry)
  }

  /// Adds an entry before the one that is at its place. O(chunk).
  @inline(__always)
  mutating func insert(_ entry: IdentityEntry, at place: IdentityPlace) {
    indexes[place.index].insert(entry, at: place.position)
  }

  /// Adds the entries of events of a kind behind all of their chain, for as long as each belongs there. O(events) amortised.
  ///
  /// - Parameters:
  ///   - keys: where they stand.
  ///   - tokens: their tokens, as many.
  ///   - start: the first of them.
  /// - Returns: how many: it ends before the first one that is of another chain or does not ascend.
  mutating func append(_ keys: Span<OrderKey>, _ tokens: Span<UInt32>, from start: Int, _ kind: EventKind) -> Int {
    let chain = keys[start].chain
    var end = start + 1
    while end < keys.count, keys[end].chain == chain { end += 1 }
    let name = Self.name(kind, chain)
    if recent.name != name { recent = (name, place(name)) }
    return indexes[recent.place].append(start..<end) { index in
      IdentityEntry(
        key: IdentityEntry.Key(block: keys[index].block, logIndex: keys[index].logIndex), token: tokens[index],
        timestamp: keys[index].timestamp)
    }
  }

  /// Takes out those of some identities of a kind and chain that are held. O(keys × log n + bytes of their chunks).
  ///
  /// - Parameter keys: ascending.
  /// - Returns: their entries, ascending.
  mutating func remove(_ keys: [IdentityEntry.Key], _ kind: EventKind, chain: UInt32) -> [IdentityEntry] {
    var entries: [IdentityEntry] = []
    guard let place = places[Self.name(kind, chain)] else { return entries }
    indexes[place].remove(keys) { entries.append($0) }
    entries.reverse()
    return entries
  }

  /// Takes out every event of a kind and chain with a block over `block`. O(entries taken out + chunk).
  mutating func removeAll(_ kind: EventKind, chain: UInt32, above block: UInt64) -> [IdentityEntry] {
    guard let place = places[Self.name(kind, chain)] else { return [] }
    return indexes[place].removeAll(above: block)
  }

  /// How many events of a kind and chain have a block over `block`. O(log n + those events).
  func count(_ kind: EventKind, chain: UInt32, above block: UInt64) -> Int {
    guard let place = places[Self.name(kind, chain)], block < .max else { return 0 }
    var position = indexes[place].lowerBound(IdentityEntry.Key(block: block + 1, logIndex: 0))
    var count = 0
    while position != indexes[place].end {
      count += 1
      position = indexes[place].after(position)
    }
    return count
  }

  /// Takes out everything before `timestamp`, and tells per chain the greatest block of it. O(chunks + entries of
  /// those touched).
  mutating func removeAll(before timestamp: Timestamp, _ dropped: (_ chain: UInt32, _ block: UInt64) -> Void) {
    for (name, place) in places {
      if let block = indexes[place].removeAll(before: timestamp) { dropped(UInt32(truncatingIfNeeded: name), block) }
    }
  }

  /// Lends every entry of a kind with its chain. O(n).
  func visit(_ kind: EventKind, _ body: (UInt32, IdentityEntry) -> Void) {
    for (name, place) in places where name >> 32 == UInt64(kind.rawValue) {
      var position = indexes[place].start
      while position != indexes[place].end {
        body(UInt32(truncatingIfNeeded: name), indexes[place].row(at: position))
        position = indexes[place].after(position)
      }
    }
  }

  private mutating func place(_ name: UInt64) -> Int {
    if let place = places[name] { return place }
    indexes.append(IdentityIndex(arena, isShared: false))
    places[name] = indexes.count - 1
    return indexes.count - 1
  }

  private static func name(_ kind: EventKind, _ chain: UInt32) -> UInt64 { UInt64(kind.rawValue) << 32 | UInt64(chain) }
}
