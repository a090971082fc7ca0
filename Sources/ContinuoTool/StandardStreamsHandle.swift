// The process's three standard streams and its signals, set up once at the start.
// Invariant: descriptors 0, 1 and 2 are open, so that no file of ours takes their place; a closed pipe or a file that may not
// grow is an error of write, never a signal.
// Not here: reading and writing (DescriptorHandle).

#if canImport(Glibc)
  internal import Glibc
#else
  internal import Darwin
#endif

enum StandardStreamsHandle {
  /// Opens what the caller closed as the null device; ignores SIGPIPE, and SIGXFSZ of a file that may not grow. O(1).
  static func prepare() {
    signal(SIGPIPE, SIG_IGN)
    signal(SIGXFSZ, SIG_IGN)
    for descriptor: Int32 in 0...2 where fcntl(descriptor, F_GETFD) == -1 {
      // SAFETY: a literal path that ends with zero. The lowest free number is the one that is closed.
      _ = unsafe open("/dev/null", descriptor == 0 ? O_RDONLY : O_WRONLY)
    }
  }
}
