// What the log looks like: one event, one line, for people at a terminal or as JSON for programs.
// Invariant: a line goes out whole, by one call; no text in it ends it, or is obeyed by a terminal.
// Not here: what is told (RequestLog, MarketLog), how much of it (who makes the logger).

#if Server
  public import Continuo
  internal import ContinuoBytes
  internal import ContinuoFormats
  public import Logging

  /// Writes a logger's events to standard error, or where it is told to.
  public struct LogLines: LogHandler {
    /// How a line looks.
    public enum Form: String, CaseIterable, Sendable {
      /// For people: time, level, message, `name=value`.
      case text
      /// One object.
      case json
    }

    public var logLevel: Logger.Level
    public var metadata: Logger.Metadata = [:]
    private let form: Form
    private let clock: @Sendable () -> Timestamp
    private let write: @Sendable ([UInt8]) -> Void

    /// Sets a handler up. O(1).
    ///
    /// - Parameters:
    ///   - clock: what time it is.
    ///   - write: takes a line, with its line feed.
    public init(
      _ form: Form, level: Logger.Level, clock: @escaping @Sendable () -> Timestamp,
      write: @escaping @Sendable ([UInt8]) -> Void = LogLines.toStandardError
    ) {
      (self.form, logLevel, self.clock, self.write) = (form, level, clock, write)
    }

    /// Writes to standard error. O(length).
    public static func toStandardError(_ line: [UInt8]) {
      do {
        try DescriptorHandle.standardError.write(line)
      } catch {
        // Nobody reads it: the server serves all the same.
      }
    }

    public subscript(metadataKey key: String) -> Logger.Metadata.Value? {
      get { metadata[key] }
      set { metadata[key] = newValue }
    }

    public func log(event: LogEvent) {
      let values = metadata.merging(event.metadata ?? [:]) { $1 }.sorted { $0.key < $1.key }
      write(
        form == .json
          ? json(event.level, event.message.description, values) : text(event.level, event.message.description, values))
    }

    private typealias Values = [(key: String, value: Logger.Metadata.Value)]

    private func json(_ level: Logger.Level, _ message: String, _ values: Values) -> [UInt8] {
      var object = JSONObject()
      object.put("time", time: clock(), as: nil)
      object.put("level", ByteString(level.rawValue))
      object.put("message", ByteString(Visible.text(message)))
      for (key, value) in values {
        if let number = Self.number(value) {
          object.put(key, json: Array(number.utf8))
        } else {
          object.put(key, ByteString(Visible.text(value.description)))
        }
      }
      return object.finished()
    }

    private func text(_ level: Logger.Level, _ message: String, _ values: Values) -> [UInt8] {
      var line = "\(clock()) \(level.rawValue) \(Visible.text(message))"
      for (key, value) in values {
        let shown = Visible.text(value.description)
        let isPlain = !shown.isEmpty && !shown.contains { $0 == " " || $0 == "\"" || $0 == "=" }
        line += " \(key)=" + (isPlain ? shown : "\"" + shown.replacing("\"", with: "\\\"") + "\"")
      }
      return Array((line + "\n").utf8)
    }

    /// A value that is a number, as its digits.
    private static func number(_ value: Logger.Metadata.Value) -> String? {
      guard case .stringConvertible(let value) = value else { return nil }
      switch value {
      case let whole as any BinaryInteger: return "\(whole)"
      case let number as Double where number.isFinite: return "\(number)"
      default: return nil
      }
    }
  }
#endif
