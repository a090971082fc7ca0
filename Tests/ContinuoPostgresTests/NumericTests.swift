// `numeric` in binary against the server's own text of the same number.
// Invariant: the server decides what a number is; nothing here knows its digits but NumericBytes.
// Not here: other types (ConnectionTests).

import Continuo
import ContinuoPostgres
import ContinuoTestSupport
import Testing

@Suite("Numbers of PostgreSQL, to the last digit")
struct NumericTests {
  private static func decimal(_ random: inout SeededGenerator) -> Decimal18 {
    let bits = Int.random(in: 0...127, using: &random)
    var units = Int128(truncatingIfNeeded: UInt128.random(in: .min ... .max, using: &random) >> UInt128(127 - bits + 1))
    // Many zeros at the end, so that whole groups are none.
    for _ in 0..<Int.random(in: 0...24, using: &random) where units > -(Int128.max / 100) && units < Int128.max / 100 {
      if random.chance(50) { units = units / 10 * 10 } else { units *= random.chance(20) ? 10 : 1 }
    }
    if random.chance(5) { return random.pick([.max, .min, .zero, .one, Decimal18(units: 1), Decimal18(units: -1)]) }
    return Decimal18(units: random.chance(50) ? units : -units)
  }

  @Test("What is written is read again", arguments: Seeds.thisRun(40))
  func roundTrip(seed: UInt64) throws {
    var random = SeededGenerator(seed: seed)
    for _ in 0..<200 {
      let value = Self.decimal(&random)
      var bytes: [UInt8] = []
      NumericBytes.append(value, to: &bytes)
      let back = try NumericBytes.decimal(bytes)
      #expect(back == value, "\(value), \(Seeds.replay(seed, "NumericTests"))")
    }
  }

  @Test("Bytes that are no number are refused, and none traps", arguments: Seeds.thisRun(20))
  func hostile(seed: UInt64) {
    var random = SeededGenerator(seed: seed)
    var (refused, read) = (0, 0)
    for _ in 0..<500 {
      var bytes: [UInt8] = []
      NumericBytes.append(Self.decimal(&random), to: &bytes)
      for _ in 0..<Int.random(in: 1...3, using: &random) {
        switch Int.random(in: 0..<3, using: &random) {
        case 0:
          if let index = bytes.indices.randomElement(using: &random) {
            bytes[index] = .random(in: 0...255, using: &random)
          }
        case 1: _ = bytes.popLast()
        default: bytes += [.random(in: 0...255, using: &random)]
        }
      }
      if (try? NumericBytes.decimal(bytes)) == nil { refused += 1 } else { read += 1 }
    }
    #expect(refused > 0 && read > 0)
  }

  #if Postgres
    /// Rule 20.1: numbers are the server's, exactly, or are refused with a reason.
    @Test("The server reads what is written, and writes what is read", arguments: Seeds.thisRun(6))
    func server(seed: UInt64) throws {
      var random = SeededGenerator(seed: seed)
      let connection = try Cluster.shared.get().connection()
      for _ in 0..<100 {
        let value = Self.decimal(&random)
        let rows = try connection.query(
          "select trim_scale($1)::text, $1 = $2::text::numeric, scale($1) = scale(trim_scale($1)), $2::text::numeric, ($2::text || '000')::numeric",
          [.numeric(value), .text(value.description.contains(".") ? value.description : value.description + ".0")])
        let row = try #require(rows.first)
        #expect(row.text(0) == value.description)
        #expect(row.bool(1) == true)
        #expect(row.bool(2) == true)
        #expect(row.numeric(3) == value)
        #expect(row.numeric(4) == value)
      }
    }

    /// Rule 20.1: digits past the eighteenth are rounded half-even as those of a text (rule 2.2); the rest has its reasons.
    @Test("Long fractions and strange numbers", arguments: Seeds.thisRun(6))
    func strange(seed: UInt64) throws {
      var random = SeededGenerator(seed: seed)
      let connection = try Cluster.shared.get().connection()
      var texts = [
        "NaN", "Infinity", "-Infinity", "0", "-0", "1e-30", "1e40", "-1e40", "1e-18", "5e-19", "15e-19", "25e-19",
      ]
      texts += ["170141183460469231731.687303715884105727", "170141183460469231731.6873037158841057275"]
      texts += ["170141183460469231731.6873037158841057274", "-170141183460469231731.6873037158841057285"]
      for _ in 0..<100 {
        let whole = String(Int.random(in: 0...Int.max, using: &random) >> Int.random(in: 0...62, using: &random))
        let digits = (0..<Int.random(in: 15...40, using: &random)).map { _ in
          random.chance(60) ? random.pick(["0", "5", "9"]) : String(Int.random(in: 0...9, using: &random))
        }
        texts.append((random.chance(50) ? "-" : "") + whole + "." + digits.joined())
      }
      for text in texts {
        let rows = try connection.query("select $1::text::numeric", [.text(text)])
        let bytes = try #require(rows.first?.bytes(0))
        let bound: [UInt8] = Array(text.utf8)
        let expected = Result { () throws(NumberFault) in try Decimal18(parsing: bound.span) }
        let found = Result { () throws(NumericFault) in try NumericBytes.decimal(bytes) }
        switch (expected, found) {
        case (.success(let left), .success(let right)): #expect(left == right, "\(text)")
        case (.failure, .failure(let fault)):
          let isName = text.hasSuffix("NaN") || text.hasSuffix("Infinity")
          #expect(fault.reason == (isName ? .badNumber : .overflow), "\(text)")
        default: Issue.record("\(text): \(expected) as a text, \(found) from the server")
        }
      }
    }
  #endif
}
