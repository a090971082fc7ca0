// The rows that were not accepted, each on a line of JSON with why: nothing that the application wrote is lost without a trace.
// Invariant: lines are on the disk before the server is told that it may forget them; those of a batch that was taken are never left
// out, so the file is longer than its bound by them at most, and behind it nothing more is taken.
// Not here: why a row is rejected (Continuo's Judgement), when it is written (Follower).

package import Continuo
package import ContinuoStorage
internal import Synchronization

/// A file that is only appended to.
package final class DeadLetters: Sendable {
  /// The file is as long as it may be.
  package struct Full: Error, Equatable, Sendable, CustomStringConvertible {
    package let path: String
    package let bytesMax: Int64

    package var description: String {
      "\(path) has \(bytesMax) bytes of rejected rows: see why they are, move the file away, and start again"
    }
  }

  package let path: String
  private let file: any DiskFile
  private let state: Mutex<(end: Int64, unwritten: [UInt8])>
  /// Lines that are there of what may come again.
  private let known = Mutex<Set<[UInt8]>>([])
  private let bytesMax: Int64

  /// Opens the file in a directory, or makes it. O(1).
  package init(_ disk: any Disk = RealDisk(), directory: String, bytesMax: Int64) throws(StorageFailure) {
    path = directory + "/postgres.rejected.ndjson"
    self.bytesMax = bytesMax
    do throws(DiskFailure) {
      let isThere = try disk.names(in: directory)?.contains("postgres.rejected.ndjson") ?? false
      file = isThere ? try disk.open(path, forWriting: true) : try disk.create(path)
      try disk.syncDirectory(directory)
      state = Mutex((try file.bytes(), []))
    } catch { throw .disk(error) }
  }

  /// Puts lines on the disk, of what was taken already. Where that fails they are kept, and are written in front of what comes
  /// next. O(length) and a sync.
  package func append(_ lines: [UInt8]) throws {
    let news = unknown(lines)
    try state.withLock { state in
      state.unwritten += news
      try write(&state)
    }
  }

  // MARK: what comes again

  /// Leaves out from now on what is there of transactions from a place in the log on: they may come again. O(length).
  package func recall(from lsn: LSN) throws {
    var bytes: [UInt8] = []
    try state.withLock { try file.read(Int($0.end), at: 0, into: &bytes) }
    let lines = bytes.split(separator: 10).filter { line in
      // {"lsn":"0/16B374D848", …
      let place = line.dropFirst(8).prefix { $0 != UInt8(ascii: "\"") }
      return LSN(String(decoding: place, as: UTF8.self)).map { $0 >= lsn } ?? false
    }
    known.withLock { $0 = Set(lines.map { Self.identity($0) }) }
  }

  private func unknown(_ lines: [UInt8]) -> [UInt8] {
    let known = known.withLock { $0 }
    guard !known.isEmpty, !lines.isEmpty else { return lines }
    return lines.split(separator: 10).filter { !known.contains(Self.identity($0)) }.flatMap { $0 + [10] }
  }

  /// A line without its place, which is that of the last transaction that was taken with its own, and without the key: a row may
  /// have lost it by the time at which it is looked for.
  private static func identity(_ line: ArraySlice<UInt8>) -> [UInt8] {
    func place(_ name: String) -> Int {
      line.firstRange(of: Array(",\"\(name)\":".utf8))?.lowerBound ?? line.startIndex
    }
    let (table, key, reason) = (place("table"), place("key"), place("reason"))
    return Array(line[table..<(key > table && key < reason ? key : max(table, reason))] + line[max(table, reason)...])
  }

  /// Writes what could not be written before. O(1) where there is nothing.
  package func flush() throws { try state.withLock { try write(&$0) } }

  /// The same, in front of taking more.
  ///
  /// - Throws: ``Full`` where no more is to be taken.
  package func settle() throws {
    try state.withLock { state in
      try write(&state)
      guard state.end < bytesMax else { throw Full(path: path, bytesMax: bytesMax) }
    }
  }

  private func write(_ state: inout (end: Int64, unwritten: [UInt8])) throws {
    guard !state.unwritten.isEmpty else { return }
    try file.write(state.unwritten.span, at: state.end)
    try file.sync()
    state.end += Int64(state.unwritten.count)
    state.unwritten = []
  }

  /// One line: where the row stood, what was wrong, and what it held.
  package static func line(
    lsn: LSN, table: String, key: RowKey?, _ rejection: Rejection, row: [(name: String, value: [UInt8])]
  ) -> [UInt8] {
    var line = Array("{\"lsn\":\"\(lsn)\",\"table\":".utf8)
    append(Array(table.utf8), to: &line)
    switch key {
    case .number(let number)?: line += Array(",\"key\":\(number)".utf8)
    default: break
    }
    line += Array(",\"reason\":\"\(rejection.reason.name)\",\"field\":".utf8)
    line += rejection.field.map { Array("\"\($0.name)\"".utf8) } ?? Array("null".utf8)
    line += Array(",\"value\":".utf8)
    append(rejection.value.bytes, to: &line)
    line += Array(",\"row\":{".utf8)
    for (index, (name, value)) in row.enumerated() {
      if index > 0 { line.append(UInt8(ascii: ",")) }
      append(Array(name.utf8), to: &line)
      line.append(UInt8(ascii: ":"))
      append(value, to: &line)
    }
    return line + Array("}}\n".utf8)
  }

  /// A text in quotes, as JSON has it; what is no UTF-8 becomes a sign for that.
  private static func append(_ text: [UInt8], to line: inout [UInt8]) {
    line.append(UInt8(ascii: "\""))
    for scalar in String(decoding: text, as: UTF8.self).unicodeScalars {
      switch scalar {
      case "\"", "\\": line += [UInt8(ascii: "\\"), UInt8(scalar.value)]
      case _ where scalar.value < 0x20:
        let digits = String(scalar.value, radix: 16)
        line += Array(("\\u" + String(repeating: "0", count: 4 - digits.utf8.count) + digits).utf8)
      default: line += Array(String(scalar).utf8)
      }
    }
    line.append(UInt8(ascii: "\""))
  }
}

extension MappedEvent {
  /// Its fields as text, for who has to see why it was rejected.
  package func texts(_ kind: EventKind) -> [(name: String, value: [UInt8])] {
    switch content {
    case .unsent: return []
    case .texts(let texts):
      return texts.sorted { $0.key.rawValue < $1.key.rawValue }.map { ($0.key.name, $0.value) }
    case .fields(let fields):
      var texts: [(String, [UInt8])] = []
      if let identity {
        texts += [("chain", Array("\(identity.chain)".utf8)), ("block", Array("\(identity.block)".utf8))]
        texts.append(("log_index", Array("\(identity.logIndex)".utf8)))
      }
      if let timestamp { texts.append(("timestamp", Array(timestamp.description.utf8))) }
      texts.append(("token", fields.token))
      if let side = fields.side { texts.append(("side", Array(side.name.utf8))) }
      let names = kind == .swap ? ("amount_usd", "wallet") : ("amount", "from")
      if let amount = fields.amount { texts.append((names.0, Array(amount.description.utf8))) }
      if let amount = fields.tokenAmount { texts.append(("token_amount", Array(amount.description.utf8))) }
      if let price = fields.price { texts.append(("price_usd", Array(price.description.utf8))) }
      if !fields.from.isEmpty { texts.append((names.1, fields.from)) }
      if kind == .transfer { texts.append(("to", fields.to)) }
      return texts
    }
  }
}
