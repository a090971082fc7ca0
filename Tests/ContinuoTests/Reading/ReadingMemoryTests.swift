// What readers cost in memory: little as they come and go, what a held version refers to until it is let go, and then
// nothing again.
// Invariant: figures of the engine's own arenas, which are the same in each run.
// Not here: whether what is read is right (ReadingProperties).

import Continuo
import ContinuoTestSupport
import Testing

@Suite("Memory for readers")
struct ReadingMemoryTests {
  /// Rule 8: a writer that goes on and on beside readers that come and go.
  @Test("Readers that come and go cost no more memory, however long the writer goes on")
  func readersComeAndGo() throws {
    var alone = Writer()
    var beside = Writer()
    let publication = beside.engine.publication()
    var inUse: [Int] = []
    for round in 0..<60 {
      var reader = publication.reader()
      try reader.read { version in
        // Held over one batch in two.
        if round % 2 == 0 { try beside.batch() }
        #expect(version.tokens().count == Writer.tokens || round == 0)
      }
      while beside.batches <= alone.batches { try beside.batch() }
      try alone.batch()
      if round % 10 == 9 {
        try alone.undo()
        try beside.undo()
        inUse.append(beside.engine.bytesInUse)
      }
    }
    #expect(beside.batches == alone.batches)
    #expect(beside.engine.inspection() == alone.engine.inspection())
    #expect(inUse[5] < inUse[1] * 11 / 10, "\(inUse)")
    #expect(beside.engine.bytesInUse < alone.engine.bytesInUse * 3 / 2)
    #expect(beside.engine.bytesMapped < alone.engine.bytesMapped * 3)
  }

  /// Rule 8: a reader that does not come back.
  @Test("A stuck reader keeps what its version refers to, stops nobody, and gives all of it back")
  func stuckReader() throws {
    var alone = Writer()
    var beside = Writer()
    let publication = beside.engine.publication()
    for _ in 0..<10 { try beside.batch() }
    var stuck = publication.reader()
    var other = publication.reader()
    let before = beside.engine.bytesInUse
    try stuck.read { version in
      let swaps = version.inspection().swaps
      for _ in 0..<40 { try beside.batch() }
      #expect(version.inspection().swaps == swaps)
      #expect(other.read { $0.inspection().swaps } > swaps, "others see on")
    }
    let held = beside.engine.bytesInUse
    try beside.undo()
    for _ in 0..<50 { try alone.batch() }
    #expect(held > alone.engine.bytesInUse * 2, "what it may see is kept")
    try alone.undo()
    let after = beside.engine.bytesInUse
    #expect(after < alone.engine.bytesInUse * 5 / 4, "\(before) before, \(held) held, \(after) after")
    let mapped = beside.engine.bytesMapped
    for _ in 0..<30 { try beside.batch() }
    #expect(beside.engine.bytesMapped == mapped, "what was given back is used again")
  }

  /// Rule 8: a large batch of late rows replaces its chunks over and over before it is shown.
  @Test("What a batch makes and replaces before it is shown is used again within it")
  func withinOneBatch() throws {
    var alone = Writer()
    var beside = Writer()
    _ = beside.engine.publication()
    try alone.batch(rows: 6_000)
    try beside.batch(rows: 6_000)
    #expect(beside.engine.bytesMapped <= alone.engine.bytesMapped * 2)
  }

  /// Rule 8: the last version outlives the engine.
  @Test("Who holds a publication can read on when the engine is gone")
  func engineIsGone() throws {
    let publication = try Self.publicationOfGoneEngine()
    var reader = publication.reader()
    reader.read { version in
      #expect(version.tokens().count == Writer.tokens)
      #expect(version.inspection().swaps + version.inspection().transfers == Writer.rows)
      for token in version.tokens() { #expect(!version.candleAnswers(token, CandleQuery(.oneHour)).isEmpty) }
    }
  }

  private static func publicationOfGoneEngine() throws -> Publication {
    var writer = Writer()
    let publication = writer.engine.publication()
    try writer.batch()
    return publication
  }
}

/// A writer whose engine always holds about the same.
private struct Writer: ~Copyable {
  static let tokens = 30
  static let rows = 600
  var engine = Engine()
  private(set) var batches = 0
  private var random = SeededGenerator(seed: 1)
  private var block: UInt64 = 0

  /// Applies a batch of swaps and transfers in no order of time.
  mutating func batch(rows: Int = Writer.rows) throws {
    var batch = EventBatch()
    for _ in 0..<rows {
      block += 1
      let hours = Int64.random(in: 0..<200, using: &random) * 3_600_000_000
      let time = Timestamp(microseconds: 1_700_000_000_000_000 + hours + Int64(block % 3_600) * 1_000_000)
      let token = ByteString("token \(block % UInt64(Self.tokens))")
      if block % 7 == 0 {
        batch.append(
          Transfer(
            block: block, timestamp: time, token: token, from: ByteString("from \(block % 40)"),
            to: ByteString("to \(block % 70)"), amount: Decimal18(units: Int128(block) << 50)))
      } else {
        let amount = Decimal18(units: Int128(Int64.random(in: 1...9_999, using: &random)) << 50)
        batch.append(Swap(block: block, timestamp: time, token: token, amountUSD: amount, tokenAmount: amount))
      }
    }
    try engine.apply(batch, wallClock: nil)
    batches += 1
  }

  /// Undoes all but the first few batches.
  mutating func undo() throws { _ = try engine.rollback(chain: 0, above: UInt64(10 * Self.rows)) }
}
