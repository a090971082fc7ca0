// Everything that answers are made of, as one version has it: the engine's own state to its writer, a published version
// to readers.
// Invariant: as long as it may be read, nothing in it changes; its tokens are those of its version.
// Not here: the answers (MarketAnswers and the rooms of what is answered), publishing (Publication).

/// What an engine, or one version of it, holds. Nothing but answers can be had from it.
@safe public struct EngineContents: BitwiseCopyable {
  /// The version; `.max` is the engine as it is now.
  let sequence: UInt64
  let clockState: EngineClock
  let horizon: Timestamp?
  let hasDropped: Bool
  let retention: RetentionPolicy?
  let tokenNames: NamesView
  let addressNames: NamesView
  let addressesWithBalance: Int
  let balanceLog: BalanceLogView
  let dayVolumes: DayVolumesView
  package let tokenCount: Int
  /// The tokens as they are now, for the engine itself.
  private let states: SlotPlaces<TokenState>?
  /// The newest version of each token, for readers.
  private let versions: AtomicWordsView

  @inline(__always)
  init(_ engine: borrowing Engine, sequence: UInt64) {
    self.sequence = sequence
    clockState = engine.engineClock
    horizon = engine.horizon
    hasDropped = engine.hasDropped
    retention = engine.settings.retention
    tokenNames = engine.tokenNames.view
    addressNames = engine.addressNames.view
    addressesWithBalance = engine.addressesWithBalance
    balanceLog = engine.balanceLog.view
    dayVolumes = engine.dayVolumes.view
    tokenCount = engine.tokenStates.count
    // The engine's states are only read while it is borrowed.
    states = sequence == .max ? engine.tokenStates.places : nil
    versions = engine.versions.view
  }

  /// A token as this version has it, read as far as it is needed. O(1) and the versions made since.
  @inline(__always)
  func reference(_ number: Int) -> TokenReference {
    precondition(number >= 0 && number < tokenCount, "a token of another engine, or of a later version")
    // SAFETY: the engine's own contents are read while it is borrowed, so its states stay where they are.
    if let states { return unsafe TokenReference(state: UnsafePointer(states.slot(number))) }
    guard let version = unsafe TokenVersion.version(versions[number], asOf: sequence) else {
      preconditionFailure("a version has all of its tokens")
    }
    return unsafe TokenReference(version: version)
  }

  /// A token as this version has it. O(1) and the versions made since.
  @inline(__always)
  func token(_ number: Int) -> TokenView { reference(number).view }
}

// SAFETY: what it refers to does not change, and outlives who may read it (Arena).
extension EngineContents: @unchecked Sendable {}

/// One version of an engine: what ``Reader/read(_:)`` lends.
public struct Snapshot: ~Copyable, MarketAnswers {
  /// What the version holds.
  public let contents: EngineContents

  /// Which version it is: it grows with every step, so equal ones hold the same. Valid as long as the engine is. O(1).
  public var version: UInt64 { contents.sequence }
}
