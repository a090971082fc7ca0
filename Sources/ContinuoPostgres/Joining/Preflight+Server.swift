// The checks of the server as a whole: version, settings, room for one more, the role, the clock.
// Invariant: as Preflight's.
// Not here: tables (Preflight+Tables), publication and slot (Preflight+Publication).
// Rules 20.4.

#if Postgres
  internal import Continuo

  extension Preflight {
    private static let versionMin = 140_000
    /// Further apart than this, events of a server that is ahead may be `in_future`.
    private static let skewMicrosecondsMax: Int64 = 240_000_000
    private static let skewMicrosecondsWarned: Int64 = 1_000_000
    private static let superuser = "a superuser"
    private static let restart = "a superuser, and then whoever may restart the server"

    func version() throws(PostgresFailure) -> [Finding] {
      let text = try server.query("select current_setting('server_version')").first?.text(0) ?? ""
      return server.version >= Self.versionMin
        ? [.ok("version", "PostgreSQL \(text)")]
        : [.failed("version", "PostgreSQL \(text): 14 or newer is needed", by: "the server's operator")]
    }

    func primary() throws(PostgresFailure) -> [Finding] {
      let row = try server.query("select pg_is_in_recovery(), current_setting('default_transaction_read_only')").first
      if row?.bool(0) == true {
        return [.failed("primary", "it is a standby, which takes no writes: point --postgres at the primary")]
      }
      return row?.text(1) == "on"
        ? [
          .failed(
            "primary", "transactions are read-only by default",
            ["ALTER ROLE \(roleQuoted) SET default_transaction_read_only = off;"],
            by: Self.superuser)
        ]
        : [.ok("primary", "it takes writes")]
    }

    func walLevel() throws(PostgresFailure) -> [Finding] {
      let level = try server.query("select current_setting('wal_level')").first?.text(0) ?? ""
      return level == "logical"
        ? [.ok("wal_level", level)]
        : [
          .failed(
            "wal_level", "it is \(level), and changes of tables are told only with logical; needs a restart",
            ["ALTER SYSTEM SET wal_level = 'logical';"], by: Self.restart)
        ]
    }

    func slots() throws(PostgresFailure) -> [Finding] {
      let row = try server.query(
        """
        select current_setting('max_replication_slots')::int8, count(*),
          coalesce(bool_or(slot_name::text = $1), false) from pg_replication_slots
        """, [.text(joinName)]
      ).first
      let (most, used) = (row?.int(0) ?? 0, row?.int(1) ?? 0)
      if row?.bool(2) == true { return [.ok("slots", "\(used) of \(most) are used, one of them is ours")] }
      return used < most
        ? [.ok("slots", "\(used) of \(most) are used")]
        : [
          .failed(
            "slots", "all \(most) are used; needs a restart",
            ["ALTER SYSTEM SET max_replication_slots = \(most + 4);"], by: Self.restart)
        ]
    }

    func senders() throws(PostgresFailure) -> [Finding] {
      let row = try server.query(
        """
        select current_setting('max_wal_senders')::int8,
          (select count(*) from pg_stat_activity where backend_type = 'walsender'),
          coalesce((select active from pg_replication_slots where slot_name::text = $1), false)
        """, [.text(joinName)]
      ).first
      let (most, used) = (row?.int(0) ?? 0, row?.int(1) ?? 0)
      return used < most || row?.bool(2) == true
        ? [.ok("senders", "\(used) of \(most) are used")]
        : [
          .failed(
            "senders", "all \(most) are used; needs a restart", ["ALTER SYSTEM SET max_wal_senders = \(most + 4);"],
            by: Self.restart)
        ]
    }

    func walKeep() throws(PostgresFailure) -> [Finding] {
      let text = try server.query("select current_setting('max_slot_wal_keep_size')").first?.text(0) ?? ""
      return text == "-1"
        ? [
          .warning(
            "wal_keep",
            "max_slot_wal_keep_size is -1: while Continuo is stopped the server keeps its log until its disk is full",
            ["ALTER SYSTEM SET max_slot_wal_keep_size = '10GB';", "SELECT pg_reload_conf();"], by: Self.superuser)
        ]
        : [.ok("wal_keep", "max_slot_wal_keep_size is \(text)")]
    }

    func roleAttributes() throws(PostgresFailure) -> [Finding] {
      let row = try server.query(
        "select rolsuper, rolreplication from pg_roles where rolname = current_user"
      ).first
      if row?.bool(0) == true {
        return [
          .warning(
            "role", "\(role) is a superuser: more than Continuo needs",
            ["CREATE ROLE continuo LOGIN REPLICATION;"], by: Self.superuser)
        ]
      }
      return row?.bool(1) == true
        ? [.ok("role", "\(role) has LOGIN and REPLICATION")]
        : [.failed("role", "\(role) lacks REPLICATION", ["ALTER ROLE \(roleQuoted) REPLICATION;"], by: Self.superuser)]
    }

    func tls() throws(PostgresFailure) -> [Finding] {
      if server.isTLS { return [.ok("tls", "the connection is encrypted")] }
      let row = try server.query(
        "select coalesce(inet_server_addr() <<= '127.0.0.0/8' or inet_server_addr() <<= '::1/128', true)"
      ).first
      return row?.bool(0) == true
        ? [.ok("tls", "not encrypted, and it does not leave this machine")]
        : [
          .warning(
            "tls", "not encrypted: everybody on the way can read it; set sslmode=verify-full in --postgres")
        ]
    }

    func clock() throws(PostgresFailure) -> [Finding] {
      let before = options.wallClock().microseconds
      let answer = try server.query("select clock_timestamp()").first?.timestamp(0)
      let after = options.wallClock().microseconds
      guard let answer else { return [.failed("clock", "the server does not know what time it is")] }
      // As far as the way there and back leaves it open.
      let skew = max(0, before - answer.microseconds, answer.microseconds - after)
      let text = "it is \(skew / 1000) ms from this machine's"
      if skew > Self.skewMicrosecondsMax {
        return [
          .failed("clock", text + ": events would be rejected as in_future", by: "whoever runs the machines: NTP")
        ]
      }
      return skew > Self.skewMicrosecondsWarned
        ? [.warning("clock", text, by: "whoever runs the machines: NTP")] : [.ok("clock", text)]
    }
  }
#endif
