// What operators ask: what is held, checkpoints, backups, whether all is well.
// Invariant: a backup lies in the folder that the server was started with, and nowhere else.
// Not here: making them (ContinuoStorage).

internal import Continuo
internal import ContinuoFormats
internal import ContinuoStorage

enum OperatorRoutes {
  static func inspect(_ question: Question) throws -> Answer {
    let hasDigest = try question.query.flag("digest")
    let ledger = try question.market.opened().ledger
    let bytes = try ledger.directoryBytes()
    var figures = DirectoryFigures(
      rawBytes: bytes.raw, stateBytes: bytes.state, journalBytes: bytes.journal, formatVersion: ledger.formatVersion,
      droppedTailBytes: ledger.opening.droppedTailBytes)
    (figures.unkeptFrames, figures.unkeptBytes) = ledger.unkept
    figures.checkpointFailure = ledger.checkpointFailure?.what
    figures.sources = ledger.positions
    return try question.market.read { market, clock in
      var inspection = market.inspection()
      inspection.clock = clock
      let digest = hasDigest ? try StateDigest.hexadecimal(of: market) : nil
      var writer = question.writer(ResultTable.inspection(ofDirectory: true, withDigest: hasDigest))
      writer.write(InspectionAnswer(inspection: inspection, directory: figures, stateDigest: digest))
      writer.finish()
      return question.wantsCSV ? .csv(writer.bytes) : .json(writer.bytes)
    }
  }

  static func checkpoint(_ question: Question, _ body: [UInt8]) throws -> Answer {
    try requireEmpty(body)
    let start = ContinuousClock.now
    let receipt = try question.market.opened().ledger.checkpoint()
    var writer = ResultWriter(ResultTable.checkpoint, as: .json)
    writer.write(
      CheckpointAnswer(sequence: receipt.sequence, bytes: receipt.bytes, microseconds: microseconds(since: start)))
    writer.finish()
    return .json(writer.bytes)
  }

  private struct BackupBody: JSONWanted {
    static let keys = ["to"]
    static let example = "{\"to\": \"2024-12-01\"}: the name of a folder that is not there yet"
    let to: String
  }

  /// The names that a folder may have (`isFolderName`).
  static let backupSchema = Schema.object([Schema.Field("to", .text("^[A-Za-z0-9_-][A-Za-z0-9._-]{0,99}$"))])

  static func backup(_ question: Question, _ body: [UInt8]) throws -> Answer {
    guard let root = question.backupRoot else {
      throw Problem(
        .forbidden, "the server makes no backups", remedy: "start it with --backup-root DIR, the folder for them")
    }
    let name = try JSONBody.decode(body, BackupBody.self, depthMax: question.limits.jsonDepthMax).to
    guard isFolderName(name) else {
      throw Problem(
        .badBody, "'\(Shown.value(name))' for to is no name of a folder",
        remedy: "use up to 100 of A-Z a-z 0-9 - _ and . (not first)")
    }
    let start = ContinuousClock.now
    let copy = try question.market.opened().ledger.backup(to: root + "/" + name)
    var writer = ResultWriter(ResultTable.copy(withDigest: false), as: .json)
    writer.write(
      CopyAnswer(
        files: copy.files, bytes: copy.bytes, events: copy.events, sequence: copy.sequence,
        microseconds: microseconds(since: start), stateDigest: nil))
    writer.finish()
    return .json(writer.bytes)
  }

  static let verifySchema = Schema.object(
    Schema.fields(ResultTable.verify) + [
      Schema.Field("damaged", .count), Schema.Field("differences", .list(.text)), Schema.Field("seconds", .decimal),
    ])

  /// What `continuo verify` would say of the directory as it is now, line by line.
  static func verify(_ question: Question, _ body: [UInt8]) throws -> Answer {
    try requireEmpty(body)
    let start = ContinuousClock.now
    let found = try question.market.opened().ledger.verify()
    var writer = ResultWriter(ResultTable.verify, as: .json)
    writer.write(VerifyAnswer(files: found.files, bytes: found.bytes, events: found.events))
    writer.finish()
    var object = JSONObject(extending: writer.bytes)
    object.put("damaged", count: UInt64(found.failures.count))
    object.put(
      "differences", texts: found.failures.map { Visible.text($0.what) } + found.differences.map { Visible.text($0) })
    object.put("seconds", decimal: Decimal18(units: Int128(microseconds(since: start)) * 1_000_000_000_000))
    return .json(object.finished())
  }

  /// Whether a text names a folder within another one, and nothing above or beside it.
  private static func isFolderName(_ name: String) -> Bool {
    let bytes = Array(name.utf8)
    guard (1...100).contains(bytes.count), bytes.first != UInt8(ascii: ".") else { return false }
    return bytes.allSatisfy { byte in
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"),
        UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."):
        true
      default: false
      }
    }
  }

  private static func requireEmpty(_ body: [UInt8]) throws(Problem) {
    guard body.allSatisfy({ [0x09, 0x0A, 0x0D, 0x20].contains($0) }) || body == Array("{}".utf8) else {
      throw Problem(.badBody, "this route takes no body", remedy: "send none, or {}")
    }
  }

  private static func microseconds(since start: ContinuousClock.Instant) -> Int64 {
    (ContinuousClock.now - start).microseconds
  }
}
