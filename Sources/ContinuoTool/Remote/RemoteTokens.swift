// The token that is sent with a request: of a file, else of the environment's variables that `serve` reads too.
// Invariant: what is sent is one line of visible characters, so that it cannot be anything else in a header.
// Not here: what a server asks for (ContinuoServer).

#if CONTINUO_SERVER
  internal import ContinuoBytes
  internal import ContinuoFormats
  internal import FoundationEssentials

  struct RemoteTokens {
    /// What a request does.
    enum Level: String {
      case read, write, admin

      /// Whose tokens open it, the nearest first.
      fileprivate var names: [String] {
        switch self {
        case .read: ["READ", "WRITE", "ADMIN"]
        case .write: ["WRITE", "ADMIN"]
        case .admin: ["ADMIN", "WRITE"]
        }
      }
    }

    private static let bytesMax = 4096
    private let ofFile: String?
    private let environment: [String: String]

    /// Reads the file, where one is named. O(length).
    init(file path: String?, _ environment: [String: String]) throws {
      self.environment = environment
      ofFile = try path.map(Self.read)
    }

    private static func read(_ path: String) throws -> String {
      var bytes: [UInt8] = []
      do throws(DescriptorFailure) {
        let file = try DescriptorHandle(reading: path)
        while bytes.count <= bytesMax, try file.read(into: &bytes, atMost: bytesMax) > 0 {}
      } catch {
        throw Failure(.notFound, "\(Visible.text(path)) cannot be read: \(error)", remedy: "correct --token-file")
      }
      let text = String(decoding: bytes, as: UTF8.self).trimmingPrefix { $0.isWhitespace }
      let token = String(text.reversed().drop { $0.isWhitespace }.reversed())
      guard isToken(token) else {
        throw Failure(
          .badParameter, "\(Visible.text(path)) holds no token", remedy: "write the server's token into it, as one line"
        )
      }
      return token
    }

    private static func isToken(_ text: String) -> Bool {
      !text.isEmpty && text.utf8.count <= bytesMax && text.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F }
    }

    /// The token for a request; nil: none is sent. O(1).
    func token(for level: Level) throws -> String? {
      if let ofFile { return ofFile }
      for name in level.names {
        let variable = "CONTINUO_\(name)_TOKEN"
        guard let text = environment[variable], !text.isEmpty else { continue }
        guard Self.isToken(text) else {
          throw Failure(
            .badParameter, "the environment variable \(variable) holds no token", remedy: "give it visible characters")
        }
        return text
      }
      return nil
    }
  }
#endif
