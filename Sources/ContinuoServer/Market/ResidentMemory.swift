// What the system says of this process.
// Invariant: nothing is kept open.
// Not here: what is measured over time (ContinuoMachine).

internal import ContinuoBytes

#if canImport(Glibc)
  internal import Glibc
#endif

enum ResidentMemory {
  /// Resident memory in bytes; nil where the system does not say.
  static var bytes: Int? {
    #if canImport(Glibc)
      var text: [UInt8] = []
      do throws(DescriptorFailure) {
        _ = try DescriptorHandle(reading: "/proc/self/statm").read(into: &text, atMost: 256)
      } catch { return nil }
      let words = String(decoding: text, as: UTF8.self).split(separator: " ")
      guard words.count > 1, let pages = Int(words[1]) else { return nil }
      return pages * Int(sysconf(Int32(_SC_PAGESIZE)))
    #else
      return nil
    #endif
  }
}
