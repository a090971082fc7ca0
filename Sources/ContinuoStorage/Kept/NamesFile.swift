// Names in kept files, in the order of their numbers: what events refer to.
// Invariant: all of the files together have every number once.
// Not here: how a name is spelled (BatchPacker), the file (KeptFiles).
// Format: docs/format/kept.md, "Names".

package import Continuo

package enum NamesFile {
  /// A block has no more names.
  static let namesMax = 1 << 16

  /// Writes the names with these numbers and makes them durable, but not the file's name. O(bytes).
  static func write(
    _ file: any DiskFile, _ header: KeptHeader, _ version: borrowing KeptVersion, tokens: Range<Int>,
    addresses: Range<Int>
  ) throws(DiskFailure) -> KeptEntry {
    var (writer, contents) = (KeptWriter(file, header), ContentSum())
    var group = 0
    for (kind, numbers) in [(0, tokens), (1, addresses)] as [(UInt8, Range<Int>)] {
      for start in stride(from: numbers.lowerBound, to: numbers.upperBound, by: namesMax) {
        let own = start..<min(start + namesMax, numbers.upperBound)
        var payload: [UInt8] = []
        payload.appendWord(UInt32(own.count))
        if kind == 0 { version.appendTokens(own, to: &payload) } else { version.appendAddresses(own, to: &payload) }
        contents.add(
          areTokens: kind == 0, first: own.lowerBound, count: own.count, payload.span.extracting(4...))
        try writer.append(kind: kind, column: 0, group: group, payload)
        group += 1
      }
    }
    var entry = try writer.finish(footer(tokens.count, addresses.count))
    entry.contents = contents.value
    return entry
  }

  /// What all names add up to; every byte is checked on the way. O(bytes).
  static func contents(_ reader: KeptReader) throws(StorageFailure) -> UInt32 {
    var contents = ContentSum()
    var (token, address) = (Int(clamping: reader.header.first), Int(clamping: reader.header.second))
    try forEachBlock(reader, areTokensEnough: false) { (names, count, isToken) in
      contents.add(areTokens: isToken, first: isToken ? token : address, count: count, names)
      if isToken { token &+= count } else { address &+= count }
    }
    return contents.value
  }

  /// What a file of so many names says of itself.
  static func footer(_ tokens: Int, _ addresses: Int) -> [UInt8] {
    var footer: [UInt8] = []
    footer.appendWord(UInt64(tokens))
    footer.appendWord(UInt64(addresses))
    return footer
  }

  /// The names of one block alone, which has so many; nil where it is damaged. O(bytes).
  static func payload(
    _ reader: KeptReader, _ block: Int, areTokens: Bool, count: Int
  ) throws(StorageFailure) -> [UInt8]? {
    try KeptRemains.ifSound { () throws(StorageFailure) in
      try reader.withBlocks(
        block..<block + 1, { (areTokens ? 0 : 1, 0, $0) },
        { (bytes, payloads) throws(StorageFailure) in
          let payload = bytes.extracting(payloads[0])
          guard payload.count >= 4, payload.word(0, UInt32.self) == count else {
            throw reader.damaged(block, "\(count) names")
          }
          var names: [UInt8] = []
          for index in 4..<payload.count { names.append(payload[index]) }
          return names
        })
    }
  }

  /// How many tokens and addresses a file has.
  static func counts(_ reader: KeptReader) throws(StorageFailure) -> (tokens: Int, addresses: Int) {
    guard reader.footer.count == 16,
      let tokens = Int(exactly: reader.footer.span.word(0, UInt64.self)), tokens <= Limits.tokensMax,
      let addresses = Int(exactly: reader.footer.span.word(8, UInt64.self)), addresses <= Limits.addressesMax
    else { throw reader.damaged(reader.blockCount, "the footer of names") }
    return (tokens, addresses)
  }

  /// Gives an engine the names of a file, and checks every byte on the way. O(bytes).
  package static func adopt(_ reader: KeptReader, into engine: inout Engine) throws(StorageFailure) {
    try forEachBlock(reader, areTokensEnough: false) { (names, count, isToken) throws(PackedBatchFault) in
      try engine.adoptNames(names, tokens: isToken ? count : 0, addresses: isToken ? 0 : count)
    }
  }

  /// The numbers of those of some tokens that a file has. Only the tokens' names are read. O(their bytes).
  static func numbers(of tokens: [ByteString], _ reader: KeptReader) throws(StorageFailure) -> [(
    token: Int, number: UInt32
  )] {
    var found: [(token: Int, number: UInt32)] = []
    var first = UInt32(truncatingIfNeeded: reader.header.first)
    try forEachBlock(reader, areTokensEnough: true) { (names, count, _) throws(PackedBatchFault) in
      for (token, place) in try Engine.places(of: tokens, among: names, count) {
        found.append((token, first + UInt32(place)))
      }
      first += UInt32(count)
    }
    return found
  }

  private static func forEachBlock(
    _ reader: KeptReader, areTokensEnough: Bool,
    _ body: (_ names: Span<UInt8>, _ count: Int, _ isToken: Bool) throws(PackedBatchFault) -> Void
  ) throws(StorageFailure) {
    var left = try counts(reader)
    for block in 0..<reader.blockCount {
      let isToken = left.tokens > 0
      if areTokensEnough, !isToken { return }
      try reader.withBlocks(
        block..<block + 1, { (isToken ? 0 : 1, 0, $0) },
        { (bytes, payloads) throws(StorageFailure) in
          let payload = bytes.extracting(payloads[0])
          guard payload.count >= 4 else { throw reader.damaged(block, "names") }
          let count = Int(payload.word(0, UInt32.self))
          guard count <= (isToken ? left.tokens : left.addresses) else {
            throw reader.damaged(block, "as many names as the footer says")
          }
          if isToken { left.tokens -= count } else { left.addresses -= count }
          do throws(PackedBatchFault) { try body(payload.extracting(4...), count, isToken) } catch {
            throw reader.damaged(block, error.what)
          }
        })
    }
    guard left == (0, 0) else { throw reader.damaged(reader.blockCount, "the footer of the names that are there") }
  }
}
