// Where the process starts: hands the outside world (arguments, environment) to the invocation and ends with its status.
// Invariant: nothing is decided here.
// Not here: everything else (Invocation), which of the two programs it is (FrontHandle).

internal import FoundationEssentials

#if canImport(Glibc)
  internal import Glibc
#else
  internal import Darwin
#endif

let arguments = Array(CommandLine.arguments.dropFirst())
let environment = ProcessInfo.processInfo.environment
StandardStreamsHandle.prepare()
#if CONTINUO_FRONT
  if !FrontHandle.answers(arguments, environment) {
    do {
      try FrontHandle.become(arguments, environment)
    } catch {
      Console.error(error.line)
      exit(1)
    }
  }
#endif
if let absence = FrontHandle.absence(arguments) {
  Console.error(absence)
  exit(2)
}
exit(Invocation.run(arguments, environment))
