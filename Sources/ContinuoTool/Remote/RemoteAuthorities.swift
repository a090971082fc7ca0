// Who vouches for a server's certificate, where that is nobody whom the system knows.
// Invariant: where a file is named, those in it are believed and no others.
// Not here: which file (RemoteOptions, Health).

#if CONTINUO_SERVER
  internal import AsyncHTTPClient
  internal import ContinuoFormats
  internal import NIOSSL

  enum RemoteAuthorities {
    /// How a client is set up that believes the certificates of a file; as usual without one. O(length).
    static func configuration(file path: String?) throws(Failure) -> HTTPClient.Configuration {
      var configuration = HTTPClient.Configuration()
      guard let path else { return configuration }
      let certificates: [NIOSSLCertificate]
      do { certificates = try NIOSSLCertificate.fromPEMFile(path) } catch {
        throw Failure(
          .notFound, "\(Visible.text(path)) cannot be read as certificates: \(Visible.text(String(describing: error)))",
          remedy: "correct --ca-file: it names the certificates (PEM) of those who signed the server's")
      }
      guard !certificates.isEmpty else {
        throw Failure(
          .badParameter, "\(Visible.text(path)) holds no certificate",
          remedy: "write into it the certificates (PEM) of those who signed the server's")
      }
      var tls = TLSConfiguration.makeClientConfiguration()
      tls.trustRoots = .certificates(certificates)
      configuration.tlsConfiguration = tls
      return configuration
    }
  }
#endif
