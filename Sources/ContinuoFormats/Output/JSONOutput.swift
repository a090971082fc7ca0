// Results as JSON (RFC 8259): the CSV's names in the CSV's order; decimals and times as strings.
// Invariant: the text is valid JSON and valid UTF-8 whatever a name holds.
// Not here: the objects' values (CellSink), the array around them (ResultWriter).

internal import Continuo

enum JSONOutput {
  static func appendKey(_ name: String, to output: inout [UInt8]) {
    append(.text(ByteString(name)), to: &output)
    output.append(UInt8(ascii: ":"))
  }

  static func append(_ cell: Cell, to output: inout [UInt8]) {
    switch cell {
    case .null: output.append(contentsOf: "null".utf8)
    case .count, .flag: cell.appendPlain(to: &output)
    case .decimal, .time:
      output.append(UInt8(ascii: "\""))
      cell.appendPlain(to: &output)
      output.append(UInt8(ascii: "\""))
    case .text(let name):
      output.append(UInt8(ascii: "\""))
      appendEscaped(name.bytes, to: &output)
      output.append(UInt8(ascii: "\""))
    }
  }

  static func appendEscaped(_ bytes: [UInt8], to output: inout [UInt8]) {
    // Decoding repairs what is no UTF-8, so that the output always is.
    for byte in String(decoding: bytes, as: UTF8.self).utf8 {
      switch byte {
      case UInt8(ascii: "\""), UInt8(ascii: "\\"):
        output.append(UInt8(ascii: "\\"))
        output.append(byte)
      case UInt8(ascii: "\n"): output.append(contentsOf: "\\n".utf8)
      case UInt8(ascii: "\r"): output.append(contentsOf: "\\r".utf8)
      case UInt8(ascii: "\t"): output.append(contentsOf: "\\t".utf8)
      case 0..<0x20, 0x7F:
        output.append(contentsOf: "\\u00".utf8)
        output.append(hexDigit(byte >> 4))
        output.append(hexDigit(byte & 15))
      default: output.append(byte)
      }
    }
  }

  static func hexDigit(_ value: UInt8) -> UInt8 { value < 10 ? value + 48 : value + 87 }
}
