// A data directory copied for a command, with what is to be seen of it meanwhile.
// Invariant: a result is written of a copy alone that was read back and has the digest of what was copied.
// Not here: copying (ContinuoStorage), which directory is which (Backup, Restore).

internal import Continuo
internal import ContinuoFormats
internal import ContinuoMachine
internal import ContinuoStorage

enum Copying {
  static func copy(from path: String, to target: String, _ output: OutputOptions, _ console: Console) throws {
    let start = MachineHandle.nanoseconds
    var progress = Progress(console)
    defer { progress.finish() }
    let copy = try Writing.reporting {
      try DirectoryCopy(
        from: path, to: target, digest: { try? StateDigest.hexadecimal(of: $0) },
        progress: { step in
          switch step.phase {
          case .reading: progress.say("reading \(Visible.text(path))")
          case .copying: progress.show("copying", bytes: step.bytes, total: step.total)
          case .verifying: progress.say("reading \(Visible.text(target))")
          }
        })
    }
    progress.finish()
    let microseconds = Int64((MachineHandle.nanoseconds - start) / 1000)
    var result = ResultStream(.copy, output, console)
    try result.write(
      CopyAnswer(
        files: copy.files, bytes: copy.bytes, events: copy.events, sequence: copy.sequence, microseconds: microseconds))
    try result.finish()
  }
}
