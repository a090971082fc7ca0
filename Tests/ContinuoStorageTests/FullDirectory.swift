// A small data directory with everything in it that one can have, and what it says of itself behind each of its steps.
// Invariant: the same steps make the same state in any directory; only identities differ.
// Not here: what happens to its files (DirectoryDamageTests, ForgedDirectoryDamageTests).

import Continuo
import ContinuoFormats
import ContinuoStorage
import ContinuoTestSupport
import Testing

/// What a directory brings back, as far as anybody can ask.
struct DirectoryState: Equatable {
  var digest: String
  var inspection: Inspection
  var positions: [InputPosition]

  init(_ engine: borrowing Engine) throws {
    digest = try StateDigest.hexadecimal(of: engine)
    inspection = engine.inspection()
    positions = engine.positions
  }
}

/// A directory as it was behind a step.
struct DirectoryMoment {
  var image: DiskState
  var state: DirectoryState
  /// How many frames there were.
  var sequence: UInt64
}

/// Segments, two files of names, one of bases, a mark, two journal files with frames in front of the checkpoint and behind it.
struct FullDirectory {
  static let path = "/data"
  static let day: Int64 = 86_400_000_000
  static let hour: Int64 = 3_600_000_000
  static let start = Timestamp(microseconds: 1_730_419_200_000_000)
  private(set) var moments: [DirectoryMoment] = []

  /// What is there at the end, with nobody in it.
  var image: DiskState { moments[moments.count - 1].image }
  var state: DirectoryState { moments[moments.count - 1].state }

  static var options: Ledger.Options {
    var options = Ledger.Options()
    options.journalFileBytes = 6 * 4096
    options.checkpointBytes = nil
    options.engine.retention = try? RetentionPolicy("raw=7d,1h=8d")
    return options
  }

  init() throws {
    let disk = SimulatedDisk()
    let ledger = try Ledger(disk, path: Self.path, Self.options)
    func note() throws {
      let read = try ReadDirectory(SimulatedDisk(disk.image), path: Self.path, Engine.Settings())
      let state = try DirectoryState(read.engine)
      moments.append(DirectoryMoment(image: disk.image, state: state, sequence: ledger.journalPosition.sequence))
    }
    func take(_ day: Int, hour: Int, block: UInt64, names: Range<Int>) throws {
      let batch = Self.batch(day, hour: hour, block: block, names: names)
      if let position = InputPosition(block % 20 == 0 ? "pg" : "log ü", UInt128(moments.count + 1) << 70) {
        _ = try ledger.take(batch, at: position, wallClock: nil)
      }
      try note()
    }
    try take(0, hour: 1, block: 100, names: 0..<9)
    try take(0, hour: 2, block: 110, names: 5..<14)
    try take(1, hour: 9, block: 200, names: 3..<9)
    try take(9, hour: 1, block: 900, names: 6..<16)
    _ = try ledger.take(Self.overflow(), wallClock: nil)
    #expect(try ledger.moveHorizon() > 20)
    try note()
    try take(9, hour: 6, block: 940, names: 0..<5)
    #expect(try ledger.checkpoint().files >= 4)
    try note()
    try take(9, hour: 13, block: 960, names: 15..<18)
    #expect(try ledger.checkpoint().files == 2)
    try note()
    try take(9, hour: 14, block: 970, names: 16..<20)
    #expect(try ledger.retract(EventIdentity(kind: .swap, chain: 1, block: 974, logIndex: 4)))
    try note()
    try take(9, hour: 3, block: 930, names: 2..<6)
    #expect(try ledger.rollback(chain: 8453, above: 971) > 0)
    try note()
    try take(9, hour: 16, block: 980, names: 0..<4)
    try take(9, hour: 17, block: 990, names: 19..<22)
  }

  /// Swaps and transfers of some wallets, two tokens and two chains.
  static func batch(_ day: Int, hour: Int, block: UInt64, names: Range<Int>) -> EventBatch {
    var batch = EventBatch()
    let time = start + Int64(day) * Self.day + Int64(hour) * Self.hour
    for index in names {
      let (chain, own) = (index % 3 == 0 ? 8453 : 1, block + UInt64(index / 4))
      batch.append(
        Swap(
          chain: UInt32(chain), block: own, logIndex: UInt32(2 * index % 7), timestamp: time + Int64(index) * 2_000_000,
          token: index % 2 == 0 ? "ART" : "BEE", side: index % 5 == 0 ? nil : index % 2 == 0 ? .buy : .sell,
          amountUSD: Decimal18(whole: Int64(index * 7 + 3)), tokenAmount: Decimal18(whole: Int64(index % 4 + 1)),
          priceUSD: index % 3 == 0 ? Decimal18("1.25") : nil, wallet: ByteString("wallet \(index)")))
      batch.append(
        Transfer(
          chain: UInt32(chain), block: own, logIndex: UInt32(index), timestamp: time + Int64(index) * 2_000_000,
          token: index % 2 == 0 ? "ART" : "BEE", from: index % 4 == 0 ? "0x0" : ByteString("wallet \(index - 1)"),
          to: ByteString("wallet \(index)"), amount: Decimal18(whole: Int64(index + 1)),
          tokenID: index % 8 == 7 ? WideID(high: 1, low: UInt128(index)) : nil))
    }
    return batch
  }

  /// A transfer that is rejected for its size: its token's holders are incomplete for good.
  private static func overflow() throws -> EventBatch {
    let text =
      "kind,chain,block,log_index,timestamp,token,from,to,amount\n"
      + "transfer,1,920,1,2024-11-10T02:00:00Z,BEE,wallet 1,wallet 2,9\(String(repeating: "0", count: 40))\n"
    var file = try InputFile(
      bytes: Array(text.utf8), name: "overflow.csv", options: InputOptions(), blockBytes: 4096)
    var batch = EventBatch()
    #expect(try file.nextBatch(into: &batch))
    #expect(batch.rows.count == 1)
    return batch
  }

  // MARK: its files

  /// All of its files but the lock, by name.
  var files: [String] { image.names.keys.filter { $0 != Self.path + "/lock" }.sorted() }

  /// The journal file with the last frame.
  var lastJournal: String { files.last { $0.hasSuffix(".journal") } ?? "" }

  func bytes(_ file: String) -> [UInt8] { image.bytes(of: file) ?? [] }
}

extension DiskState {
  func bytes(of file: String) -> [UInt8]? { names[file].flatMap { files[$0] } }

  /// The same with other bytes in a file; nil removes it.
  func with(_ file: String, _ bytes: [UInt8]?) -> DiskState {
    var state = self
    guard let bytes else {
      state.names[file] = nil
      return state
    }
    let number = state.names[file] ?? (state.files.keys.max() ?? 0) + 1
    (state.names[file], state.files[number]) = (number, bytes)
    return state
  }
}
