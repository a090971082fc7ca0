// What the operating system says of this process, and memory that is touched to be measured.
// Invariant: figures only: nothing that the engine answers depends on them. What a system does not tell is nil or 0.
// Not here: what is measured (LoadRun, Benchmarks), the descriptors of results (ContinuoBytes).

internal import CMachine
internal import CMemory
package import ContinuoBytes

#if canImport(Glibc)
  internal import Glibc
#else
  internal import Darwin
#endif

package enum MachineHandle {
  private static let pageBytes = 4_096

  /// A clock that only moves forward, in nanoseconds.
  package static var nanoseconds: Int64 { read(CLOCK_MONOTONIC) }

  /// The processor time of all threads of this process, in nanoseconds.
  package static var processorNanoseconds: Int64 { read(CLOCK_PROCESS_CPUTIME_ID) }

  private static func read(_ clock: clockid_t) -> Int64 {
    var time = timespec()
    // SAFETY: `time` is ours and as large as clock_gettime expects.
    _ = unsafe clock_gettime(clock, &time)
    return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
  }

  // MARK: memory

  /// How much memory of this process is backed now, in bytes.
  package static var residentBytes: Int? {
    text(of: "/proc/self/statm").split(separator: " ").dropFirst().first.flatMap { Int($0) }.map { $0 * pageBytes }
  }

  /// How much memory of this process was backed at most since ``forgetPeak()``, in bytes.
  package static var peakResidentBytes: Int? {
    let line = text(of: "/proc/self/status").split(separator: "\n").first { $0.hasPrefix("VmHWM:") }
    return line?.split(whereSeparator: { $0 == " " || $0 == "\t" }).dropFirst().first.flatMap { Int($0) }
      .map { $0 * 1_024 }
  }

  /// Gives back what the allocator keeps for later, and lets the peak start anew from what is resident now.
  package static func forgetPeak() {
    #if canImport(Glibc)
      continuo_trim_heap()
      // SAFETY: a literal path that ends with zero.
      let descriptor = unsafe open("/proc/self/clear_refs", O_WRONLY | O_CLOEXEC)
      guard descriptor >= 0 else { return }
      let file = DescriptorHandle(adopting: descriptor)
      // Where it is refused, the peak is that of the whole run: too high, never too low.
      try? file.write(Array("5\n".utf8))
    #endif
  }

  private static func text(of path: String) -> String {
    var bytes: [UInt8] = []
    if let file = try? DescriptorHandle(reading: path) {
      while let count = try? file.read(into: &bytes, atMost: pageBytes), count > 0 {}
    }
    return String(decoding: bytes, as: UTF8.self)
  }

  /// Maps fresh memory as the engine does, writes to each of its pages, and gives it back: nanoseconds a byte. O(bytes).
  package static func touch(bytes: Int) -> Double {
    guard bytes > 0, let memory = unsafe continuo_map(bytes, 2 << 20) else { return 0 }
    let start = nanoseconds
    for offset in stride(from: 0, to: bytes, by: pageBytes) {
      // SAFETY: offset < bytes, within the mapping.
      unsafe memory.storeBytes(of: 1, toByteOffset: offset, as: UInt8.self)
    }
    let spent = nanoseconds - start
    // SAFETY: mapped above with this length, and not used any more.
    unsafe continuo_unmap(memory, bytes)
    return Double(spent) / Double(bytes)
  }

  // MARK: files and processes

  /// Opens a file for writing, emptied; nil with the system's reason in `errno` where it cannot.
  package static func create(_ path: String) -> DescriptorHandle? {
    // SAFETY: Swift lends `path` as a string that ends with zero for as long as the call takes.
    let descriptor = unsafe open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
    return descriptor >= 0 ? DescriptorHandle(adopting: descriptor) : nil
  }

  /// Runs this program again with other arguments and waits for its end; whether it ended with 0.
  package static func runAgain(_ arguments: [String]) -> Bool {
    let words = ["continuo"] + arguments
    // SAFETY: strdup answers copies of ours, freed below; the list ends with nil as posix_spawn expects.
    var pointers = unsafe words.map { unsafe strdup($0) } + [nil]
    defer { for index in words.indices { unsafe free(pointers[index]) } }
    var child: pid_t = 0
    #if canImport(Glibc)
      let program = "/proc/self/exe"
    #else
      let program = CommandLine.arguments[0]
    #endif
    guard unsafe posix_spawn(&child, program, nil, nil, &pointers, environ) == 0 else { return false }
    var status: Int32 = 0
    // SAFETY: `child` is a process that was started here, and `status` is ours.
    while unsafe waitpid(child, &status, 0) < 0 { guard errno == EINTR else { return false } }
    return status == 0
  }
}
