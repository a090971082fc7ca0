// One token's versions, newest first: each with what swaps change, and with what they do not where its last change left it.
// Invariant: what a version refers to is not written while it can be seen; a token's versions have one rest between them
// for as long as nothing changes in it.
// Not here: who reads which version (Publication), what a token has (TokenView), memory (Arena).
// Rules 8.

/// A token, as one version has it.
@safe struct TokenVersion: BitwiseCopyable {
  private var sequence: UInt64
  private var older: UnsafePointer<TokenVersion>?
  /// Where its rest is.
  private var restWord: UInt
  private(set) var trades: TokenTrades

  /// Makes the next version of a token; the one before is given back when no reader can see it. O(1).
  ///
  /// - Parameters:
  ///   - state: the token; changed no more than to note that this version has its rest. Borrowed, it would be copied first.
  ///   - word: where the newest version is; 0 for none.
  @inline(__always)
  static func publish(_ state: inout TokenState, over word: UInt64, _ arena: Arena) -> UInt64 {
    let size = MemoryLayout<TokenVersion>.stride
    let fresh = unsafe arena.take(size).bindMemory(to: TokenVersion.self, capacity: 1)
    let old = unsafe UnsafeMutablePointer<TokenVersion>(bitPattern: UInt(word))
    // SAFETY: the block is ours until its address is stored where readers look, and nothing in it needs to be initialised.
    // Field by field, for a version that is made elsewhere is copied from there while its bytes are still on their way.
    unsafe fresh.pointee.sequence = arena.sequence
    unsafe fresh.pointee.older = UnsafePointer(old)
    unsafe fresh.pointee.trades.swaps = state.swaps.view
    unsafe fresh.pointee.trades.hours = state.hours.view
    unsafe fresh.pointee.trades.droppedSwaps = state.droppedSwaps
    unsafe fresh.pointee.trades.newestHour = state.newestHour
    if state.isRestChanged || word == 0 { publishRest(&state, isFirst: word == 0, arena) }
    unsafe fresh.pointee.restWord = state.restWord
    if let old = unsafe old { unsafe arena.retire(UnsafeMutableRawPointer(old), size) }
    return UInt64(UInt(bitPattern: fresh))
  }

  /// - Parameter isFirst: the token has no version that has another rest.
  @inline(never)
  private static func publishRest(_ state: inout TokenState, isFirst: Bool, _ arena: Arena) {
    let fresh = unsafe arena.take(MemoryLayout<TokenRest>.stride).bindMemory(to: TokenRest.self, capacity: 1)
    // SAFETY: as above. The rest before stays for as long as one of the versions that have it.
    unsafe fresh.initialize(to: state.rest)
    if !isFirst { retireRest(state.restWord, arena) }
    (state.isRestChanged, state.restWord) = (false, UInt(bitPattern: fresh))
  }

  private static func retireRest(_ word: UInt, _ arena: Arena) {
    // SAFETY: the word is where `publishRest` put a rest; it was taken with so many bytes.
    guard let rest = unsafe UnsafeMutableRawPointer(bitPattern: word) else { return }
    unsafe arena.retire(rest, MemoryLayout<TokenRest>.stride)
  }

  /// Gives a token's newest version back; older ones are retired already. O(1).
  static func retire(_ word: UInt64, _ arena: Arena) {
    // SAFETY: the word is where `publish` put a version; it and its rest were taken with so many bytes.
    guard let old = unsafe UnsafeMutablePointer<TokenVersion>(bitPattern: UInt(word)) else { return }
    unsafe retireRest(old.pointee.restWord, arena)
    unsafe arena.retire(UnsafeMutableRawPointer(old), MemoryLayout<TokenVersion>.stride)
  }

  /// The token as version `sequence` has it, nil where it had none. O(versions since).
  @inline(__always)
  static func version(_ word: UInt64, asOf sequence: UInt64) -> UnsafePointer<TokenVersion>? {
    var next = unsafe UnsafePointer<TokenVersion>(bitPattern: UInt(word))
    while let version = unsafe next {
      // SAFETY: the versions down to the reader's own are alive (Arena).
      if unsafe version.pointee.sequence <= sequence { return unsafe version }
      unsafe next = version.pointee.older
    }
    return nil
  }

  /// What swaps do not change. O(1).
  @inline(__always)
  var rest: TokenRest {
    // SAFETY: a version's rest is there before the version is, and lives as long (Arena).
    unsafe UnsafePointer<TokenRest>(bitPattern: restWord).unsafelyUnwrapped.pointee
  }

  /// Everything of it. O(1).
  @inline(__always)
  var view: TokenView { TokenView(trades: trades, rest: rest) }
}
