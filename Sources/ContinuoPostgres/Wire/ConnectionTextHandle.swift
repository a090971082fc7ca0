// What libpq reads out of the address of a server.
// Invariant: what libpq allocated is freed here; nothing of it is handed out.
// Not here: what the options mean (ConnectionTarget).

#if Postgres
  internal import CPostgres

  @safe enum ConnectionTextHandle {
    /// Whether libpq is on this machine; nothing of it may be called before that is known. O(1), but for the first time,
    /// which loads it.
    static var isLibraryThere: Bool { continuo_postgres_is_there() }

    /// The options of an address, with those of the environment and the service file; nil where it cannot be read. O(length).
    static func options(_ text: String) -> [String: String]? {
      // SAFETY: `collected` frees what libpq allocates; the text is lent for the time of the call.
      guard let given = unsafe collected({ unsafe PQconninfoParse(text, nil) }) else { return nil }
      // Defaults are what is not given; a service file that is not there is found when connecting.
      let usual = unsafe collected { unsafe PQconndefaults() } ?? [:]
      return usual.merging(given) { _, given in given }
    }

    private static func collected(
      _ make: () -> UnsafeMutablePointer<PQconninfoOption>?
    ) -> [String: String]? {
      // SAFETY: libpq answers an array that ends with an option without a keyword, and texts that end with zero; it is ours.
      guard let options = unsafe make() else { return nil }
      defer { unsafe PQconninfoFree(options) }
      var found: [String: String] = [:]
      var next = unsafe options
      while let keyword = unsafe next.pointee.keyword {
        if let value = unsafe next.pointee.val { unsafe found[String(cString: keyword)] = String(cString: value) }
        unsafe next += 1
      }
      return found
    }
  }
#endif
