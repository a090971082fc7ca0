// The state digest of an engine against the model's: the text first, then the hash of it.
// Invariant: a difference names the first line that differs.
// Not here: the model's CSV (ModelAnswers+CSV), the engine's (ContinuoFormats).

import Continuo
import ContinuoBytes
import ContinuoFormats
import ContinuoTestSupport

extension Trial {
  /// Compares every answer, then the state digest.
  mutating func compareAll() throws(Difference) {
    try compareEverything()
    _ = try compareState()
  }

  /// Compares the state digest with that of the model's own CSV; what it is.
  func compareState() throws(Difference) -> String {
    let model = ModelAnswers(model).stateCSV()
    var bytes: [UInt8] = []
    do {
      try StateDigest.forEachPart(of: engine) { bytes += $0 }
    } catch {
      throw Difference("state CSV", engine: "refused: \(error)", model: "answered")
    }
    if bytes != Array(model.utf8) {
      let ours = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
      let theirs = Array(model.utf8).split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
      for (line, pair) in zip(ours, theirs).enumerated() where pair.0 != pair.1 {
        throw Difference(
          "state CSV, line \(line + 1)", engine: String(decoding: pair.0, as: UTF8.self),
          model: String(decoding: pair.1, as: UTF8.self))
      }
      throw Difference("state CSV, lines", engine: ours.count, model: theirs.count)
    }
    var hash = SHA256()
    hash.update(Array(model.utf8))
    let expected = hash.finalize().map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    let found = (try? StateDigest.hexadecimal(of: engine)) ?? "refused"
    guard found == expected else { throw Difference("state digest", engine: found, model: expected) }
    return found
  }
}
