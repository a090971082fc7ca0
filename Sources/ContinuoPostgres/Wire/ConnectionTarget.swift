// Which server, database and role: what was given as `--postgres`, with every option that libpq knows.
// Invariant: what is shown of it never has a password, whatever was given.
// Not here: connecting (Connection), what libpq makes of it (ConnectionTextHandle).

#if Postgres
  /// The address of a server as libpq takes it: a URL, or words like `host=… dbname=…`.
  ///
  ///     let target = try ConnectionTarget("postgresql://continuo@127.0.0.1:5432/app?sslmode=verify-full")
  ///     target.place            // "127.0.0.1:5432/app"
  ///
  /// What is not said comes from the environment (PGHOST, PGPASSWORD, PGSSLMODE …), the service file and the password file.
  package struct ConnectionTarget: Sendable {
    /// What was given; it may hold a password.
    let text: String
    /// Host, port and database, for messages.
    package let place: String
    /// The role; empty where libpq takes the system's user.
    package let role: String
    /// How long a connection may take, in microseconds: `connect_timeout`, else ten seconds.
    let connectMicroseconds: Int64
    /// How long a statement may take on a connection there, in microseconds, unless the connection says otherwise.
    package var statementMicroseconds: Int64 = 30_000_000

    /// Reads an address. O(length).
    package init(_ text: String) throws(PostgresFailure) {
      guard ConnectionTextHandle.isLibraryThere else { throw .noLibrary }
      guard !text.isEmpty else { throw .badTarget("it is empty") }
      guard text.contains("=") || text.contains("://") else {
        throw .badTarget("it is neither a URL (postgresql://…) nor words like host=…")
      }
      guard let options = ConnectionTextHandle.options(text) else {
        // libpq's own message repeats what was given, and with it a password.
        throw .badTarget("libpq cannot read it: a character that needs %-escaping, or an option that it does not know")
      }
      // What is not escaped of a password is read as a host, a port or a database, and would be shown.
      for name in ["host", "port", "dbname"]
      where ["@", "://"].contains(where: { (options[name] ?? "").contains($0) }) {
        throw .badTarget("its \(name) has an @ or :// in it: in a URL a character of the password needs %-escaping")
      }
      guard (options["port"] ?? "").allSatisfy({ $0.isNumber || $0 == "," }) else {
        throw .badTarget("its port is no number: in a URL a character of the password needs %-escaping")
      }
      self.text = text
      func option(_ name: String) -> String { options[name] ?? "" }
      let hosts = option("host").isEmpty ? option("hostaddr") : option("host")
      let host = hosts.isEmpty ? "local socket" : hosts.hasPrefix("/") ? "socket" : hosts
      let port = option("port").isEmpty ? "5432" : option("port")
      let database = option("dbname").isEmpty ? option("user") : option("dbname")
      place = "\(host):\(port)/\(database)"
      role = option("user")
      let seconds = Int64(option("connect_timeout")) ?? 0
      connectMicroseconds = seconds > 0 ? min(seconds, 3600) * 1_000_000 : 10_000_000
    }
  }

  extension ConnectionTarget: CustomStringConvertible {
    /// Role and place.
    package var description: String { role.isEmpty ? place : "\(role)@\(place)" }
  }
#endif
