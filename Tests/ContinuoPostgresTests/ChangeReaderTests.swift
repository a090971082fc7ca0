// The bytes of the stream: every message there and back, and bytes that are none.
// Invariant: bytes are made by a writer that stands here and knows the documentation alone.
// Not here: a real server's stream (FollowerTests).

import Continuo
import ContinuoPostgres
import ContinuoTestSupport
import Testing

@Suite("The messages of pgoutput")
struct ChangeReaderTests {
  private static func tuple(_ random: inout SeededGenerator) -> [TupleField] {
    (0..<Int.random(in: 0...6, using: &random)).map { _ in
      let bytes = (0..<Int.random(in: 0...20, using: &random)).map { _ in UInt8.random(in: 0...255, using: &random) }
      return random.pick([.null, .unchanged, .text(bytes), .binary(bytes)])
    }
  }

  private static func message(_ random: inout SeededGenerator) -> ChangeMessage {
    let relation = UInt32.random(in: .min ... .max, using: &random)
    let lsn = LSN(UInt64.random(in: .min ... .max, using: &random))
    let old = random.chance(50) ? OldTuple.key(tuple(&random)) : .whole(tuple(&random))
    switch Int.random(in: 0..<7, using: &random) {
    case 0: return .begin(final: lsn, xid: relation)
    case 1:
      return .commit(
        commit: lsn, end: LSN(lsn.value &+ 1),
        at: Timestamp(microseconds: Int64.random(in: 0...4_000_000_000_000_000, using: &random)))
    case 2:
      let columns = (0..<Int.random(in: 0...5, using: &random)).map { index in
        ChangedRelation.Column(isKey: random.chance(50), name: "c\(index)é", type: relation)
      }
      return .relation(
        ChangedRelation(number: relation, schema: "public", name: "t\"x", identity: UInt8(ascii: "d"), columns: columns)
      )
    case 3: return .insert(relation: relation, new: tuple(&random))
    case 4: return .update(relation: relation, old: random.chance(50) ? old : nil, new: tuple(&random))
    case 5: return .delete(relation: relation, old: old)
    default: return .truncate(relations: [relation, 7])
    }
  }

  private static func bytes(_ fields: [TupleField]) -> [UInt8] {
    var bytes: [UInt8] = []
    BigEndian.append(UInt16(fields.count), to: &bytes)
    for field in fields {
      switch field {
      case .null: bytes.append(UInt8(ascii: "n"))
      case .unchanged: bytes.append(UInt8(ascii: "u"))
      case .text(let value), .binary(let value):
        if case .text = field { bytes.append(UInt8(ascii: "t")) } else { bytes.append(UInt8(ascii: "b")) }
        BigEndian.append(Int32(value.count), to: &bytes)
        bytes += value
      }
    }
    return bytes
  }

  private static func bytes(_ message: ChangeMessage) -> [UInt8] {
    var bytes: [UInt8] = []
    func put(_ value: some FixedWidthInteger) { BigEndian.append(value, to: &bytes) }
    func put(_ letter: Character) { bytes.append(letter.asciiValue ?? 0) }
    func put(_ text: String) { bytes += Array(text.utf8) + [0] }
    func put(_ fields: [TupleField]) { bytes += Self.bytes(fields) }
    func put(_ old: OldTuple) {
      if case .key = old { put(Character("K")) } else { put(Character("O")) }
      put(old.fields)
    }
    switch message {
    case .begin(let final, let xid):
      put(Character("B"))
      put(final.value)
      put(Int64(1))
      put(xid)
    case .commit(let commit, let end, let at):
      put(Character("C"))
      put(UInt8(0))
      put(commit.value)
      put(end.value)
      put(at.map { ServerTime.microseconds($0) } ?? Int64.max)
    case .relation(let relation):
      put(Character("R"))
      put(relation.number)
      put(relation.schema)
      put(relation.name)
      put(relation.identity)
      put(UInt16(relation.columns.count))
      for column in relation.columns {
        put(UInt8(column.isKey ? 1 : 0))
        put(column.name)
        put(column.type)
        put(Int32(-1))
      }
    case .insert(let relation, let new):
      put(Character("I"))
      put(relation)
      put(Character("N"))
      put(new)
    case .update(let relation, let old, let new):
      put(Character("U"))
      put(relation)
      if let old { put(old) }
      put(Character("N"))
      put(new)
    case .delete(let relation, let old):
      put(Character("D"))
      put(relation)
      put(old)
    case .truncate(let relations):
      put(Character("T"))
      put(UInt32(relations.count))
      put(UInt8(0))
      for relation in relations { put(relation) }
    case .other(let kind): bytes = [kind]
    }
    return bytes
  }

  @Test("Every message is read as it was written", arguments: Seeds.thisRun(30))
  func roundTrip(seed: UInt64) throws {
    var random = SeededGenerator(seed: seed)
    for _ in 0..<200 {
      let message = Self.message(&random)
      let read = try ChangeMessage(Self.bytes(message))
      #expect(read == message, "\(Seeds.replay(seed, "ChangeReaderTests"))")
    }
  }

  @Test("Each byte less, and each byte changed, is told or read, and nothing traps", arguments: Seeds.thisRun(10))
  func hostile(seed: UInt64) throws {
    var random = SeededGenerator(seed: seed)
    for _ in 0..<60 {
      let bytes = Self.bytes(Self.message(&random))
      for count in 0..<bytes.count {
        #expect(throws: MalformedChange.self) { try ChangeMessage(Array(bytes[..<count])) }
        var changed = bytes
        changed[count] ^= UInt8.random(in: 1...255, using: &random)
        _ = try? ChangeMessage(changed)
      }
      #expect(throws: MalformedChange.self) { try ChangeMessage(bytes + [0]) }
    }
  }

  @Test("Frames, places in the log, and positions that grow")
  func frames() throws {
    let lsn = try #require(LSN("16/B374D848"))
    #expect(lsn.value == 0x16_B374_D848 && lsn.description == "16/B374D848")
    #expect(LSN("16") == nil && LSN("x/1") == nil && LSN("1/2/3") == nil)
    var bytes = [UInt8(ascii: "w")]
    for value: UInt64 in [1, 2, 3] { BigEndian.append(value, to: &bytes) }
    #expect(try ReplicationFrame(bytes + [7, 8]) == .change(start: LSN(1), end: LSN(2), [7, 8]))
    #expect(throws: MalformedChange.self) { try ReplicationFrame(Array(bytes.dropLast())) }
    var alive = [UInt8(ascii: "k")]
    for value: UInt64 in [5, 6] { BigEndian.append(value, to: &alive) }
    #expect(try ReplicationFrame(alive + [1]) == .keepAlive(end: LSN(5), wantsReply: true))
    #expect(throws: MalformedChange.self) { try ReplicationFrame([]) }
    let places = [
      SourcePosition(generation: 1, lsn: LSN(0), changes: 9), SourcePosition(generation: 1, lsn: LSN(.max)),
      SourcePosition(generation: 1, lsn: LSN(.max), changes: 1),
      SourcePosition(generation: 1, lsn: LSN(.max), changes: 1, step: 1),
      SourcePosition(generation: 1, lsn: LSN(.max), changes: .max, step: .max),
      SourcePosition(generation: 2, lsn: LSN(0)),
    ]
    #expect(zip(places, places.dropFirst()).allSatisfy { $0 < $1 })
    for place in places { #expect(SourcePosition(place.value) == place) }
  }
}
