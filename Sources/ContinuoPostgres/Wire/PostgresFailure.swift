// What can go wrong with a PostgreSQL server, in words for whom it happens to.
// Invariant: every failure says where, what was found, and what to do next; none has a password in it.
// Not here: when each is thrown (Connection), what can be tried again and when (Backoff).

/// What a server says of an error.
package struct ServerError: Error, Equatable, Sendable {
  /// Five characters: the class of what is wrong, and what of it.
  package var sqlState = ""
  package var message = ""
  package var detail = ""
  package var hint = ""

  package init(sqlState: String = "", message: String = "", detail: String = "", hint: String = "") {
    (self.sqlState, self.message, self.detail, self.hint) = (sqlState, message, detail, hint)
  }
}

/// Why a server could not be asked, or did not answer as it was to.
package enum PostgresFailure: Error, Equatable, Sendable, CustomStringConvertible {
  /// There is no libpq, or one that is too old.
  case noLibrary
  /// What was given is no address of a server.
  case badTarget(String)
  /// No connection was made.
  case unreachable(place: String, message: String)
  /// The server refused; `doing` is what it was asked.
  case refused(place: String, doing: String, ServerError)
  /// The connection is gone; whether what was asked was done is not known.
  case lost(place: String, doing: String, message: String)
  /// It took too long.
  case timeout(place: String, doing: String, milliseconds: Int)
  /// Somebody in this process wanted it to end.
  case interrupted
  /// The server, or what stands in front of it, does not speak as PostgreSQL does.
  case unexpected(place: String, doing: String, found: String)

  /// Where it was and what was found. O(length).
  package var what: String {
    switch self {
    case .noLibrary: return "libpq 14 or newer, the client library of PostgreSQL, is not on this machine"
    case .badTarget(let why): return "--postgres names no server: \(why)"
    case .unreachable(let place, let message): return "\(place): no connection: \(message)"
    case .refused(let place, let doing, let error):
      let detail = error.detail.isEmpty ? "" : " (\(error.detail))"
      return "\(place): \(doing): \(error.message)\(detail) [SQLSTATE \(error.sqlState)]"
    case .lost(let place, let doing, let message): return "\(place): the connection was lost while \(doing): \(message)"
    case .timeout(let place, let doing, let milliseconds):
      return "\(place): no answer within \(milliseconds) ms while \(doing)"
    case .interrupted: return "it was told to end while it waited for the server"
    case .unexpected(let place, let doing, let found): return "\(place): \(doing): found \(found)"
    }
  }

  /// What to do next. O(length).
  package var remedy: String {
    switch self {
    case .noLibrary: return "install it: apt-get install libpq5"
    case .badTarget: return "write postgresql://USER@HOST:PORT/DATABASE, the password into ~/.pgpass or PGPASSWORD"
    case .unreachable(_, let message): return Self.remedy(unreachable: message)
    case .refused(_, _, let error): return error.hint.isEmpty ? Self.remedy(error.sqlState) : error.hint
    case .lost: return "it is tried again; the server's log says whether it ended the connection"
    case .timeout: return "see whether the server is paused, or something holds a lock there (pg_stat_activity)"
    case .interrupted: return "nothing is wrong"
    case .unexpected: return "see what listens there: PostgreSQL 14 or newer is needed, and no pooler for replication"
    }
  }

  package var description: String { "\(what); \(remedy)" }

  /// What the server said, where it was the server.
  package var sqlState: String? {
    if case .refused(_, _, let error) = self { return error.sqlState }
    return nil
  }

  /// Whether the server refuses what was to be written, and not who writes it now: a value that a constraint or the column's type does
  /// not take, a trigger that says no, a right that is missing. O(1).
  package var isAboutContent: Bool {
    guard let sqlState else { return false }
    return ["22", "23", "42", "44", "P0"].contains(sqlState.prefix(2))
  }

  /// Whether the same may well succeed a little later. O(1).
  package var isTransient: Bool {
    switch self {
    case .unreachable, .lost, .timeout: return true
    case .noLibrary, .badTarget, .interrupted, .unexpected: return false
    case .refused(_, _, let error):
      // Connections, resources, an operator's doing, a conflict with another transaction, a lock, a standby.
      return ["08", "53", "57", "40", "55"].contains(error.sqlState.prefix(2))
        || ["25006", "58030"].contains(error.sqlState)
    }
  }

  private static func remedy(unreachable message: String) -> String {
    let known: [(part: String, remedy: String)] = [
      ("password", "put the password into ~/.pgpass (0600) or PGPASSWORD, or correct the role"),
      ("no pg_hba.conf entry", "its operator has to let this role and address in, in pg_hba.conf"),
      ("does not exist", "correct the database or role of --postgres"),
      ("too many clients", "raise max_connections there, or end idle connections"),
      ("SSL", "see sslmode and sslrootcert of --postgres, and the server's certificate"),
      ("starting up", "wait: the server is starting"),
    ]
    return known.first { message.contains($0.part) }?.remedy
      ?? "see whether a server listens there, and correct --postgres"
  }

  private static func remedy(_ sqlState: String) -> String {
    switch sqlState {
    case "42501": "'continuo postgres check' prints the grants that are missing"
    case "25006": "the server takes no writes: point --postgres at the primary"
    case "53300": "raise max_connections there, or end idle connections"
    case "53100": "make room on the server's disk"
    case "55P03": "see who holds the lock (pg_locks); it is tried again"
    case "57014": "see what holds it up (pg_stat_activity); it is tried again"
    case "42P01", "42703", "3F000": "'continuo postgres check' says what is missing"
    default: "'continuo postgres check' looks at what Continuo needs; the server's log has more"
    }
  }
}
