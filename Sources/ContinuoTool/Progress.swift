// A progress bar on stderr for work that takes long, by bytes.
// Invariant: nothing is drawn where stderr is no terminal, or under `--quiet`, and no bar in the first half second; what was
// drawn is wiped before anything else is written.
// Not here: what is worked on (Replay, Load).

internal import Continuo

struct Progress {
  private static let delay: Duration = .milliseconds(500)
  private static let pause: Duration = .milliseconds(100)
  private static let barWidth = 30

  private let isOn: Bool
  private let start = ContinuousClock.now
  private var drawn: ContinuousClock.Instant?

  init(_ console: Console) { isOn = console.canRedraw && !console.isQuiet }

  /// Shows how far the work is, if it is time to. O(1).
  ///
  /// - Parameter rows: how many rows were taken in so far.
  mutating func update(file: Int, of files: Int, bytes: Int64, total: Int64?, rows: Int) {
    guard isOn else { return }
    let now = ContinuousClock.now
    guard now - start > Self.delay, drawn.map({ now - $0 > Self.pause }) ?? true else { return }
    drawn = now
    let name = files > 1 ? "file \(file) of \(files)  " : ""
    Console.raw("\r\(name)\(Self.bar(bytes, total))  \(Self.rate(rows, now - start))\u{1B}[K")
  }

  /// Shows how far a phase is, if it is time to. O(1).
  mutating func show(_ phase: String, bytes: Int64, total: Int64) {
    guard isOn else { return }
    let now = ContinuousClock.now
    guard now - start > Self.delay, drawn.map({ now - $0 > Self.pause }) ?? true else { return }
    drawn = now
    Console.raw("\r\(phase)  \(Self.bar(bytes, total))\u{1B}[K")
  }

  /// Says what is being worked on where nothing can be counted. O(1).
  mutating func say(_ phase: String) {
    guard isOn else { return }
    drawn = ContinuousClock.now
    Console.raw("\r\(phase)\u{1B}[K")
  }

  /// Wipes the bar. O(1).
  mutating func finish() {
    if drawn != nil { Console.raw("\r\u{1B}[K") }
    drawn = nil
  }

  /// How many rows a second that is.
  static func rate(_ rows: Int, _ time: Duration) -> String {
    "\(Int(Double(rows) / max(1e-3, time.seconds))) rows/s"
  }

  static func bar(_ bytes: Int64, _ total: Int64?) -> String {
    let megabytes = "\(bytes / 1_000_000) MB"
    guard let total, total > 0 else { return megabytes }
    let share = min(1, Double(bytes) / Double(total))
    let full = Int(share * Double(barWidth))
    let bar = String(repeating: "#", count: full) + String(repeating: ".", count: barWidth - full)
    return "[\(bar)] \(Int(share * 100)) %  \(megabytes)"
  }
}
