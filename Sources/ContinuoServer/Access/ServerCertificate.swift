// The certificate that the server shows, and its key: read from files, and read again when they change.
// Invariant: what is shown was whole, and the key its own; what is not is told of, and what was shown before stays.
// Not here: connections (SecureChannel), when files are looked at (CertificateWatch).

#if Server
  internal import ContinuoBytes
  internal import NIOCertificateReloading
  internal import NIOCore
  internal import NIOSSL
  internal import Synchronization

  /// Why a certificate cannot be shown.
  public enum CertificateFailure: Error, Equatable, Sendable {
    /// The file cannot be read.
    case unreadable(file: String, why: String)
    /// The file has no certificate in PEM.
    case noCertificate(file: String)
    /// The file has no key in PEM that can be used without a passphrase.
    case noKey(file: String)
    /// The key is not that of the file's first certificate, or one of the two is of a kind that is not known.
    case unfit(certificate: String, key: String)
  }

  /// A certificate for TLS, with its key.
  ///
  ///     let certificate = try ServerCertificate(certificate: "server.pem", key: "server.key")
  public final class ServerCertificate: Sendable {
    private static let fileBytesMax = 1 << 20

    private struct Pair: Equatable {
      var certificate: [UInt8] = []
      var key: [UInt8] = []
    }

    private let certificate: String
    private let key: String
    /// What the files have, as far as it was judged.
    private let read: Read
    private let reloader: TimedCertificateReloader
    let tls: NIOSSLContext

    /// Lends the reloader what was read and judged before.
    private final class Read: Sendable {
      let pair = Mutex(Pair())
    }

    /// Reads two files: the certificate, then those that signed it, as PEM; and its key. O(length).
    public init(certificate: String, key: String) throws(CertificateFailure) {
      let read = Read()
      (self.certificate, self.key, self.read) = (certificate, key, read)
      let pair = try Self.pair(certificate, key)
      read.pair.withLock { $0 = pair }
      reloader = TimedCertificateReloader(
        refreshInterval: .seconds(3600),
        certificateSource: .init(
          location: .memory { read.pair.withLock { $0.certificate } }, format: .pem),
        privateKeySource: .init(location: .memory { read.pair.withLock { $0.key } }, format: .pem))
      do {
        try reloader.reload()
        var configuration = try TLSConfiguration.makeServerConfiguration(certificateReloader: reloader)
        configuration.minimumTLSVersion = .tlsv12
        configuration.applicationProtocols = ["h2", "http/1.1"]
        // Who does not answer the farewell is not waited for.
        configuration.shutdownTimeout = .seconds(2)
        tls = try NIOSSLContext(configuration: configuration)
      } catch {
        throw .unfit(certificate: certificate, key: key)
      }
    }

    /// Reads the files again; whether they have something else than before. Where they cannot be shown, what was shown before
    /// stays. O(length).
    func reload() throws(CertificateFailure) -> Bool {
      let pair = try Self.pair(certificate, key)
      let old = read.pair.withLock { held in
        let old = held
        held = pair
        return old
      }
      guard pair != old else { return false }
      do {
        try reloader.reload()
      } catch {
        read.pair.withLock { $0 = old }
        throw .unfit(certificate: certificate, key: key)
      }
      return true
    }

    private static func pair(_ certificate: String, _ key: String) throws(CertificateFailure) -> Pair {
      let pair = Pair(
        certificate: blocks(try bytes(certificate), of: "CERTIFICATE"), key: blocks(try bytes(key), of: "PRIVATE KEY"))
      do {
        guard try !NIOSSLCertificate.fromPEMBytes(pair.certificate).isEmpty else {
          throw CertificateFailure.noCertificate(file: certificate)
        }
      } catch {
        throw .noCertificate(file: certificate)
      }
      do {
        _ = try NIOSSLPrivateKey(bytes: pair.key, format: .pem)
      } catch {
        throw .noKey(file: key)
      }
      return pair
    }

    /// The parts of a PEM file that are of a kind: there may be others in it, and text for people.
    private static func blocks(_ bytes: [UInt8], of kind: String) -> [UInt8] {
      var kept = ""
      var isInside = false
      for line in String(decoding: bytes, as: UTF8.self).split(whereSeparator: \.isNewline) {
        if line.hasPrefix("-----BEGIN ") { isInside = line.trimmed.hasSuffix(kind + "-----") }
        if isInside { kept += line + "\n" }
        if line.hasPrefix("-----END ") { isInside = false }
      }
      return Array(kept.utf8)
    }

    private static func bytes(_ path: String) throws(CertificateFailure) -> [UInt8] {
      var bytes: [UInt8] = []
      do throws(DescriptorFailure) {
        let file = try DescriptorHandle(reading: path)
        while bytes.count < fileBytesMax, try file.read(into: &bytes, atMost: 1 << 14) > 0 {}
      } catch {
        throw .unreadable(file: path, why: String(describing: error))
      }
      return bytes
    }
  }
#endif
