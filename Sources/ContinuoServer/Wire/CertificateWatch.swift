// Looks at the certificate's files: when it is asked to (SIGHUP), and every few seconds.
// Invariant: a change is told of once, and so is what keeps one from being shown.
// Not here: reading and judging them (ServerCertificate).

#if Server
  internal import ServiceLifecycle
  internal import UnixSignals

  struct CertificateWatch: ServiceLifecycle.Service {
    let certificate: ServerCertificate
    let seconds: Int
    let tell: @Sendable (Server.Event) -> Void

    func run() async throws {
      let (looks, look) = AsyncStream<Bool>.makeStream()
      await withTaskGroup(of: Void.self) { group in
        group.addTask {
          for await _ in await UnixSignalsSequence(trapping: .sighup).cancelOnGracefulShutdown() { look.yield(true) }
          look.finish()
        }
        group.addTask {
          while (try? await Task.sleep(for: .seconds(seconds))) != nil { look.yield(false) }
        }
        var failed: CertificateFailure?
        var told: CertificateFailure?
        for await isAsked in looks {
          do throws(CertificateFailure) {
            let isNew = try certificate.reload()
            (failed, told) = (nil, nil)
            if isNew || isAsked { tell(.certificate(nil)) }
          } catch {
            // Files that are being replaced do not fit together for a moment: what nobody asked for is told at the second look.
            if isAsked || failed == error && told != error {
              tell(.certificate(error))
              told = error
            }
            failed = error
          }
        }
        group.cancelAll()
      }
    }
  }
#endif
