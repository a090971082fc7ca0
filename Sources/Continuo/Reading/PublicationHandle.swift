// Versions for readers on other threads: whole batches only, one instant within a call, no lock, nothing allocated.
// Invariant: what a version refers to is not written while it can be seen; a reader sees the version that was newest when
// its call began, or a later one.
// Not here: a token's versions (TokenVersion), what a version holds (EngineContents), memory (Arena), what is answered
// (MarketAnswers).
// Rules 8.
// Sources: RCU (McKenney & Slingwine 1998), epochs (Fraser 2004), version chains as in multi-version concurrency control.

internal import Synchronization

/// The versions of one engine: where readers come from.
///
///     let publication = engine.publication()
///     // on another thread:
///     var reader = publication.reader()
///     reader.read { market in
///       if let art = market.token("ART") { market.forEachCandle(of: art, CandleQuery()) { print($0.bucket) } }
///     }
///
/// It may outlive its engine: the last version stays readable.
@safe public final class Publication: Sendable {
  /// The last version's sequence, 0 before any.
  private let published = Atomic<UInt64>(0)
  /// Where the last version's contents are.
  private let root = Atomic<UInt>(0)
  /// The first of the pins.
  private let pins = Atomic<UInt>(0)
  private let arena: Arena
  /// What each version changed, once somebody follows.
  let changes = CandleChanges()

  init(_ arena: Arena) { self.arena = arena }

  /// The last version's sequence. O(1).
  var version: UInt64 { published.load(ordering: .acquiring) }

  // SAFETY: pins were retained when they were put in; no reader is left when the last reference goes.
  deinit {
    var next = unsafe UnsafePointer<Pin>(bitPattern: pins.load(ordering: .acquiring))
    while let pin = unsafe next {
      unsafe next = pin.pointee.next
      unsafe UnsafeMutablePointer(mutating: pin).deinitialize(count: 1)
      unsafe UnsafeMutablePointer(mutating: pin).deallocate()
    }
  }

  /// What one reader holds on to: a version's sequence, 0 between its calls. Pins are used again, never taken out.
  @safe fileprivate struct Pin: ~Copyable {
    let sequence = Atomic<UInt64>(0)
    let isTaken = Atomic<Bool>(true)
    let next: UnsafePointer<Pin>?
    // Readers write their pins all the time: each has lines of its own.
    private let padding: [14 of UInt64] = .init(repeating: 0)

    // SAFETY: pins and versions live as long as somebody may read them (Arena).
    init(next: UnsafePointer<Pin>?) { unsafe self.next = unsafe next }
  }

  /// A reader, for one thread at a time. O(readers).
  // SAFETY: pins and versions live as long as somebody may read them (Arena).
  public func reader() -> Reader { unsafe Reader(self, takePin()) }

  /// The newest version, to be read for as long as it takes. O(readers).
  // SAFETY: pins and versions live as long as somebody may read them (Arena).
  func pin() -> PinnedVersion { unsafe PinnedVersion(self, takePin()) }

  private func takePin() -> UnsafePointer<Pin> {
    let first = pins.load(ordering: .acquiring)
    var next = unsafe UnsafePointer<Pin>(bitPattern: first)
    while let pin = unsafe next {
      // SAFETY: pins live as long as the publication.
      let (isOurs, _) = unsafe pin.pointee.isTaken.compareExchange(
        expected: false, desired: true, ordering: .acquiringAndReleasing)
      if isOurs { return unsafe pin }
      unsafe next = pin.pointee.next
    }
    var head = first
    while true {
      let pin = UnsafeMutablePointer<Pin>.allocate(capacity: 1)
      unsafe pin.initialize(to: Pin(next: UnsafePointer(bitPattern: head)))
      // In the one order too: a writer that looked before this store was done before our first root was read.
      let (isIn, now) = pins.compareExchange(
        expected: head, desired: UInt(bitPattern: pin), ordering: .sequentiallyConsistent)
      if isIn { return unsafe UnsafePointer(pin) }
      // SAFETY: nobody else has seen this one.
      unsafe pin.deinitialize(count: 1)
      unsafe pin.deallocate()
      head = now
    }
  }

  fileprivate static func giveBack(_ pin: UnsafePointer<Pin>) {
    // SAFETY: pins and versions live as long as somebody may read them (Arena).
    unsafe pin.pointee.isTaken.store(false, ordering: .releasing)
  }

