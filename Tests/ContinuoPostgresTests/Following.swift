// A follower with a data directory of its own, on a thread of its own, for as long as a test wants it.
// Invariant: it is ended and waited for; the directory is gone with the value.
// Not here: what is written meanwhile (Application).

#if Postgres
  import Continuo
  import ContinuoBytes
  import ContinuoPostgres
  import ContinuoStorage
  import Foundation
  import Synchronization
  import Testing

  /// A folder that is gone with the value.
  final class Folder: Sendable {
    let path: String

    init() throws {
      let url = FileManager.default.temporaryDirectory.appending(path: "continuo-\(UUID().uuidString)")
      try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
      path = url.path
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }
  }

  @Sendable func wallClock() -> Timestamp { Timestamp(microseconds: Int64(Date().timeIntervalSince1970 * 1e6)) }

  /// How much of something a test does: little in tools/test, all of it in tools/crash.
  enum Amount {
    static func asked(_ name: String, orElse few: Int) -> Int {
      ProcessInfo.processInfo.environment[name].flatMap { Int($0) } ?? few
    }
  }

  /// A directory behind another sink, which changes what a test wants to be otherwise.
  protocol WrappedSink: EventSink {
    var whole: LedgerSink { get }
  }

  extension WrappedSink {
    var directory: String { whole.directory }
    var price: PriceMode { whole.price }
    var newest: Timestamp? { whole.newest }
    var horizon: Timestamp? { whole.horizon }
    var lateRejections: [LateRejections] { whole.lateRejections }
    func held(_ kind: EventKind) -> [OrderKey] { whole.held(kind) }
    func position(of source: ByteString) throws -> UInt128? { try whole.position(of: source) }
    func moveHorizon() throws { try whole.moveHorizon() }
    func take(_ batch: EventBatch, at position: InputPosition, isHistory: Bool) throws -> Receipt {
      try whole.take(batch, at: position, isHistory: isHistory)
    }
    func take(
      whole batches: [EventBatch], at position: InputPosition, note: ([Receipt]) throws -> Void
    ) throws -> [Receipt] { try whole.take(whole: batches, at: position, note: note) }
  }

  final class Following {
    /// Gone once it is ended, so that the directory is free.
    private var parts: (ledger: Ledger, follower: Follower)?
    private var last = FollowerStatus()
    private let interrupt = InterruptHandle()
    private var thread: ThreadHandle?

    /// Opens the directory and begins to follow.
    init(
      _ options: Follower.Options, directory: String, _ ledgerOptions: Ledger.Options = Ledger.Options(),
      sink wrap: (LedgerSink) -> any EventSink = { $0 }
    ) throws {
      let ledger = try Ledger(path: directory, ledgerOptions)
      let follower = Follower(
        options, wrap(LedgerSink(ledger, directory: directory, wallClock: wallClock)), interrupt)
      parts = (ledger, follower)
      thread = ThreadHandle { follower.run() }
    }

    var ledger: Ledger {
      guard let parts else { preconditionFailure("it was ended") }
      return parts.ledger
    }
    var follower: Follower {
      guard let parts else { preconditionFailure("it was ended") }
      return parts.follower
    }
    /// How it goes, or went.
    var status: FollowerStatus { parts?.follower.status ?? last }

    /// Ends it, waits, and closes the directory.
    func end() {
      interrupt.interrupt()
      thread?.join()
      thread = nil
      last = status
      parts = nil
    }

    deinit { end() }

    /// Waits until it is as is asked for.
    func wait(
      _ what: String, seconds: Int = 30, _ place: SourceLocation = #_sourceLocation,
      until isSo: (FollowerStatus) -> Bool
    ) throws {
      let end = ContinuousClock.now + .seconds(seconds)
      while !isSo(status) {
        try #require(ContinuousClock.now < end, "not so: \(what): \(status)", sourceLocation: place)
        usleep(5_000)
      }
    }

    /// Drops the slot that follows a database: nobody does, but the server may not have noticed that yet.
    static func dropSlot(_ server: Connection, _ database: String) throws {
      try server.script(
        """
        do $$ begin
          for attempt in 1..400 loop
            exit when not (select active from pg_replication_slots where slot_name = 'continuo_\(database)');
            perform pg_sleep(0.05);
          end loop;
        end $$;
        select pg_drop_replication_slot('continuo_\(database)')
        """)
    }

    /// Waits until everything is taken that the server has committed by now.
    func catchUp(
      _ server: Connection, seconds: Int = 30, _ place: SourceLocation = #_sourceLocation
    ) throws {
      let now = try server.query("select pg_current_wal_insert_lsn()::text").first?.text(0)
      let target = try #require(now.flatMap { LSN($0) }, sourceLocation: place)
      // Something of ours behind it, so that it is told soon.
      try server.script(
        "insert into pool_events (artist_token_id, chain_id, block_number, log_index, tx_hash, event_type, amount_usd, block_timestamp) select id, 9, (extract(epoch from clock_timestamp()) * 1000000)::int8, 0, 'mark', 'mint', 0, now() from artist_tokens limit 1"
      )
      let end = ContinuousClock.now + .seconds(seconds)
      while true {
        let status = self.status
        if status.phase == .streaming, status.takenLSN >= target { return }
        try #require(status.phase != .stopped, "it has stopped: \(status.failure ?? "")", sourceLocation: place)
        try #require(ContinuousClock.now < end, "it does not catch up to \(target): \(status)", sourceLocation: place)
        usleep(5_000)
      }
    }
  }
#endif
