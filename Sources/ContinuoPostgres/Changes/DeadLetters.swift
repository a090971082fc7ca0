// The rows that were not accepted, each on a line of JSON with why: nothing that the application wrote is lost without a trace.
// Invariant: lines are on the disk before the server is told that it may forget them; those of a batch are never left out, so the file
// is longer than its bound by them at most, and behind it nothing more is taken; each is there once.
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

  private struct State {
    /// Behind the last line.
    var end: Int64
    /// What a process that ended has left of a line behind it.
    var torn: Int
    /// Whether something stands in front of it that is no line.
    var isGlued: Bool
    var unwritten: [UInt8] = []
    /// Lines that are there of transactions that come again, without their places, and how often.
    var known: [[UInt8]: Int] = [:]
  }

  private static let lineBytesMax = 1 << 20

  package let path: String
  private let file: any DiskFile
  private let state: Mutex<State>
  private let bytesMax: Int64

  /// Opens the file in a directory, or makes it. O(length).
  package init(_ disk: any Disk = RealDisk(), directory: String, bytesMax: Int64) throws(StorageFailure) {
    path = directory + "/postgres.rejected.ndjson"
    self.bytesMax = bytesMax
    do throws(DiskFailure) {
      let isThere = try disk.names(in: directory)?.contains("postgres.rejected.ndjson") ?? false
      file = isThere ? try disk.open(path, forWriting: true) : try disk.create(path)
      try disk.syncDirectory(directory)
      var bytes: [UInt8] = []
      try file.read(Int(try file.bytes()), at: 0, into: &bytes)
      var end = bytes.lastIndex(of: 10).map { $0 + 1 } ?? 0
      // Longer than nearly any line of ours: it stays, whosever it is.
      let isGlued = bytes.count - end > Self.lineBytesMax
      if isGlued { end = bytes.count }
      state = Mutex(State(end: Int64(end), torn: bytes.count - end, isGlued: isGlued))
    } catch { throw .disk(error) }
  }

  /// Puts lines on the disk, but for those that are there of the same transaction. Where that fails they are kept, and are written in
  /// front of what comes next. O(length) and a sync.
  package func append(_ lines: [UInt8]) throws {
    try state.withLock { state in
      state.unwritten += Self.unknown(lines, &state.known)
      try write(&state)
    }
  }

  // MARK: what comes again

  /// Leaves out from now on, once each, what is there of transactions that come again. O(length).
  ///
  /// - Parameter position: how far the directory is.
  /// - Returns: what is there of the newest transaction that was taken: lines from the reason on, and how often.
  func recall(_ position: SourcePosition) throws -> [[UInt8]: Int] {
    try state.withLock { state in
      var bytes: [UInt8] = []
      try file.read(Int(state.end), at: 0, into: &bytes)
      bytes += state.unwritten
      var newest: [[UInt8]: Int] = [:]
      state.known = [:]
      for line in bytes.split(separator: 10) {
        // What a torn line was written over with.
        let line = line.prefix(through: line.lastIndex { $0 != 0x20 } ?? line.startIndex)
        // {"lsn":"16/B374D848","table": …
        let place = line.dropFirst(8).prefix { $0 != UInt8(ascii: "\"") }
        guard let lsn = LSN(String(decoding: place, as: UTF8.self)), lsn >= position.lsn else { continue }
        if lsn == position.lsn { newest[Self.from("reason", line), default: 0] += 1 }
        // Where a transaction ends the next one's commit may begin, whose place its first parts have.
        state.known[Self.from("table", line), default: 0] += 1
      }
      return newest
    }
  }

  private static func unknown(_ lines: [UInt8], _ known: inout [[UInt8]: Int]) -> [UInt8] {
    guard !known.isEmpty, !lines.isEmpty else { return lines }
    var news: [UInt8] = []
    for line in lines.split(separator: 10) {
      let own = from("table", line)
      if isTaken(own, of: &known) { continue }
      news += line
      news.append(10)
    }
    return news
  }

  /// Whether there is one of some lines, which is one less then.
  static func isTaken(_ line: [UInt8], of lines: inout [[UInt8]: Int]) -> Bool {
    guard let count = lines[line] else { return false }
    lines[line] = count > 1 ? count - 1 : nil
    return true
  }

  /// The rest of a line from a field on.
  static func from(_ field: String, _ line: ArraySlice<UInt8>) -> [UInt8] {
    Array(line[(line.firstRange(of: Array(",\"\(field)\":".utf8))?.lowerBound ?? line.startIndex)...])
  }

  // MARK: writing

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

  private func write(_ state: inout State) throws {
    guard !state.unwritten.isEmpty else { return }
    if state.isGlued { state.unwritten.insert(10, at: 0) }
    // Over what was torn, all of it: spaces behind a value are none of JSON's business.
    let missing = state.torn - state.unwritten.count
    if missing > 0 {
      state.unwritten.insert(contentsOf: [UInt8](repeating: 0x20, count: missing), at: state.unwritten.count - 1)
    }
    try file.write(state.unwritten.span, at: state.end)
    try file.sync()
    state.end += Int64(state.unwritten.count)
    (state.unwritten, state.torn, state.isGlued) = ([], 0, false)
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
