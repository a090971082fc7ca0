// How many files and connections the process may have open.
// Invariant: never more than whoever started it allows, and never fewer than before.
// Not here: how many connections are taken (ServeLimitOptions).

#if CONTINUO_SERVER
  #if canImport(Glibc)
    internal import Glibc
  #else
    internal import Darwin
  #endif

  enum OpenFilesHandle {
    /// Asks for as many as are allowed: what shells give is little more than `--max-connections`. O(1).
    static func allowMost() {
      #if canImport(Glibc)
        let files = __rlimit_resource_t(RLIMIT_NOFILE.rawValue)
      #else
        let files = RLIMIT_NOFILE
      #endif
      var limit = rlimit()
      // SAFETY: `limit` is ours, and as large as both calls expect.
      guard unsafe getrlimit(files, &limit) == 0, limit.rlim_cur < limit.rlim_max else { return }
      limit.rlim_cur = limit.rlim_max
      // SAFETY: as above. Where it is refused there are as many as before.
      _ = unsafe setrlimit(files, &limit)
    }
  }
#endif
