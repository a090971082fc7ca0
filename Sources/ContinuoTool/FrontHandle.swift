// The small program in front: `continuo` answers questions about files and directories itself, and becomes `continuo-server` for
// all else.
// Invariant: a command does and prints the same in both.
// Not here: what a command does (Commands), why there are two programs (docs/decisions/0030).

internal import ArgumentParser
internal import ContinuoFormats

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
    return (environment["CONTINUO_URL"] ?? "").isEmpty && (environment["CONTINUO_CONFIG"] ?? "").isEmpty
      && !arguments.contains { argument in beyond.contains { argument.hasPrefix($0) } }
  }

  /// The usage error of a command that the program at hand does not have.
  static func absence(_ arguments: [String]) -> String? {
    guard let command = arguments.first, others.contains(command),
      !Continuo.commands.contains(where: { $0._commandName == command })
    else { return nil }
    let build = "'swift build -c release --traits Server,Postgres --product \(whole)'"
    #if CONTINUO_FRONT
      return
        "continuo: usage: '\(command)' is a command of '\(whole)', which is not beside this program: build it with "
        + "\(build), or put it there"
    #else
      return "continuo: usage: '\(command)' was not built into this '\(whole)': build it with \(build)"
    #endif
  }

  /// Becomes the whole program, with the same arguments, environment and process. Returns where that is not there.
  ///
  /// - Throws: ``Failure`` where it is there and does not start.
  static func become(_ arguments: [String], _ environment: [String: String]) throws(Failure) {
    // What is called like the other program may be this one again.
    let mark = "FRONT_OF_CONTINUO"
    guard environment[mark] != String(getpid()) else { return }
    // SAFETY: both texts are lent for the call, which copies them; no other thread runs yet.
    _ = unsafe setenv(mark, String(getpid()), 1)
    for program in places {
      let words = [program] + arguments
      // SAFETY: strdup answers copies of ours, freed below; the list ends with nil as execv expects.
      var pointers = unsafe words.map { unsafe strdup($0) } + [nil]
      defer { for index in words.indices { unsafe free(pointers[index]) } }
      // SAFETY: as above; where it does not return, nothing of this program is left.
      _ = unsafe execv(program, &pointers)
      let reason = errno
      guard reason == ENOENT || reason == ENOTDIR else {
        // SAFETY: the text that is lent ends with zero, and is copied at once.
        let why = unsafe String(cString: strerror(reason))
        throw Failure(
          .storageFailed, "'\(Visible.text(program))' is there and does not start: \(why)",
          remedy: "install both programs of one build")
      }
    }
    // SAFETY: as above.
    _ = unsafe unsetenv(mark)
  }

  /// Where the other program may be: in this one's folder, or in the folder that it was called in.
  private static var places: [String] {
    var own = [CommandLine.arguments[0]]
    #if canImport(Glibc)
      // Longer than any path that the system takes.
      let bytes = unsafe [UInt8](unsafeUninitializedCapacity: 4097) { buffer, count in
        // SAFETY: the buffer is as long as is said here, and as much of it is initialised as the system says that it wrote.
        let length = unsafe readlink("/proc/self/exe", UnsafeMutableRawPointer(buffer.baseAddress!), buffer.count)
        count = max(0, length)
      }
      own.insert(String(decoding: bytes, as: UTF8.self), at: 0)
    #endif
    return own.compactMap { program in program.lastIndex(of: "/").map { program[...$0] + whole } }
  }
}
