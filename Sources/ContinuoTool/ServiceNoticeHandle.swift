// Tells who started the process how it is: systemd's protocol, a datagram to the socket that NOTIFY_SOCKET names.
// Invariant: nobody who does not listen keeps the server from serving: what cannot be sent is not.
// Not here: when there is something to tell (Serve).

#if CONTINUO_SERVER
  #if canImport(Glibc)
    internal import Glibc
  #else
    internal import Darwin
  #endif

  /// Where notices go; nowhere, if nobody asked for them.
  @safe struct ServiceNoticeHandle: Sendable {
    private let path: [UInt8]

    /// Looks for the socket: a path, or a name of Linux's own behind an @.
    init(environment: [String: String]) {
      let name = Array((environment["NOTIFY_SOCKET"] ?? "").utf8)
      let isKnown = name.first == UInt8(ascii: "/") || name.first == UInt8(ascii: "@")
      path = isKnown ? name : []
    }

    /// Sends a line like READY=1.
    func send(_ line: String) {
      guard !path.isEmpty else { return }
      #if canImport(Glibc)
        let kind = Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue)
      #else
        let kind = SOCK_DGRAM
      #endif
      let descriptor = socket(AF_UNIX, kind, 0)
      guard descriptor >= 0 else { return }
      defer { _ = close(descriptor) }
      var address = sockaddr_un()
      address.sun_family = sa_family_t(AF_UNIX)
      var name = path
      if name.first == UInt8(ascii: "@") { name[0] = 0 }
      // SAFETY: as many bytes are set as the field has at most, and one at least stays zero behind them.
      let fits = unsafe withUnsafeMutableBytes(of: &address.sun_path) { field in
        guard name.count < field.count else { return false }
        unsafe field.copyBytes(from: name)
        return true
      }
      guard fits else { return }
      // A name behind an @ ends where the address does.
      let length = MemoryLayout<sockaddr_un>.offset(of: \.sun_path).map {
        $0 + name.count + (path[0] == name[0] ? 1 : 0)
      }
      let text = Array(line.utf8)
      // SAFETY: the address is ours, initialised, and at least `length` bytes long; `text` is lent for the call.
      unsafe withUnsafePointer(to: &address) { pointer in
        unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { pointer in
          _ = unsafe sendto(descriptor, text, text.count, 0, pointer, socklen_t(length ?? 0))
        }
      }
    }
  }
#endif
