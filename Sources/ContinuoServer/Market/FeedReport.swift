// What is told of somebody who writes in the server's own process: whether the server can be relied on, and what is counted.
// Invariant: asked when somebody asks for readiness or metrics, at any time.
// Not here: who writes (ServerFeed), how it is shown (HealthRoutes, Metrics).

/// What is to be told of a feed: whether the server can be relied on, and what it counts.
public struct FeedReport: Sendable {
  /// One figure of the metrics.
  public struct Figure: Sendable {
    public var name: String
    public var help: String
    /// Whether it only grows.
    public var isCounter: Bool
    /// As they stand behind the name, with braces; figures of one name stand one behind the other.
    public var labels: String
    public var value: Double

    public init(_ name: String, _ help: String, isCounter: Bool = false, labels: String = "", _ value: Double) {
      (self.name, self.help, self.isCounter, self.labels, self.value) = (name, help, isCounter, labels, value)
    }
  }

  /// Why the server is not ready; nothing where it is.
  public var reasons: [String] = []
  /// What is wrong, though it is.
  public var warnings: [String] = []
  public var figures: [Figure] = []

  public init() {}
}
