// Changes as they come, into the engine: gathered while more is there, taken whole, and confirmed when they are synced.
// Invariant: the server is never told that it may forget what is not on the disk here; a transaction is taken whole, or, where it is
// longer than memory is to hold, in parts, of which each is taken once.
// Not here: connecting and connecting again (Follower), what a change makes (ChangePlan).
// Rules 20.11.

#if Postgres
  internal import Continuo
  internal import ContinuoStorage

  /// A server that has said nothing, and was asked.
  struct Silence: Error, CustomStringConvertible {
    let place: String
    let seconds: Int64

    var description: String {
      "\(place): the server was silent for \(seconds) s, and was asked; the connection is made anew: see whether the server, or the network, is stopped"
    }
  }

  /// One stream, from its start to its end.
  struct ChangeStream {
    /// A transaction of more changes than this is planned in parts of so many.
    private static let partChanges = 25_000
    /// So many changes of several transactions are taken at once, where they are there already.
    private static let gatheredChangesMax = 10_000
    /// A truncation is taken in batches of so many.
    private static let truncationRows = 50_000
    /// How far the server's log has to go on without us before that is noted.
    private static let foreignBytes: UInt64 = 16 << 20
    private static let foreignMicroseconds: Int64 = 10_000_000

    private let options: Follower.Options
    private let sink: any EventSink
    private let sender: Connection
    private let keyFile: KeyFile
    private let letters: DeadLetters
    private let source: ByteString
    private let kinds: [EventKind]
    private let tell: (@Sendable (inout FollowerStatus) -> Void) -> Void
    private let own: (Set<UInt32>) -> Void
    private let tellTokens: ([[UInt8]: ToldToken?]) -> Void
    /// Throws where what is followed is not what it was.
    private let watch: () throws -> Void
    /// Reads an event of its table as that is now.
    private let read: (Int, EventIdentity) throws -> MappedEvent?
    private var applier: ChangeApplier
    private(set) var map: KeyMap
    /// How far the directory is.
    private var position: SourcePosition
    /// What may be confirmed.
    private var confirmable: LSN
    private var confirmed: LSN
    private var lastStatus = ContinuousClock.now
    private var lastForeign = ContinuousClock.now
    private var lastWatch = ContinuousClock.now
    /// When the server was last heard of, or we were busy.
    private var lastSign = ContinuousClock.now
    /// When it was asked for one.
    private var asked: ContinuousClock.Instant?

    // What was gathered and not taken yet.
    private var changes: [RowChange] = []
    private var tokens: [[UInt8]: ToldToken?] = [:]
    /// Behind the last transaction that was gathered whole; nil where none is.
    private var gatheredEnd: LSN?
    private var lastCommit: Timestamp?
    private var transactions = 0
    /// The transaction that is being read.
    private var open: OpenTransaction?
    /// What of it is planned and not taken: all of it is taken at once.
    private var parts: [ChangePart] = []

    private struct OpenTransaction {
      var commit: LSN
      /// How many of its changes were read.
      var read: UInt32 = 0
      /// So many of them were taken before.
      var skipped: UInt32
      /// All of it was.
      var isTaken: Bool
      /// Where its changes begin among those that are gathered.
      var start: Int
      /// It is too long to be kept: what comes of it is taken as it comes.
      var isTakenInParts = false
    }

    init(
      _ options: Follower.Options, _ sink: any EventSink, _ sender: Connection, _ keyFile: KeyFile,
      _ letters: DeadLetters,
      _ map: KeyMap, names: [String], at position: SourcePosition,
      _ tell: @escaping (@Sendable (inout FollowerStatus) -> Void) -> Void,
      owns: @escaping (Set<UInt32>) -> Void, tokens: @escaping ([[UInt8]: ToldToken?]) -> Void,
      watch: @escaping () throws -> Void, read: @escaping (Int, EventIdentity) throws -> MappedEvent?
    ) {
      (own, self.watch, self.read) = (owns, watch, read)
      (self.options, self.sink, self.sender, self.keyFile, self.letters) = (options, sink, sender, keyFile, letters)
      (self.map, self.position, self.tell, tellTokens) = (map, position, tell, tokens)
      source = SourcePosition.source(options.name)
      kinds = options.mapping.events.map(\.kind)
      applier = ChangeApplier(options.mapping, names: names)
      // Of a transaction that was taken in part nothing may be forgotten; what the server knows already does no harm.
      confirmable = position.isBetween ? position.lsn : LSN(0)
      confirmed = LSN(0)
    }

    private static let doing = "reading changes"

    /// Streams until it is interrupted, or something fails. What was gathered whole is taken first.
    mutating func run() throws {
      let name = OwnTables.joinName(options.name)
      let publications = SQLText.literal(SQLText.identifier(name))
      // From where the directory is: of what is before, the publication or the columns may be others than now.
      try sender.startCopyBoth(
        """
        START_REPLICATION SLOT \(SQLText.identifier(name)) LOGICAL \(position.lsn) (proto_version '1', publication_names \(publications), binary 'true')
        """, doing: Self.doing)
      do {
        try confirm(isForced: true)
        while true {
          // While something is gathered nobody waits: it is taken as soon as nothing more is there.
          let wait = gatheredEnd == nil || open != nil ? options.statusMicroseconds : 0
          guard let piece = try sender.receive(withinMicroseconds: wait, doing: Self.doing) else {
            try flush()
            try keepWatch()
            if try !isAsking() { try confirm(isForced: false) }
            continue
          }
          (lastSign, asked) = (ContinuousClock.now, nil)
          try take(piece)
        }
      } catch PostgresFailure.interrupted {
        try flush()
        try confirm(isForced: true)
        throw PostgresFailure.interrupted
      }
    }

    private mutating func take(_ piece: [UInt8]) throws {
      switch try ReplicationFrame(piece) {
      case .keepAlive(let end, let wantsReply):
        tell { $0.serverLSN = max($0.serverLSN, end) }
        if gatheredEnd != nil, open == nil { try flush() }
        if open == nil { try noteForeign(end) }
        // A server that is busy with what is not ours is never silent.
        try keepWatch()
        try confirm(isForced: wantsReply)
      case .change(_, let end, let bytes):
        tell { $0.serverLSN = max($0.serverLSN, end) }
        try take(try ChangeMessage(bytes))
      }
    }

    private mutating func take(_ message: ChangeMessage) throws {
      switch try applier.take(message) {
      case .begin(let commit):
        open = OpenTransaction(
          commit: commit, skipped: commit == position.lsn ? position.changes : 0, isTaken: commit < position.lsn,
          start: changes.count)
        applier.isPassing = open?.isTaken ?? false
      case .change(let change):
        try add(change)
        while let more = applier.next() { try add(more) }
      case .token(let id, let sent): tokens[id] = .some(sent.map { $0.joined(tokens[id] ?? nil) })
      case .commit(let end, let at):
        if open?.isTaken == false {
          (gatheredEnd, lastCommit) = (end, at)
          transactions += 1
        }
        open = nil
        if changes.count >= Self.gatheredChangesMax || !parts.isEmpty { try flush() }
      case .nothing: break
      }
    }

    private mutating func add(_ change: RowChange) throws {
      guard var transaction = open, !transaction.isTaken else { return }
      guard transaction.read < .max else { throw FollowingStop.usedUp("\(UInt32.max) changes in one transaction") }
      transaction.read += 1
      open = transaction
      guard transaction.read > transaction.skipped else { return }
      let change = try completed(change)
      if case .truncated(let table) = change {
        // By itself, and behind everything in front of it.
        try endPart(upTo: transaction.read - 1)
        try truncate(table, transaction.commit)
        changes = [change]
      } else {
        changes.append(change)
        guard changes.count - transaction.start >= Self.partChanges else { return }
      }
      try endPart(upTo: transaction.read)
    }

    /// What was not sent of an event is what its row has now, or a change of it is still to come.
    private func completed(_ change: RowChange) throws -> RowChange {
      guard case .put(let table, let key, let old, let oldEvent, let new?) = change, new.content == .unsent,
        let identity = new.identity
      else { return change }
      return .put(table: table, key: key, old: old, oldEvent: oldEvent, new: try read(table, identity))
    }

    // MARK: taking

    /// Takes all transactions that were gathered, if none is open.
    private mutating func flush() throws {
      guard open == nil, let end = gatheredEnd else { return }
      // Nothing of it may concern us: how far it is is noted now and then.
      if changes.isEmpty, parts.isEmpty, position.isBetween {
        try noteForeign(end)
      } else {
        parts.append(plan(SourcePosition(generation: position.generation, lsn: end)))
        try take(parts, commit: end)
        parts.removeAll()
      }
      tellGathered()
    }

    private mutating func tellGathered() {
      let (at, count) = (lastCommit, transactions)
      tell {
        if let at { $0.lastCommit = at }
        $0.transactions += count
      }
      if !tokens.isEmpty { tellTokens(tokens) }
      (gatheredEnd, transactions, tokens) = (nil, 0, [:])
    }

    /// Ends a part with what is gathered, the first changes of the transaction that is open among it.
    private mutating func endPart(upTo read: UInt32) throws {
      guard !changes.isEmpty, let commit = open?.commit else { return }
      try takeGathered()
      guard !changes.isEmpty else { return }
      try keep(plan(SourcePosition(generation: position.generation, lsn: commit, changes: read)), commit: commit)
      open?.start = 0
    }

    /// Takes what was gathered before the transaction that is open: that is not to wait for its end.
    private mutating func takeGathered() throws {
      guard parts.isEmpty, let start = open?.start, start > 0, let end = gatheredEnd else { return }
      let rest = Array(changes[start...])
      changes.removeSubrange(start...)
      try take([plan(SourcePosition(generation: position.generation, lsn: end))], commit: end)
      tellGathered()
      changes = rest
      open?.start = 0
    }

    /// Keeps a part of the transaction that is open until all of it is there; takes it, where that is too long.
    private mutating func keep(_ part: ChangePart, commit: LSN) throws {
      parts.append(part)
      if weight > options.wholeChangesMax { open?.isTakenInParts = true }
      guard open?.isTakenInParts == true else { return }
      try takeEach(commit: commit)
      tellGathered()
    }

    /// How much of one transaction is kept.
    private var weight: Int { parts.reduce(0) { $0 + $1.weight } }

    private mutating func takeEach(commit: LSN) throws {
      for part in parts { try take([part], commit: commit) }
      parts.removeAll()
    }

    /// How far the source is behind all that is planned.
    private var planned: SourcePosition { parts.last?.position ?? position }

    /// Plans all but the last rows of a truncation, in as many batches as it needs.
    private mutating func truncate(_ table: Int, _ commit: LSN) throws {
      let before = planned.lsn == commit ? planned.changes : 0
      while map.events(table).count > Self.truncationRows {
        let some = map.events(table)
          .sorted {
            ($0.value.chain, $0.value.block, $0.value.logIndex) < ($1.value.chain, $1.value.block, $1.value.logIndex)
          }
          .prefix(Self.truncationRows)
        changes = some.map { .removed(table: table, key: $0.key, oldEvent: nil) }
        guard planned.step < .max else { throw FollowingStop.usedUp("\(UInt16.max) batches of one truncation") }
        let step = planned.lsn == commit ? planned.step + 1 : 1
        let next = SourcePosition(generation: position.generation, lsn: commit, changes: before, step: step)
        // What is held goes, however old it is.
        try keep(plan(next, windowMicroseconds: .max), commit: commit)
      }
    }

    /// Plans what is gathered.
    private mutating func plan(_ next: SourcePosition, windowMicroseconds: Int64? = nil) -> ChangePart {
      let plan = ChangePlan(
        changes, kinds: kinds, &map, price: sink.price, newest: sink.newest,
        windowMicroseconds: windowMicroseconds ?? options.windowMicroseconds)
      let part = ChangePart(plan, changes, kinds: kinds, at: next)
      changes.removeAll(keepingCapacity: true)
      return part
    }

    /// Takes parts as one.
    private mutating func take(_ parts: [ChangePart], commit: LSN) throws {
      guard let next = parts.last?.position else { return }
      for part in parts { own(part.batch.chains) }
      // While what was rejected last is not written down, or has no room, nothing more is taken.
      try letters.settle()
      let tables = options.mapping.events
      try letters.append(parts.flatMap { $0.letters(lsn: commit, tables) })
      try keyFile.append(parts.count == 1 ? parts[0].keyChanges : parts.flatMap(\.keyChanges), at: next.value)
      let (letters, input) = (letters, Self.input(source, next))
      let receipts = try sink.take(whole: parts.map(\.batch), at: input) { receipts in
        try letters.append(zip(parts, receipts).flatMap { $0.letters($1, lsn: commit, tables) })
      }
      position = next
      if next.isBetween { confirmable = next.lsn }
      // Not with a map that is further than the directory is.
      if keyFile.isLong, next == planned { try keyFile.compact(&map, horizon: sink.horizon, at: next.value) }
      lastSign = ContinuousClock.now
      try keepWatch()
      let (keys, taken) = (map.count, confirmable)
      tell {
        $0.batches += 1
        for part in parts { $0.counts += part.counts }
        for receipt in receipts {
          $0.accepted += receipt.accepted
          $0.undone += receipt.undone
          $0.rejected += receipt.rejections.count
        }
        ($0.keys, $0.takenLSN) = (keys, max($0.takenLSN, taken))
      }
    }

    static func input(_ source: ByteString, _ position: SourcePosition) -> InputPosition {
      guard let input = InputPosition(source, position.value) else {
        preconditionFailure("the name of a source is short")
      }
      return input
    }

    // MARK: looking after the connection

    /// Looks now and then whether what is followed is what it was.
    private mutating func keepWatch() throws {
      guard ContinuousClock.now - lastWatch >= .microseconds(options.watchMicroseconds) else { return }
      try watch()
      lastWatch = ContinuousClock.now
    }

    /// Asks a server that is silent for a sign of life; gives it up where none comes. Whether it was asked now.
    private mutating func isAsking() throws -> Bool {
      let now = ContinuousClock.now
      if let asked {
        guard now - asked < .microseconds(options.patienceMicroseconds) else {
          throw Silence(place: sender.place, seconds: (now - lastSign).components.seconds)
        }
        return false
      }
      guard now - lastSign >= .microseconds(options.silenceMicroseconds) else { return false }
      asked = now
      try confirm(isForced: true, wantsReply: true)
      return true
    }

    // MARK: confirming

    /// Where only others write, the server's log goes on all the same: how far it is is taken down, and confirmed.
    private mutating func noteForeign(_ end: LSN) throws {
      guard end > position.lsn, position.isBetween else { return }
      let now = ContinuousClock.now
      guard
        end.value - position.lsn.value >= Self.foreignBytes
          || now - lastForeign >= .microseconds(Self.foreignMicroseconds)
      else { return }
      lastForeign = now
      let next = SourcePosition(generation: position.generation, lsn: end)
      try keyFile.append([], at: next.value)
      _ = try sink.take(EventBatch(price: sink.price), at: Self.input(source, next), isHistory: false)
      (position, confirmable) = (next, end)
      tell { $0.takenLSN = max($0.takenLSN, end) }
    }

    /// Tells the server what it may forget, where there is news or it was asked for.
    private mutating func confirm(isForced: Bool, wantsReply: Bool = false) throws {
      let now = ContinuousClock.now
      guard isForced || now - lastStatus >= .microseconds(options.statusMicroseconds) else { return }
      // What was rejected is on the disk before the server may forget it.
      try letters.flush()
      try sender.send(
        ReplicationFrame.status(synced: confirmable, at: options.wallClock(), wantsReply: wantsReply), doing: Self.doing
      )
      (lastStatus, confirmed) = (now, confirmable)
      let told = confirmed
      tell { $0.confirmedLSN = max($0.confirmedLSN, told) }
    }
  }
#endif
