// Where libFuzzer comes in: bytes for the target that the environment names.
// Invariant: the bytes are copied before anything looks at them.
// Not here: what is done with them (FuzzTarget), which targets run for how long (tools/fuzz).

import Foundation

private let target: FuzzTarget = {
  let name = ProcessInfo.processInfo.environment["CONTINUO_FUZZ_TARGET"] ?? ""
  guard let target = FuzzTarget(rawValue: name) else {
    let names = FuzzTarget.allCases.map(\.rawValue).joined(separator: ", ")
    FileHandle.standardError.write(Data("set CONTINUO_FUZZ_TARGET to one of: \(names)\n".utf8))
    exit(2)
  }
  return target
}()

/// Called by libFuzzer with every input.
@_cdecl("LLVMFuzzerTestOneInput")
@safe public func fuzzOneInput(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  // SAFETY: libFuzzer lends `count` bytes at `start` for the time of the call.
  let bytes = unsafe Array(UnsafeBufferPointer(start: start, count: count))
  target.run(bytes)
  return 0
}
