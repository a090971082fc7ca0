// The small program in front: `continuo` answers questions about files and directories itself, and becomes `continuo-server` for
// all else.
// Invariant: a command does and prints the same in both.
// Not here: what a command does (Commands), why there are two programs (docs/decisions/0030).

#if canImport(Glibc)
  internal import Glibc
#else
  internal import Darwin
#endif

enum FrontHandle {
  /// The program that has every command, in the folder of the one that runs.
  static let whole = "continuo-server"
  /// What reads and never writes, and needs neither a server nor a database.
  private static let own: Set<String> = ["candles", "stats", "top", "holders", "explain", "inspect"]
  /// What this program cannot do at all where the other one is missing.
  private static let others: Set<String> = ["serve", "health", "config", "postgres", "migrate", "sync"]

  /// Whether the small program has the whole answer: a reading command that asks no server. What a file of settings says is not
  /// known yet. O(arguments).
  static func answers(_ arguments: [String], _ environment: [String: String]) -> Bool {
    guard let command = arguments.first, own.contains(command) else { return false }
    let beyond = ["--url", "--config", "--help", "-h", "--generate-completion-script", "--experimental-dump-help"]
    return environment["CONTINUO_URL"] == nil && environment["CONTINUO_CONFIG"] == nil
      && !arguments.contains { argument in beyond.contains { argument.hasPrefix($0) } }
  }

  /// The usage error of a command that is in the other program alone, once that turned out to be missing.
  static func absence(_ arguments: [String]) -> String? {
    guard let command = arguments.first, others.contains(command) else { return nil }
    return "continuo: usage: '\(command)' is a command of '\(whole)', which is not beside this program: build it with "
      + "'swift build -c release --traits Server,Postgres --product \(whole)', or put it there"
  }

  /// Becomes the whole program, with the same arguments, environment and process. Returns where that is not there, or does not
  /// start.
  static func become(_ arguments: [String]) {
    guard let program = path() else { return }
    let words = [program] + arguments
    // SAFETY: strdup answers copies of ours, freed below; the list ends with nil as execv expects.
    var pointers = unsafe words.map { unsafe strdup($0) } + [nil]
    defer { for index in words.indices { unsafe free(pointers[index]) } }
    // SAFETY: as above; where it does not return, nothing of this program is left.
    _ = unsafe execv(program, &pointers)
  }

  /// Where the other program would be.
  private static func path() -> String? {
    #if canImport(Glibc)
      // Longer than any path that the system takes.
      let bytes = unsafe [UInt8](unsafeUninitializedCapacity: 4097) { buffer, count in
        // SAFETY: the buffer is as long as is said here, and as much of it is initialised as the system says that it wrote.
        let length = unsafe readlink("/proc/self/exe", UnsafeMutableRawPointer(buffer.baseAddress!), buffer.count)
        count = max(0, length)
      }
      let own = String(decoding: bytes, as: UTF8.self)
    #else
      let own = CommandLine.arguments[0]
    #endif
    guard let slash = own.lastIndex(of: "/") else { return nil }
    return own[...slash] + whole
  }
}