  /// Pins the newest version and tells what it holds.
  @inline(__always)
  fileprivate func enter(_ pin: UnsafePointer<Pin>) -> EngineContents {
    // The pin first, then the root, both in the one order that the writer's stores and its look at the pins are in: it
    // either sees the pin, or was done with what it retired before the root was read.
    let pinned = published.load(ordering: .acquiring)
    unsafe pin.pointee.sequence.store(pinned, ordering: .sequentiallyConsistent)
    let word = root.load(ordering: .sequentiallyConsistent)
    // SAFETY: a root is published before any reader can be made, and stays while a pin as old as it stands.
    let newest = unsafe UnsafePointer<EngineContents>(bitPattern: word).unsafelyUnwrapped
    unsafe precondition(newest.pointee.sequence >= pinned, "a reader gets what it pinned, or a later version")
    return unsafe newest.pointee
  }

  @inline(__always)
  fileprivate static func leave(_ pin: UnsafePointer<Pin>) {
    // SAFETY: pins and versions live as long as somebody may read them (Arena).
    unsafe pin.pointee.sequence.store(0, ordering: .releasing)
  }

  // MARK: writing

  /// Makes `contents` the newest version, and gives back what no reader can see any more. O(readers + what is given back).
  func publish(_ contents: EngineContents) {
    let size = MemoryLayout<EngineContents>.stride
    let fresh = unsafe arena.take(size).bindMemory(to: EngineContents.self, capacity: 1)
    // SAFETY: the block is ours until its address is stored below.
    unsafe fresh.initialize(to: contents)
    let old = root.load(ordering: .relaxed)
    root.store(UInt(bitPattern: fresh), ordering: .sequentiallyConsistent)
    published.store(contents.sequence, ordering: .sequentiallyConsistent)
    if let old = unsafe UnsafeMutableRawPointer(bitPattern: old) { unsafe arena.retire(old, size) }
    arena.advance(oldest: oldestPinned() ?? contents.sequence)
  }

  /// Gives the last version back. O(readers).
  ///
  /// - Precondition: no reader is left, and none comes.
  func close() {
    precondition(oldestPinned() == nil, "versions end when nobody reads them")
    let old = root.exchange(0, ordering: .relaxed)
    // SAFETY: pins and versions live as long as somebody may read them (Arena); this one nobody reads.
    if let old = unsafe UnsafeMutableRawPointer(bitPattern: old) {
      unsafe arena.retire(old, MemoryLayout<EngineContents>.stride)
    }
  }

  private func oldestPinned() -> UInt64? {
    var oldest: UInt64?
    var next = unsafe UnsafePointer<Pin>(bitPattern: pins.load(ordering: .sequentiallyConsistent))
    while let pin = unsafe next {
      // SAFETY: pins live as long as the publication.
      let sequence = unsafe pin.pointee.sequence.load(ordering: .sequentiallyConsistent)
      if sequence > 0 { oldest = min(oldest ?? sequence, sequence) }
      unsafe next = pin.pointee.next
    }
    return oldest
  }
}

/// Reads versions of an engine, on any one thread at a time; made by ``Publication/reader()``.
@safe public struct Reader: ~Copyable, @unchecked Sendable {
  // SAFETY of @unchecked: the pin is ours alone, and its fields are atomic.
  private let publication: Publication
  private let pin: UnsafePointer<Publication.Pin>

  fileprivate init(_ publication: Publication, _ pin: UnsafePointer<Publication.Pin>) {
    self.publication = publication
    // SAFETY: pins and versions live as long as somebody may read them (Arena).
    unsafe self.pin = pin
  }

  /// Lends the newest whole batch's version; all answers from it are of one instant. O(1) and what `body` does.
  ///
  /// While `body` runs, what that version holds stays in memory.
  public mutating func read<Answer, Failure: Error>(_ body: (borrowing Snapshot) throws(Failure) -> Answer)
    throws(Failure) -> Answer
  {
    // SAFETY: pins and versions live as long as somebody may read them (Arena).
    let snapshot = unsafe Snapshot(contents: publication.enter(pin))
    defer { unsafe Publication.leave(pin) }
    return try body(snapshot)
  }

  // SAFETY: pins and versions live as long as somebody may read them (Arena).
  deinit { unsafe Publication.giveBack(pin) }
}

/// A version that stays as it is until this goes.
@safe struct PinnedVersion: ~Copyable, @unchecked Sendable {
  // SAFETY of @unchecked: the pin is ours alone, and its fields are atomic.
  private let publication: Publication
  private let pin: UnsafePointer<Publication.Pin>
  private let contents: EngineContents

  fileprivate init(_ publication: Publication, _ pin: UnsafePointer<Publication.Pin>) {
    self.publication = publication
    // SAFETY: pins and versions live as long as somebody may read them (Arena).
    unsafe self.pin = pin
    contents = unsafe publication.enter(pin)
  }

  /// What it holds, for as long as this is there.
  var snapshot: Snapshot { Snapshot(contents: contents) }

  // SAFETY: pins and versions live as long as somebody may read them (Arena).
  deinit {
    unsafe Publication.leave(pin)
    unsafe Publication.giveBack(pin)
  }
}
