// Memory for things that cannot be copied: states of tokens, indexes of chains. A thing never moves.
// Invariant: 0 ≤ count ≤ room; slots 0..<count are initialised; each begins at a line of memory.
// Not here: what the things are, where the memory comes from (Arena).
// Source of the segments: Brodnik, Carlsson, Demaine, Munro, Sedgewick, "Resizable Arrays in Optimal Time and Space", 1999.

internal import CMemory

/// Where things lie: segments of 4, 8, 16 … slots, so that nothing is copied when there are more.
@safe struct SlotPlaces<Element: ~Copyable>: BitwiseCopyable {
  private let segments: UnsafeMutablePointer<UnsafeMutableRawPointer?>

  static var segmentsMax: Int { 32 }
  /// From one slot to the next: whole lines.
  static var stride: Int { (MemoryLayout<Element>.stride + 63) & ~63 }

  // SAFETY: the table has `segmentsMax` places, and lives as long as the arena.
  fileprivate init(_ arena: Arena) {
    unsafe segments = arena.take(Self.segmentsMax * 8)
      .bindMemory(to: UnsafeMutableRawPointer?.self, capacity: Self.segmentsMax)
    unsafe segments.initialize(repeating: nil, count: Self.segmentsMax)
  }

  /// How many slots a segment has.
  static func slots(_ segment: Int) -> Int { 4 << segment }

  /// The segment that slot `index` is in.
  @inline(__always)
  private static func segment(_ index: Int) -> Int { 61 &- (index &+ 4).leadingZeroBitCount }

  /// Where slot `index` is. O(1).
  ///
  /// - Precondition: there is a segment for it, and the slot is initialised before it is read.
  @inline(__always)
  func slot(_ index: Int) -> UnsafeMutablePointer<Element> {
    // SAFETY: as said above: the caller has checked the index against the count.
    unsafe start(index).assumingMemoryBound(to: Element.self)
  }

  @inline(__always)
  fileprivate func start(_ index: Int) -> UnsafeMutableRawPointer {
    let segment = Self.segment(index)
    // SAFETY: the segment is there, and has `slots` of them from 4 · 2^segment − 4 on.
    return unsafe segments[segment].unsafelyUnwrapped
      + (index &+ 4 &- Self.slots(segment)) &* Self.stride
  }

  /// Adds the segment that slot `index` is the first one of.
  // SAFETY: the block has room for its slots behind the first line that begins in it.
  fileprivate func addSegment(_ index: Int, _ arena: Arena) {
    let segment = Self.segment(index)
    let block = unsafe arena.take(Self.slots(segment) * Self.stride + 32)
    unsafe segments[segment] = UnsafeMutableRawPointer(bitPattern: (UInt(bitPattern: block) + 63) & ~63)
  }
}

/// A growing array of non-copyable things, lent out in place.
@safe struct SlotsHandle<Element: ~Copyable>: ~Copyable {
  /// Where the things are, as long as nobody changes the array.
  let places: SlotPlaces<Element>
  private(set) var count = 0
  /// How many slots there is memory for.
  private var room = 0
  private let arena: Arena

  init(_ arena: Arena) {
    self.arena = arena
    places = SlotPlaces(arena)
  }

  /// The thing in slot `index`, in place. O(1).
  subscript(index: Int) -> Element {
    @inline(__always)
    _read {
      precondition(index >= 0 && index < count, "slots are read within their count")
      // SAFETY: index < count by the check above; slots below count are initialised.
      yield unsafe places.slot(index).pointee
    }
    @inline(__always)
    _modify {
      precondition(index >= 0 && index < count, "slots are written within their count")
      // SAFETY: as for reading; exclusive access to self is exclusive access to its memory.
      yield unsafe &places.slot(index).pointee
    }
  }

  /// Asks for some lines of the thing in slot `index`, which need not be there. O(1).
  @inline(__always)
  func prefetch(_ index: Int, from first: Int = 0, lines: Int) {
    guard index >= 0, index < count else { return }
    let start = unsafe places.start(index)
    for line in first..<first + lines {
      // SAFETY: a prefetch of any address is harmless; this one is not read here.
      unsafe continuo_prefetch(start + line * 64)
    }
  }

  /// Adds a thing at the end; no other one moves. O(1).
  mutating func append(_ element: consuming Element) {
    if count == room {
      places.addSegment(count, arena)
      room = room * 2 + 4
    }
    // SAFETY: count < room now; the slot is still empty.
    unsafe places.slot(count).initialize(to: element)
    count += 1
  }

  // SAFETY: exactly slots 0..<count are initialised. Their memory goes with the arena.
  deinit {
    for index in 0..<count { unsafe places.slot(index).deinitialize(count: 1) }
  }
}

// SAFETY: the memory belongs to one handle, which cannot be copied: it goes where the handle goes.
extension SlotsHandle: @unchecked Sendable where Element: Sendable & ~Copyable {}
