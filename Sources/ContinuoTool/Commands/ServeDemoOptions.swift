// The flags of `continuo serve --demo`.
// Invariant: without --demo none of them does anything, and with it nothing is written but the demo's own directory.
// Not here: what the demo writes (DemoFeed).

#if CONTINUO_SERVER
  internal import ArgumentParser
  internal import ContinuoBytes
  internal import ContinuoServer

  /// Whether a synthetic market is served, and which.
  struct ServeDemoOptions: ParsableArguments {
    static let settings: [Setting] = [.flag("demo"), .value("demo-seed"), .value("demo-days"), .value("demo-rate")]
    /// The directory where --data-dir names none.
    static let directory = "./continuo-demo"
    /// What the page says of it.
    static let notice =
      "Synthetic data: these tokens and trades are invented, drawn from a seed. This is no real market."

    @Flag(
      help: ArgumentHelp(
        "Serve a lively synthetic market: invented tokens, with a history that is drawn in seconds. Kept in ./continuo-demo unless --data-dir is given; a directory with other events is refused."
      ))
    var demo = false

    @Option(help: ArgumentHelp("What the demo is drawn from.", valueName: "n"))
    var demoSeed: UInt64 = 7

    @Option(help: ArgumentHelp("How many days of history the demo begins with, 1 to 60.", valueName: "days"))
    var demoDays = 14

    @Option(help: ArgumentHelp("About how many trades a second happen in the demo, 1 to 1000.", valueName: "n"))
    var demoRate = 4

    mutating func validate() throws {
      guard (1...1000).contains(demoRate) else {
        throw ValidationError("'\(demoRate)' for --demo-rate is not within 1 to 1000")
      }
      guard (1...60).contains(demoDays) else {
        throw ValidationError("'\(demoDays)' for --demo-days is not within 1 to 60")
      }
    }
  }

  extension Server.Options {
    /// Has the demo write, and what is served say that it is one.
    mutating func setUp(_ demo: ServeDemoOptions, _ lines: MonitorHandle<Serve.Lines>, _ console: Console) {
      notice = ServeDemoOptions.notice
      feed =
        DemoFeed(
          seed: demo.demoSeed, days: demo.demoDays, perSecond: Double(demo.demoRate), dataDir: dataDirectory,
          wallClock: wallClock,
          tell: { inlet, own in
            // Behind the server's own lines, which wait for its port.
            while !lines.locked(when: { $0.isComplete }, withinMicroseconds: 100_000, { $0.isComplete }) {
              guard !inlet.hasEnded else { return }
            }
            lines.locked { Serve.print(own + ["try: open \($0.url) in a browser, or curl '\($0.url)/v1/top'"]) }
          },
          fail: { console.note("continuo: \($0)") }
        ).feed
    }
  }
#endif
