// Follows the application's tables: attaches, takes a snapshot where it has to, streams, and begins again after every failure that
// may pass.
// Invariant: one follower a directory and slot; a failure that a wait does not mend stops it, and says so.
// Not here: the steps themselves (Attachment, SnapshotLoad, ChangeStream).
// Rules 20.9.

#if Postgres
  package import Continuo
  internal import ContinuoStorage
  internal import Synchronization

  #if canImport(Glibc)
    internal import Glibc
  #else
    internal import Darwin
  #endif

  /// Follows tables on the thread that runs it.
  ///
  ///     let follower = Follower(options, sink, interrupt)
  ///     ThreadHandle { follower.run() }
  package final class Follower: Sendable {
    /// What is followed, and how.
    package struct Options: Sendable {
      package var target: ConnectionTarget
      package var name = "market"
      package var mapping = TableMapping()
      /// Deletions of events that are so much older than the newest one are the application's clean-up.
      package var windowMicroseconds: Int64 = 7 * 86_400_000_000
      /// How often the server is told how far everything is, while nothing happens.
      package var statusMicroseconds: Int64 = 1_000_000
      /// Whether it begins with a new snapshot, whatever the directory has.
      package var isFull = false
      /// How often is looked whether the publication is what it was.
      package var watchMicroseconds: Int64 = 5_000_000
      /// A server that is silent for so long is asked for a sign of life.
      package var silenceMicroseconds: Int64 = 10_000_000
      /// It is given up so much later; doubled with each time that it was, for it may read a very long transaction of others.
      package var patienceMicroseconds: Int64 = 60_000_000
      /// The file of keys is written anew once it is longer than twice its rows and so much.
      package var keyGrowthBytes: Int64 = 16 << 20
      /// A transaction of more rows and changes of keys than this, of which an update has two, is taken in parts that are seen as they
      /// come: until then all of it is in memory.
      package var wholeChangesMax = 1_000_000
      /// How long the file of rejected rows may be before nothing more is taken.
      package var rejectedBytesMax: Int64 = 64 << 20
      /// How the waits behind failures grow.
      package var backoff = Backoff()
      package var wallClock: @Sendable () -> Timestamp

      package init(_ target: ConnectionTarget, wallClock: @escaping @Sendable () -> Timestamp) {
        (self.target, self.wallClock) = (target, wallClock)
      }
    }

    private let options: Options
    private let sink: any EventSink
    private let interrupt: InterruptHandle
    private let state = Mutex(FollowerStatus())
    private let chains = Mutex<Set<UInt32>?>(nil)
    private let labels = Mutex<[[UInt8]: TokenRow]>([:])
    /// Is told of each change of phase, with why where there is a reason.
    private let tell: @Sendable (FollowerStatus.Phase, String?) -> Void
    /// Is told whose rows of the table of tokens changed.
    private let changed: @Sendable ([ByteString]) -> Void

    package init(
      _ options: Options, _ sink: any EventSink, _ interrupt: InterruptHandle,
      tell: @escaping @Sendable (FollowerStatus.Phase, String?) -> Void = { _, _ in },
      changed: @escaping @Sendable ([ByteString]) -> Void = { _ in }
    ) {
      (self.options, self.sink, self.interrupt, self.tell, self.changed) = (options, sink, interrupt, tell, changed)
    }

    /// How it goes. O(1).
    package var status: FollowerStatus { state.withLock { $0 } }

    /// The chains whose events come from the tables; nil where that is not known yet. O(chains).
    package var ownedChains: Set<UInt32>? { chains.withLock { $0 } }

    /// Reads of the directory which chains come from the tables, so that this is known however long the server is away.
    /// O(keys).
    package func readChains() throws {
      var known: Set<UInt32> = []
      let at = try sink.position(of: SourcePosition.source(options.name))
      if at != nil, try RealDisk().names(in: sink.directory)?.contains(KeyFile.name) == true {
        known = try KeyFile.open(directory: sink.directory, tables: options.mapping.events.count, at: at).file.chains
      }
      own(known)
      state.withLock { $0.isWhole = at.map { SourcePosition($0).isWhole } ?? false }
    }

    /// Label and supply of a token's row; nil where there is none. O(1).
    package func token(_ id: ByteString) -> TokenRow? { labels.withLock { $0[id.bytes] } }

    /// Follows until it is interrupted, or nothing helps.
    package func run() {
      var backoff = options.backoff
      var random = SystemRandomNumberGenerator()
      var hasConnected = false
      // Kept from one connection to the next: what could not be written down yet is in it.
      var letters: DeadLetters?
      var (renewal, silences): (String?, Int64) = (nil, 0)
      while !interrupt.isInterrupted {
        let began = ContinuousClock.now
        do {
          if hasConnected { state.withLock { $0.reconnections += 1 } }
          hasConnected = true
          let kept = try letters ?? DeadLetters(directory: sink.directory, bytesMax: options.rejectedBytesMax)
          letters = kept
          try follow(kept, &renewal, patienceMicroseconds: options.patienceMicroseconds << silences)
        } catch PostgresFailure.interrupted {
          break
        } catch {
          guard let why = Self.passing(error) else {
            try? letters?.flush()
            return stop(Self.text(error))
          }
          silences = error is Silence ? min(silences + 1, 6) : 0
          // Who has streamed for a while begins with short waits again.
          if ContinuousClock.now - began > .seconds(60) { backoff.succeed() }
          enter(.waiting, why)
          if interrupt.sleep(microseconds: backoff.next(using: &random)) { break }
        }
      }
      // What waits for room for long is tried a last time.
      try? letters?.flush()
      enter(.stopped, nil)
    }

    /// One connection, from its begin to its end.
    ///
    /// - Parameter renewal: why it begins with a snapshot whatever there is; done with once that is in.
    private func follow(_ letters: DeadLetters, _ renewal: inout String?, patienceMicroseconds: Int64) throws {
      var options = options
      options.patienceMicroseconds = patienceMicroseconds
      enter(.connecting, nil)
      let attachment = try Attachment(options, interrupt)
      enter(.checking, nil)
      try attachment.check()
      try attachment.publish()
      let (shape, names) = try attachment.shape()
      let source = SourcePosition.source(options.name)
      let at = try sink.position(of: source)
      let count = options.mapping.events.count
      var (keyFile, map, opening) = try KeyFile.open(directory: sink.directory, tables: count, at: at)
      keyFile.growthBytes = options.keyGrowthBytes
      own(keyFile.chains)
      var position = at.map { SourcePosition($0) }
      if let position, position.isWhole {
        let late = sink.lateRejections.first { $0.position.source == source }
        try letters.catchUp(position, late, map, options.mapping.events)
      }
      let course = try attachment.course(position, keyFile, isInStep: opening == .inStep, shape, renewal)
      if case .snapshot(let generation, let why) = course {
        enter(.snapshot, why)
        state.withLock { ($0.snapshots, $0.snapshotRows) = ($0.snapshots + 1, 0) }
        let identity = try attachment.identity()
        let point = try attachment.snapshot()
        try keyFile.reset(shape, kinds: Set(options.mapping.events.map(\.kind)))
        var load = SnapshotLoad(
          options, sink, attachment.server, keyFile, letters, generation: generation, { self.note($0) }, owns: own)
        try load.run(point: point, identity: identity)
        (map, position) = (load.map, SourcePosition(generation: generation, lsn: point))
        renewTokens(load.tokens)
        keyFile.noteLive(map)
        renewal = nil
      } else {
        renewTokens(try SnapshotLoad.tokens(options.mapping.tokens, attachment.server))
      }
      guard let position else { preconditionFailure("a snapshot has a position") }
      state.withLock { $0.keys = map.count }
      own(keyFile.chains)
      enter(.streaming, nil)
      var stream = ChangeStream(
        options, sink, attachment.sender, keyFile, letters, map, names: names, at: position, note, owns: own,
        tokens: { self.noteTokens($0) },
        watch: {
          if try attachment.publication() != shape.publication {
            throw Renewal(description: "the publication was altered or made anew")
          }
        }, read: RowLookup(server: attachment.server, mapping: options.mapping).event)
      do {
        try stream.run()
      } catch let stop as FollowingStop {
        // What was changed may have been mended since: then all that was written meanwhile is in the tables.
        guard case .tableChanged = stop else { throw stop }
        try attachment.check()
        renewal = stop.description
        throw Renewal(description: stop.description)
      }
    }

    /// All rows of tokens, as they are now: what was changed while nobody followed is news.
    private func renewTokens(_ tokens: [[UInt8]: TokenRow]) {
      let others = labels.withLock { labels in
        let gone = labels.keys.filter { tokens[$0] == nil }
        let others = tokens.filter { labels[$0.key] != $0.value }.keys + gone
        labels = tokens
        return others.map { ByteString($0) }
      }
      if !others.isEmpty { changed(others) }
    }

    /// Our own updates come back too: a row whose label and supply are what they were is no news.
    private func noteTokens(_ rows: [[UInt8]: ToldToken?]) {
      let others = labels.withLock { labels in
        var others: [ByteString] = []
        for (id, sent) in rows {
          let row = sent.map { $0.row(behind: labels[id]) }
          guard labels[id] != row else { continue }
          labels[id] = row
          others.append(ByteString(id))
        }
        return others
      }
      if !others.isEmpty { changed(others) }
    }

    private func own(_ more: Set<UInt32>) { chains.withLock { $0 = more.union($0 ?? []) } }

    private func note(_ change: @Sendable (inout FollowerStatus) -> Void) {
      state.withLock {
        change(&$0)
        $0.noteStep()
      }
    }

    private func enter(_ phase: FollowerStatus.Phase, _ why: String?) {
      state.withLock {
        ($0.phase, $0.failure) = (phase, phase == .waiting || phase == .stopped ? why ?? $0.failure : nil)
        if phase == .streaming { $0.isWhole = true }
        if phase == .snapshot { $0.isWhole = false }
        $0.noteStep()
      }
      tell(phase, why)
    }

    private func stop(_ why: String) { enter(.stopped, why) }

    /// Why something failed that may pass by itself; nil where it will not.
    private static func passing(_ error: any Error) -> String? {
      switch error {
      case let failure as PostgresFailure:
        // A slot that somebody reads is free again when they are gone.
        // What is not there any more is made anew, or found to be another one, with the next connection.
        return failure.isTransient || ["55006", "42704"].contains(failure.sqlState) ? failure.description : nil
      // Somebody mends it, or it is done with the next connection.
      case is Unfollowable, is Renewal, is Silence, is UnreadableColumn, FollowingStop.tableChanged: return text(error)
      case StorageFailure.noRoom, StorageFailure.journalTooLong: return text(error)
      // The file of keys is written in front of the journal, and meets a full disk first.
      case StorageFailure.disk(let failure) where failure.code == ENOSPC: return text(error)
      case let failure as DiskFailure where failure.code == ENOSPC: return text(error)
      default: return nil
      }
    }

    private static func text(_ error: any Error) -> String {
      switch error {
      case let failure as PostgresFailure: failure.description
      case let failure as StorageFailure: "\(failure.what); \(failure.remedy)"
      default: String(describing: error)
      }
    }
  }
#endif
