// Where the process starts: hands the outside world (arguments, environment) to the invocation and ends with its status.
// Invariant: nothing is decided here.
// Not here: everything else (Invocation).

internal import FoundationEssentials

#if canImport(Glibc)
  internal import Glibc
#else
  internal import Darwin
#endif

exit(Invocation.run(Array(CommandLine.arguments.dropFirst()), ProcessInfo.processInfo.environment))
