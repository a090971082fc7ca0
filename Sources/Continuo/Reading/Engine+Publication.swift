// Making versions for readers, once somebody asked for them.
// Invariant: a version holds whole batches; every token that was changed since the last version has a version of its own.
// Not here: how versions are kept and read (Publication, TokenVersion), memory (Arena).

extension Engine {
  /// Where readers on other threads come from. From the first call on, every batch leaves a version for them. O(tokens)
  /// the first time, then O(1).
  public mutating func publication() -> Publication {
    isRead = true
    return versionsFromNowOn()
  }

  /// The engine as it is now, for as long as that is held. O(tokens) where it has no versions yet.
  mutating func pin() -> PinnedVersion { versionsFromNowOn().pin() }

  /// The same, until ``endVersions()``, with the version of now.
  private mutating func versionsFromNowOn() -> Publication {
    if let readers {
      leaveVersion(readers)
      return readers
    }
    arena.beginPublishing()
    let publication = Publication(arena)
    readers = publication
    for token in 0..<tokenStates.count { willChange(token) }
    leaveVersion(publication)
    return publication
  }

  /// Leaves no versions any more, unless readers were asked for: the last one that was kept is done with. O(tokens).
  package mutating func endVersions() {
    guard !isRead, let publication = readers else { return }
    publication.close()
    for token in 0..<min(versions.count, tokenStates.count) {
      TokenVersion.retire(versions[token], arena)
      versions[token] = 0
    }
    balanceLog.removeAll()
    changedTokens.removeAll()
    readers = nil
    arena.endPublishing()
  }

  /// Notes that a token is about to change. O(1).
  ///
  /// - Parameter onlyTrades: its rest is left as it is (TokenRest).
  @inline(__always)
  mutating func willChange(_ token: Int, onlyTrades: Bool = false) {
    guard arena.isPublishing else { return }
    if !onlyTrades { tokenStates[token].isRestChanged = true }
    guard tokenStates[token].changed != arena.sequence else { return }
    tokenStates[token].changed = arena.sequence
    changedTokens.append(UInt32(truncatingIfNeeded: token))
  }

  /// Ends a step: shows readers what was changed since the last version. Without readers there is nothing to show: who holds a
  /// version to keep it elsewhere needs that one alone, and what is made behind it is changed in place. O(tokens changed).
  mutating func publish() {
    guard !isHeld else { return }
    guard let readers else { return arena.reclaim() }
    if isRead { leaveVersion(readers) }
  }

  /// Shows readers nothing of the steps that follow before ``showVersions()``: several batches that are one. O(1).
  package mutating func holdVersions() {
    beginStep()
    isHeld = true
  }

  /// Shows what was done since ``holdVersions()``, as one version. O(tokens changed).
  package mutating func showVersions() {
    isHeld = false
    publish()
  }

  /// Makes the version of now. O(tokens changed).
  private mutating func leaveVersion(_ readers: Publication) {
    if versions.count < tokenStates.count { growVersions() }
    for index in 0..<changedTokens.count {
      let token = Int(changedTokens[index])
      if index + Self.versionsAhead < changedTokens.count {
        let next = Int(changedTokens[index + Self.versionsAhead])
        tokenStates.prefetch(next, lines: TokenState.tradesLines)
        versions.prefetch(next)
        // Half way there the token's first line has come, and tells whether the others are needed.
        let near = Int(changedTokens[index + Self.versionsAhead / 2])
        if tokenStates[near].isRestChanged { tokenStates.prefetch(near, from: TokenState.tradesLines, lines: 10) }
      }
      versions[token] = TokenVersion.publish(&tokenStates[token], over: versions[token], arena)
    }
    guard stepChanges.isOn else {
      // Somebody may have come while the step was taken, of which nothing was noted.
      let isLate = readers.changes.isWanted
      let tokens = isLate ? (0..<changedTokens.count).map { changedTokens[$0] } : []
      changedTokens.removeAll()
      readers.publish(EngineContents(self, sequence: arena.sequence))
      if isLate { beginFollowing(readers, behind: tokens) }
      return
    }
    let changes = takeStepChanges()
    let tokens = readers.changes.isHeard ? (0..<changedTokens.count).map { changedTokens[$0] } : []
    changedTokens.removeAll()
    readers.changes.note(arena.sequence, changes)
    readers.publish(EngineContents(self, sequence: arena.sequence))
    readers.changes.ring(arena.sequence - 1, changes, engineClock.now)
    if !tokens.isEmpty { readers.changes.tell(tokens, changes) }
  }

  /// How many tokens ahead the memory of a state is asked for.
  private static var versionsAhead: Int { 6 }

  private mutating func growVersions() {
    let grown = AtomicWords(max(64, tokenStates.count * 2), arena)
    for token in 0..<versions.count { grown[token] = versions[token] }
    versions = grown
  }
}
