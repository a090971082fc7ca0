// Segments, read and taken apart by a thread of its own while the groups before are taken in.
// Invariant: groups come in the order of the segments, and a failure behind the groups before it; the thread has ended when
// the call returns.
// Not here: a segment's groups (SegmentFile), what they are taken into (KeptRestore).

internal import Continuo
internal import ContinuoBytes

enum SegmentsAhead {
  /// A group that is on its way, or its memory on the way back.
  private struct Group: Sendable {
    var segment: KeptReader?
    var events = SegmentGroup()
  }

  private struct State: Sendable {
    var ready: [Group] = []
    var free: [Group]
    var isEnded = false
    var failure: StorageFailure?
    /// Whether nobody takes any more.
    var isClosed = false
  }

  /// So many groups are in memory: one is filled, one is taken, one waits.
  private static let groups = 3

  /// Lends the groups of segments in order. O(events).
  ///
  /// - Parameter open: opens a segment; it is called by the other thread.
  static func forEachGroup(
    _ entries: [KeptEntry], _ open: @escaping @Sendable (KeptEntry) throws(StorageFailure) -> KeptReader,
    _ body: (KeptReader, SegmentGroup) throws(StorageFailure) -> Void
  ) throws(StorageFailure) {
    let state = MonitorHandle(State(free: [Group](repeating: Group(), count: groups)))
    guard let thread = ThreadHandle({ read(entries, open, state) }) else {
      return try forEachGroupAlone(entries, open, body)
    }
    defer {
      state.locked { $0.isClosed = true }
      thread.join()
    }
    var taken: Group?
    while true {
      let next = state.locked(
        when: { !$0.ready.isEmpty || $0.isEnded },
        { (state) -> Group? in
          if let taken { state.free.append(taken) }
          return state.ready.isEmpty ? nil : state.ready.removeFirst()
        })
      taken = next
      guard let next, let segment = next.segment else { break }
      try body(segment, next.events)
    }
    if let failure = state.locked({ $0.failure }) { throw failure }
  }

  private static func forEachGroupAlone(
    _ entries: [KeptEntry], _ open: (KeptEntry) throws(StorageFailure) -> KeptReader,
    _ body: (KeptReader, SegmentGroup) throws(StorageFailure) -> Void
  ) throws(StorageFailure) {
    var scratch = SegmentScratch()
    for entry in entries {
      let segment = try open(entry)
      try SegmentFile.forEachGroup(segment, &scratch) { (group) throws(StorageFailure) in
        try body(segment, group)
      }
    }
  }

  private static func read(
    _ entries: [KeptEntry], _ open: (KeptEntry) throws(StorageFailure) -> KeptReader, _ state: MonitorHandle<State>
  ) {
    var (scratch, isClosed) = (SegmentScratch(), false)
    var failure: StorageFailure?
    do throws(StorageFailure) {
      for entry in entries where !isClosed {
        let segment = try open(entry)
        try SegmentFile.forEachGroup(segment, &scratch) { events in
          guard !isClosed,
            var group = state.locked(
              when: { !$0.free.isEmpty || $0.isClosed }, { $0.isClosed ? nil : $0.free.removeLast() })
          else {
            isClosed = true
            return
          }
          group.segment = segment
          // Their memory goes on its way, that of an earlier group comes back.
          swap(&group.events, &events)
          state.locked { $0.ready.append(group) }
        }
      }
    } catch { failure = error }
    state.locked { ($0.failure, $0.isEnded) = (failure, true) }
  }
}
