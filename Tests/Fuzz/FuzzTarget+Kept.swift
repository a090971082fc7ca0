// Any bytes as the payloads of a kept file whose checksums are all right: columns, names, bases, and an engine that takes them.
// Invariant: a file is read to its end or is refused as damaged; an engine that took all of it keeps its invariants.
// Not here: checksums and places of blocks (DirectoryDamageTests).

import Continuo
import ContinuoStorage
import Synchronization

extension FuzzTarget {
  /// A byte for the kind, eight for what the header says first; then payloads, each behind two bytes of its length: those of the
  /// blocks in their order, and at last the footer's own part.
  func kept(_ bytes: [UInt8]) {
    guard bytes.count >= 9, let kind = KeptKind(rawValue: bytes[0] % 3) else { return }
    let first = bytes[1..<9].reversed().reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
    var payloads = Self.payloads(bytes.dropFirst(9))
    guard let footer = payloads.popLast() else { return }
    let header = KeptHeader(
      kind: kind, directory: 7, number: 1, first: Int64(bitPattern: first),
      second: kind == .segment ? ChangedTimes.length : 0)
    let file = MemoryFile()
    do {
      var writer = KeptWriter(file, header)
      for (index, payload) in payloads.enumerated() {
        let head = Self.head(kind, index, footer)
        try writer.append(kind: head.kind, column: head.column, group: head.group, payload)
      }
      let entry = try writer.finish(footer)
      try Self.take(KeptReader(file, path: "fuzz", entry), kind, Timestamp(microseconds: Int64(bitPattern: first)))
    } catch let failure as StorageFailure {
      guard case .damaged("fuzz", _, _, _) = failure else { fatalError("broken property: \(failure)") }
    } catch {
      require(error is PackedBatchFault, "another failure than that of a file: \(error)")
    }
  }

  private static func payloads(_ bytes: ArraySlice<UInt8>) -> [[UInt8]] {
    var (rest, payloads) = (bytes, [[UInt8]]())
    while rest.count >= 2 {
      let count = Int(rest.removeFirst()) | Int(rest.removeFirst()) << 8
      payloads.append(Array(rest.prefix(count)))
      rest = rest.dropFirst(count)
    }
    return payloads
  }

  /// What a block is by its place.
  private static func head(_ kind: KeptKind, _ index: Int, _ footer: [UInt8]) -> (
    kind: UInt8, column: UInt8, group: Int
  ) {
    switch kind {
    case .names: return (index == 0 && footer.first != 0 ? 0 : 1, 0, index)
    case .bases: return (0, UInt8(index % 41), index / 41)
    case .segment:
      // One group of swaps, if there are any.
      let width = footer.first != 0 ? 13 : 0
      return index < width ? (0, UInt8(index), 0) : (1, UInt8((index - width) % 14), (index - width) / 14 + width / 13)
    }
  }

  /// Gives an engine of two tokens and thirty addresses what a file says.
  private static func take(_ reader: KeptReader, _ kind: KeptKind, _ first: Timestamp) throws {
    var engine = Engine()
    func names(_ count: Int) -> [UInt8] {
      [UInt8](repeating: 1, count: count) + (0..<UInt8(count)).map { UInt8(ascii: "A") + $0 }
    }
    try engine.adoptNames((names(2) + names(30)).span, tokens: 2, addresses: 30)
    var marks = EngineMarks()
    switch kind {
    case .names: try NamesFile.adopt(reader, into: &engine)
    case .bases:
      for base in try BasesFile.bases(reader) { try engine.adopt(base) }
      (marks.horizon, marks.hasDropped) = (first, true)
    case .segment:
      var scratch = SegmentScratch()
      var fault: PackedBatchFault?
      try SegmentFile.forEachGroup(reader, &scratch) { group in
        do throws(PackedBatchFault) {
          if fault == nil {
            try engine.adopt(byToken: group.swaps.span, group.swapTokens.span, group.keys.span, group.tokens.span)
          }
          if fault == nil { try engine.adopt(group.transfers.span) }
        } catch { fault = error }
      }
      if let fault { throw fault }
    }
    try engine.adopt(marks)
    let wrong = engine.checkInvariants()
    require(wrong.isEmpty, "invariants: \(wrong)")
    for token in engine.tokens() {
      for interval in Interval.allCases {
        engine.forEachCandle(of: token, CandleQuery(interval)) {
          require($0.candle?.trades != 0, "a candle without trades")
        }
      }
      _ = engine.holders(of: token)
    }
    engine.moveHorizon(.standard)
  }
}

/// A file in memory.
private final class MemoryFile: DiskFile {
  private let content = Mutex<[UInt8]>([])

  func bytes() -> Int64 { content.withLock { Int64($0.count) } }
  func read(_ count: Int, at offset: Int64, into bytes: inout [UInt8]) {
    bytes += content.withLock { $0.dropFirst(Int(offset)).prefix(count) }
  }
  func write(_ bytes: Span<UInt8>, at offset: Int64) {
    content.withLock { content in
      for index in bytes.indices { content.append(bytes[index]) }
    }
  }
  func sync() {}
}
