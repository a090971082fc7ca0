// A million operations on decimals against Python's `decimal`.
// Invariant: every line of the vector file is checked; the first that differ are printed whole.
// Not here: what the lines mean (tools/decimal-vectors), single cases written by hand (DecimalTests).

import Continuo
import Foundation
import Testing

@Suite("Decimals against Python")
struct DecimalVectorTests {
  /// Rules 2.1–2.5: text to decimal and back, quotients, percents, products, sums.
  @Test("A million random and edge operations agree with Python's decimal")
  func vectorsAgree() throws {
    #if DEBUG
      var bytes = try Self.vectors()
      // Without optimisation a part must do.
      bytes = Array(bytes.prefix(2_000_000))
      bytes.removeSubrange(try #require(bytes.lastIndex(of: UInt8(ascii: "\n")))...)
    #else
      let bytes = try Self.vectors()
    #endif
    var checked = 0
    var wrong: [String] = []
    var start = 0
    while start < bytes.count {
      let end = bytes[start...].firstIndex(of: UInt8(ascii: "\n")) ?? bytes.count
      let line = VectorLine(bytes.span.extracting(start..<end))
      if let found = line.mismatch(), wrong.count < 20 {
        wrong.append("\(String(decoding: bytes[start..<end], as: UTF8.self)): found \(found)")
      }
      checked += 1
      start = end + 1
    }
    #expect(wrong.isEmpty, "\(wrong.joined(separator: "\n"))")
    #expect(checked >= 1000, "the vector file holds only \(checked) lines")
  }

  /// The file named by CONTINUO_VECTORS, else a new one.
  private static func vectors() throws -> [UInt8] {
    if let path = ProcessInfo.processInfo.environment["CONTINUO_VECTORS"], !path.isEmpty {
      return [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))
    }
    let folder = FileManager.default.temporaryDirectory.appending(path: "continuo-vectors-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    let file = folder.appending(path: "vectors.txt")
    let root = (0..<4).reduce(URL(fileURLWithPath: #filePath)) { url, _ in url.deletingLastPathComponent() }
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
    process.arguments = [
      "python3", root.appending(path: "tools/decimal-vectors").path, file.path,
    ]
    try process.run()
    process.waitUntilExit()
    try #require(process.terminationStatus == 0, "tools/decimal-vectors failed: is python3 installed?")
    return [UInt8](try Data(contentsOf: file))
  }
}

/// One line of the vector file.
private struct VectorLine: ~Copyable, ~Escapable {
  private let line: Span<UInt8>
  /// Where each field starts; the last entry is one behind the end.
  private var starts: [Int] = [0]

  @_lifetime(copy line)
  init(_ line: Span<UInt8>) {
    self.line = line
    for index in 0..<line.count where line[index] == UInt8(ascii: "\t") { starts.append(index + 1) }
    starts.append(line.count + 1)
  }

  private var count: Int { starts.count - 1 }

  @_lifetime(copy self)
  private func field(_ index: Int) -> Span<UInt8> { line.extracting(starts[index]..<starts[index + 1] - 1) }

  /// What came out instead of the last field; nil where it is right.
  func mismatch() -> String? {
    let found = result()
    return holds(found, field(count - 1)) ? nil : String(decoding: found, as: UTF8.self)
  }

  private func result() -> [UInt8] {
    switch field(0)[0] {
    case UInt8(ascii: "p"): return parsed()
    case UInt8(ascii: "q"): return answer(WideArithmetic.quotient(sum(1), over: sum(2)))
    case UInt8(ascii: "c"): return answer(WideArithmetic.percent(sum(1), of: sum(2)))
    case UInt8(ascii: "m"): return answer(decimal(2).flatMap { WideArithmetic.product(sum(1), $0) })
    case UInt8(ascii: "s"):
      let total = total(from: 1, by: 1, before: count - 2)
      return total == sum(count - 2) ? answer(total.decimal) : Array("another sum".utf8)
    case UInt8(ascii: "v"):
      let (tops, bottoms) = (total(from: 1, by: 2, before: count - 1), total(from: 2, by: 2, before: count - 1))
      return answer(WideArithmetic.quotient(tops, over: bottoms))
    default: return Array("no such operation".utf8)
    }
  }

  private func parsed() -> [UInt8] {
    do {
      return answer(try Decimal18(parsing: field(1)))
    } catch NumberFault.notANumber {
      return [UInt8(ascii: "!")]
    } catch {
      return [UInt8(ascii: "#")]
    }
  }

  private func answer(_ value: Decimal18?) -> [UInt8] {
    guard let value else { return [UInt8(ascii: "#")] }
    var text: [UInt8] = []
    value.append(to: &text)
    return text
  }

  private func holds(_ bytes: [UInt8], _ field: borrowing Span<UInt8>) -> Bool {
    guard bytes.count == field.count else { return false }
    for index in bytes.indices where bytes[index] != field[index] { return false }
    return true
  }

  private func decimal(_ index: Int) -> Decimal18? { try? Decimal18(parsing: field(index)) }

  private func total(from first: Int, by step: Int, before end: Int) -> ExactSum {
    var total = ExactSum.zero
    for index in stride(from: first, to: end, by: step) {
      if let value = decimal(index) { total += value }
    }
    return total
  }

  /// A sum of any size, in hexadecimal with a sign.
  private func sum(_ index: Int) -> ExactSum {
    let text = field(index)
    let isNegative = text[0] == UInt8(ascii: "-")
    var (low, middle, high): (UInt64, UInt64, UInt64) = (0, 0, 0)
    for index in (isNegative ? 1 : 0)..<text.count {
      let byte = text[index]
      let digit = byte < UInt8(ascii: "a") ? byte - UInt8(ascii: "0") : byte - UInt8(ascii: "a") + 10
      (high, middle, low) = (high << 4 | middle >> 60, middle << 4 | low >> 60, low << 4 | UInt64(digit))
    }
    let magnitude = ExactSum(low: low, middle: middle, high: Int64(bitPattern: high))
    return isNegative ? -magnitude : magnitude
  }
}
