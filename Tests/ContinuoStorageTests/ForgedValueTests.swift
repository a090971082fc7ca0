// One value of a directory changed, and every checksum made right again: 'verify' finds it, and says in which file.
// Not here: changes at random (ForgedDirectoryDamageTests), damage that a checksum tells (DirectoryDamageTests).
// Rules 7.6.

import Continuo
import ContinuoStorage
import ContinuoTestSupport
import Testing

@Suite("A changed value whose checksum is right")
struct ForgedValueTests {
  private static let directory = try? FullDirectory()
  private static let path = FullDirectory.path

  /// What is changed of the events and of what is left of dropped ones.
  enum Value: String, CaseIterable {
    case identity, time, wallet, side, amount, tokenAmount, price
    case taker, transferred, tokenID
    case candle, balance, supply, lastPrice
    case name
  }

  /// Rule 7.6.
  @Test("Found, and in which file", arguments: Value.allCases)
  func found(value: Value) throws {
    // Behind a checkpoint, with no frame behind it: what is held then is what is in the files.
    let moments = try #require(Self.directory).moments
    let image = try #require(
      moments.first { $0.image.bytes(of: Self.path + "/kept/00000006.names") != nil }?.image)
    let (file, bytes) = try #require(Self.forged(value, image))
    let forged = image.forging(file, bytes)
    // Nothing else tells.
    _ = try ReadDirectory(SimulatedDisk(forged), path: Self.path, Engine.Settings())
    let found = try Verification(SimulatedDisk(forged), path: Self.path)
    #expect(found.failures == [])
    #expect(found.differences.count == 1 && found.differences[0].hasPrefix(file + ": "), "\(found.differences)")
    let before = try Verification(SimulatedDisk(image), path: Self.path)
    #expect(before.isSound)
    // A manifest of before sums says nothing of contents.
    var manifest = try #require(forged.bytes(of: Self.path + "/manifest"))
    manifest.forgetContents()
    let old = try Verification(SimulatedDisk(forged.with(Self.path + "/manifest", manifest)), path: Self.path)
    #expect(old.isSound)
  }

  /// A file of the image that has one value changed.
  private static func forged(_ value: Value, _ image: DiskState) -> (file: String, bytes: [UInt8])? {
    for file in image.names.keys.sorted() where file.contains("/kept/") {
      guard var bytes = image.bytes(of: file) else { continue }
      if file.hasSuffix(".names"), value == .name {
        let blocks = bytes.blocks
        // The last letter of the last token's name, which is another one then.
        bytes[bytes.payload(blocks[0]).upperBound - 1] ^= 1
        bytes.sealKept(blocks)
        return (file, bytes)
      }
      if file.hasSuffix(".segment"), let forged = segment(value, image, file) { return (file, forged) }
      if file.hasSuffix(".bases"), let forged = bases(value, image, file) { return (file, forged) }
    }
    return nil
  }

  private static func header(_ kind: KeptKind, _ bytes: [UInt8]) -> KeptHeader {
    KeptHeader(
      kind: kind, directory: bytes.word(16, UInt64.self), number: bytes.word(12, UInt32.self),
      first: bytes.word(24, Int64.self), second: bytes.word(32, Int64.self))
  }

  /// A segment with one value changed; nil where it has none such.
  private static func segment(_ value: Value, _ image: DiskState, _ file: String) -> [UInt8]? {
    guard let read = try? ReadDirectory(SimulatedDisk(image), path: path, Engine.Settings()),
      let header = image.bytes(of: file).map({ Self.header(.segment, $0) })
    else { return nil }
    let (from, end) = (Timestamp(microseconds: header.first), Timestamp(microseconds: header.first + header.second))
    var swaps = read.engine.heldSwaps(from: from, before: end)
    var transfers = read.engine.heldTransfers(from: from, before: end)
    func more(_ amount: Decimal18) -> Decimal18 { Decimal18(units: amount.units + 1) }
    if let last = swaps.indices.max(by: { swaps[$0].key.block < swaps[$1].key.block }) {
      switch value {
      case .identity: swaps[last].key.logIndex += 1
      case .time: swaps[last].key.timestamp.microseconds += swaps[last].key.timestamp + 1 < end ? 1 : -1
      case .wallet: swaps[last].trader = swaps[last].trader == 1 ? 2 : 1
      case .side: swaps[last].side = swaps[last].side == .buy ? .sell : .buy
      case .amount: swaps[last].amountUSD = more(swaps[last].amountUSD)
      case .tokenAmount: swaps[last].tokenAmount = more(swaps[last].tokenAmount)
      case .price: swaps[last].price = more(swaps[last].price)
      default: break
      }
    }
    if let last = transfers.indices.last {
      switch value {
      case .taker: transfers[last].to = transfers[last].to == 1 ? 2 : 1
      case .transferred: transfers[last].amount = more(transfers[last].amount)
      case .tokenID: transfers[last].tokenID = transfers[last].tokenID == nil ? WideID(high: 0, low: 0) : nil
      default: break
      }
    }
    return written(file, header, is: image) {
      var scratch = SegmentScratch()
      _ = try SegmentFile.write($0, header, swaps[...], transfers[...], &scratch)
    }
  }

  /// Bases with one value changed.
  private static func bases(_ value: Value, _ image: DiskState, _ file: String) -> [UInt8]? {
    guard let read = try? ReadDirectory(SimulatedDisk(image), path: path, Engine.Settings()),
      let header = image.bytes(of: file).map({ Self.header(.bases, $0) })
    else { return nil }
    var bases = read.engine.bases()
    let one = ExactSum(Decimal18(units: 1))
    for index in bases.indices {
      if value == .candle, !bases[index].candles.isEmpty {
        bases[index].candles[0].candle = bases[index].candles[0].candle.withMoreTokens
        break
      }
      if value == .balance, !bases[index].balances.isEmpty {
        bases[index].balances[0].sum += one
        break
      }
      if value == .supply, bases[index].droppedTransfers > 0 {
        bases[index].supply += one
        break
      }
      if value == .lastPrice, bases[index].lastKey != nil {
        bases[index].lastPrice = Decimal18(units: bases[index].lastPrice.units + 1)
        break
      }
    }
    return written(file, header, is: image) { _ = try BasesFile.write($0, header, bases) }
  }

  /// What is written in place of a file; nil where that is the same.
  private static func written(
    _ file: String, _ header: KeptHeader, is image: DiskState, _ body: (any DiskFile) throws -> Void
  ) -> [UInt8]? {
    let disk = SimulatedDisk()
    guard let written = try? disk.create(file), (try? body(written)) != nil, let bytes = disk.image.bytes(of: file),
      bytes != image.bytes(of: file)
    else { return nil }
    return bytes
  }
}

extension Candle {
  /// The same, but for the smallest part of a token.
  fileprivate var withMoreTokens: Candle {
    var volume = volumeToken
    volume += ExactSum(Decimal18(units: 1))
    return Candle(
      open: open, high: high, low: low, close: close, openKey: openKey, closeKey: closeKey, volumeUSD: volumeUSD,
      volumeToken: volume, buyVolumeUSD: buyVolumeUSD, sellVolumeUSD: sellVolumeUSD, trades: trades,
      tradesWithoutTokenAmount: tradesWithoutTokenAmount)
  }
}
