// The options of `continuo serve` for TLS, and what is said of a certificate.
// Invariant: a certificate that cannot be shown is told of by its file, with what to do.
// Not here: reading and judging certificates (ContinuoServer).

#if CONTINUO_SERVER
  internal import ArgumentParser
  internal import ContinuoFormats
  internal import ContinuoServer

  struct ServeTLSOptions: ParsableArguments {
    static let settings: [Setting] = [
      .value("tls-certificate"), .value("tls-key"), .value("handshake-timeout"),
    ]

    @Option(
      help: ArgumentHelp(
        "Speak HTTPS with the certificate in this file (PEM; those that signed it behind it). Read again when it changes, and on SIGHUP.",
        valueName: "file"),
      completion: .file())
    var tlsCertificate: String?

    @Option(
      help: ArgumentHelp("The certificate's private key (PEM, without a passphrase).", valueName: "file"),
      completion: .file())
    var tlsKey: String?

    @Option(help: ArgumentHelp("How long a handshake of TLS may take.", valueName: "seconds"))
    var handshakeTimeout = 10

    var scheme: String { tlsCertificate == nil ? "http" : "https" }

    mutating func validate() throws {
      guard (1...86_400).contains(handshakeTimeout) else {
        throw ValidationError("'\(handshakeTimeout)' for --handshake-timeout is not within 1 to 86400")
      }
      guard (tlsCertificate == nil) == (tlsKey == nil) else {
        let (given, missing) =
          tlsKey == nil ? ("--tls-certificate", "--tls-key") : ("--tls-key", "--tls-certificate")
        throw ValidationError("\(given) needs \(missing): give both, or neither")
      }
    }

    /// The certificate that is to be shown; nil: none.
    func serverCertificate() throws -> ServerCertificate? {
      guard let tlsCertificate, let tlsKey else { return nil }
      do throws(CertificateFailure) {
        return try ServerCertificate(certificate: tlsCertificate, key: tlsKey)
      } catch {
        throw Self.failure(error)
      }
    }

    private static func failure(_ failure: CertificateFailure) -> Failure {
      switch failure {
      case .unreadable(let file, let why):
        Failure(
          .notFound, "\(Visible.text(file)) cannot be read: \(why)",
          remedy: "correct --tls-certificate or --tls-key, or who may read the file")
      case .noCertificate(let file):
        Failure(
          .badParameter, "\(Visible.text(file)) holds no certificate in PEM",
          remedy: "write the server's certificate into it ('-----BEGIN CERTIFICATE-----'), then those that signed it")
      case .noKey(let file):
        Failure(
          .badParameter, "\(Visible.text(file)) holds no private key in PEM that needs no passphrase",
          remedy: "write the certificate's key into it ('-----BEGIN PRIVATE KEY-----')")
      case .unfit(let certificate, let key):
        Failure(
          .badParameter,
          "the key in \(Visible.text(key)) is not that of the first certificate in \(Visible.text(certificate)), or of a kind that is "
            + "not known",
          remedy:
            "give the two that were made together, the server's own certificate first; keys may be RSA, P-256, P-384, "
            + "P-521 or Ed25519")
      }
    }

    /// What is said where the files were looked at again, and cannot be shown.
    static func line(_ failure: CertificateFailure) -> String {
      let it = Self.failure(failure)
      return "continuo: the certificate stays the one before: \(it.what); \(it.remedy)"
    }
  }
#endif
