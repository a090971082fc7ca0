// Where an engine's columns and chunks get their memory: blocks by size, cut from large regions, used again when given back.
// Invariant: a block that a published version may refer to is not used again while a reader could still see that version.
// Not here: what lies in the blocks (ColumnHandle, PackedChunkHandle), who reads which version (Publication).
// Source of the epochs: K. Fraser, "Practical lock-freedom", 2004.

internal import CMemory

#if CONTINUO_WATCHED
  internal import Synchronization
#endif

/// Memory in blocks, for one writer. All of it goes back at once with the arena.
@safe package final class Arena: @unchecked Sendable {
  // SAFETY of @unchecked: only the writer calls; other threads no more than keep the arena alive.

  @safe private struct Region {
    var start: UnsafeMutableRawPointer
    var bytes: Int
  }

  /// A block that was given back while versions may refer to it.
  @safe private struct Retired {
    var start: UnsafeMutableRawPointer
    var bytes: Int
    var sequence: UInt64
  }

  @safe private struct State {
    /// Free blocks by class; the first word of each points at the next.
    // SAFETY: `state` is ours from init to deinit, and has one writer; blocks lie within the regions that it holds.
    var free: [193 of UnsafeMutableRawPointer?] = unsafe .init(repeating: nil)
    var next: UnsafeMutableRawPointer?
    var left = 0
    var regionBytes = 64 << 10
    var regions: [Region] = []
    var retired: [Retired] = []
    var retiredStart = 0
    var sequence: UInt64 = 0
    var isPublishing = false
    /// Whether blocks that versions may have had are kept until a step is done: from the first version on, for good.
    var isDeferring = false
    var bytesInUse = 0
  }

  // Behind a pointer: a stored property of a class is checked for exclusive access at every use.
  private let state: UnsafeMutablePointer<State>

  package init() {
    // SAFETY: `state` is ours from init to deinit, and has one writer; blocks lie within the regions that it holds.
    unsafe state = .allocate(capacity: 1)
    unsafe state.initialize(to: State())
  }

  // SAFETY: regions were mapped by us and nobody refers to them: every user keeps the arena alive.
  deinit {
    for region in unsafe state.pointee.regions { unsafe continuo_unmap(region.start, region.bytes) }
    unsafe state.deinitialize(count: 1)
    unsafe state.deallocate()
  }

  /// Which version is being made: blocks that were taken for it are nobody else's yet.
  @inline(__always)
  // SAFETY: `state` is ours from init to deinit, and has one writer; blocks lie within the regions that it holds.
  package var sequence: UInt64 { unsafe state.pointee.sequence }

  /// How many bytes are taken: blocks in use and retired ones, rounded up to their classes.
  // SAFETY: `state` is ours from init to deinit, and has one writer; blocks lie within the regions that it holds.
  package var bytesInUse: Int { unsafe state.pointee.bytesInUse }

  /// How many bytes the system was asked for.
  // SAFETY: the state lives as long as we do.
  package var bytesMapped: Int { unsafe state.pointee.regions.reduce(0) { $0 + $1.bytes } }

  /// Takes a block, aligned to 32 bytes. O(1).
  func take(_ bytes: Int) -> UnsafeMutableRawPointer {
    let (index, size) = Self.class(bytes)
    unsafe state.pointee.bytesInUse += size
    guard index < Self.classes else { return unsafe map(size) }
    // SAFETY: a free block was written by `free` and holds the pointer to the next one.
    if let block = unsafe state.pointee.free[index] {
      unsafe state.pointee.free[index] = block.load(as: UnsafeMutableRawPointer?.self)
      return unsafe block
    }
    if unsafe state.pointee.left < size { addRegion(size) }
    let block = unsafe state.pointee.next.unsafelyUnwrapped
    // SAFETY: `left` bytes are left from `next` on.
    unsafe state.pointee.next = block + size
    unsafe state.pointee.left -= size
    return unsafe block
  }

  /// Gives a block back that no version refers to. O(1).
  ///
  /// - Parameter bytes: what it was taken with.
  func free(_ block: UnsafeMutableRawPointer, _ bytes: Int) {
    let (index, size) = Self.class(bytes)
    unsafe state.pointee.bytesInUse -= size
    guard index < Self.classes else { return unsafe unmap(block, size) }
    #if CONTINUO_WATCHED
      // Word by word: the thread sanitizer does not see that a block is filled as a whole.
      let words = unsafe block.assumingMemoryBound(to: Atomic<UInt64>.self)
      for index in 0..<size / 8 { unsafe words[index].store(0xA5A5_A5A5_A5A5_A5A5, ordering: .relaxed) }
    #elseif DEBUG
      // Who still reads it gets nonsense.
      unsafe block.initializeMemory(as: UInt8.self, repeating: 0xA5, count: size)
    #endif
    // SAFETY: blocks have room for a pointer, and this one is nobody's any more.
    unsafe block.storeBytes(of: state.pointee.free[index], as: UnsafeMutableRawPointer?.self)
    unsafe state.pointee.free[index] = block
  }

  /// Gives a block back that published versions may refer to. O(1).
  func retire(_ block: UnsafeMutableRawPointer, _ bytes: Int) {
    // SAFETY: `state` is ours from init to deinit, and has one writer; blocks lie within the regions that it holds.
    guard unsafe state.pointee.isDeferring else { return unsafe free(block, bytes) }
    unsafe state.pointee.retired.append(Retired(start: block, bytes: bytes, sequence: state.pointee.sequence))
  }

  /// Gives a block back: at once where no published version can refer to it, else when no reader sees such a version. O(1).
  ///
  /// - Parameter born: the version that it was taken for; `.max` where versions never have it.
  @inline(__always)
  func giveBack(_ block: UnsafeMutableRawPointer, _ bytes: Int, born: UInt64) {
    // SAFETY: what was taken for the version that is being made, and stands nowhere else, no reader has seen.
    if born < sequence { unsafe retire(block, bytes) } else { unsafe free(block, bytes) }
  }

  // MARK: versions

  /// Whether versions are published.
  // SAFETY: `state` is ours from init to deinit, and has one writer; blocks lie within the regions that it holds.
  var isPublishing: Bool { unsafe state.pointee.isPublishing }

  /// Starts to keep what versions refer to.
  package func beginPublishing() {
    // SAFETY: `state` is ours from init to deinit, and has one writer; blocks lie within the regions that it holds.
    guard unsafe !state.pointee.isPublishing else { return }
    unsafe state.pointee.isPublishing = true
    unsafe state.pointee.isDeferring = true
    // Never one that there was before.
    unsafe state.pointee.sequence += 1
  }

  /// Keeps nothing for versions any more. O(retired blocks).
  ///
  /// - Precondition: no reader is left, and none comes by what was published.
  func endPublishing() {
    // SAFETY: `state` is ours from init to deinit, and has one writer; blocks lie within the regions that it holds.
    unsafe state.pointee.isPublishing = false
    unsafe state.pointee.sequence += 1
    reclaim()
  }

  /// Gives back what was retired while nobody reads: behind a step, which may still read what it replaces. O(retired blocks).
  @inline(__always)
  func reclaim() {
    // SAFETY: `state` is ours from init to deinit, and has one writer; blocks lie within the regions that it holds.
    if unsafe !state.pointee.retired.isEmpty { freeRetired() }
  }

  @inline(never)
  private func freeRetired() {
    for index in unsafe state.pointee.retiredStart..<state.pointee.retired.count {
      // SAFETY: nobody reads, and nothing refers to a retired block.
      let block = unsafe state.pointee.retired[index]
      unsafe free(block.start, block.bytes)
    }
    unsafe state.pointee.retired.removeAll(keepingCapacity: true)
    unsafe state.pointee.retiredStart = 0
  }

  /// Goes on to the next version; what was retired up to version `oldest` can be used again. O(blocks used again).
  ///
  /// - Parameter oldest: the oldest version that a reader may still see.
  package func advance(oldest: UInt64) {
    // SAFETY: `state` is ours from init to deinit, and has one writer; blocks lie within the regions that it holds.
    unsafe state.pointee.sequence += 1
    while unsafe state.pointee.retiredStart < state.pointee.retired.count {
      // SAFETY: `state` is ours from init to deinit, and has one writer; blocks lie within the regions that it holds.
      let block = unsafe state.pointee.retired[state.pointee.retiredStart]
      // Retired while version n was made: version n does not have it, so who sees n or later cannot reach it.
      guard block.sequence <= oldest else { break }
      unsafe free(block.start, block.bytes)
      unsafe state.pointee.retiredStart += 1
    }
    if unsafe state.pointee.retiredStart * 2 > state.pointee.retired.count {
      unsafe state.pointee.retired.removeFirst(state.pointee.retiredStart)
      unsafe state.pointee.retiredStart = 0
    }
  }

  // MARK: regions

  /// Begins a region with room for a block: each is twice as long as the one before, up to a bound over every block's.
  private func addRegion(_ size: Int) {
    // SAFETY: `state` is ours from init to deinit, and has one writer; blocks lie within the regions that it holds.
    var bytes = unsafe state.pointee.regionBytes
    while bytes < size { bytes *= 2 }
    unsafe state.pointee.regionBytes = min(bytes * 2, 64 << 20)
    unsafe state.pointee.next = map(bytes)
    unsafe state.pointee.left = bytes
  }

  private func map(_ bytes: Int) -> UnsafeMutableRawPointer {
    // SAFETY: `state` is ours from init to deinit, and has one writer; blocks lie within the regions that it holds.
    guard let start = unsafe continuo_map(bytes, bytes >= 2 << 20 ? 2 << 20 : 64 << 10) else {
      fatalError("no memory: \(bytes) bytes more are not to be had; give the process more, or hold fewer events")
    }
    unsafe state.pointee.regions.append(Region(start: start, bytes: bytes))
    return unsafe start
  }

  private func unmap(_ start: UnsafeMutableRawPointer, _ bytes: Int) {
    // SAFETY: `state` is ours from init to deinit, and has one writer; blocks lie within the regions that it holds.
    unsafe state.pointee.regions.removeAll { unsafe $0.start == start }
    unsafe continuo_unmap(start, bytes)
  }

  // MARK: classes

  private static var classes: Int { 193 }

  /// A block's class and its bytes: multiples of 32 up to 1 KiB, then sixteen steps a doubling, above 1 MiB pages.
  @inline(__always)
  private static func `class`(_ bytes: Int) -> (index: Int, size: Int) {
    if bytes <= 1024 {
      let index = (max(bytes, 1) + 31) >> 5
      return (index, index << 5)
    }
    if bytes > 1 << 20 { return (classes, (bytes + 4095) & ~4095) }
    let log = Int.bitWidth - 1 - (bytes - 1).leadingZeroBitCount
    let shift = log - 4
    let steps = (bytes - 1) >> shift
    return (33 + (log - 10) * 16 + steps - 16, (steps + 1) << shift)
  }
}
