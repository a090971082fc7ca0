// The frames of the file of keys: their bytes on the disk, and what stands in front of them.
// Invariant: what is no frame ends what is read, whatever its bytes are; memory is that of one frame and some megabytes.
// Not here: what a frame changes (KeyFile). Nobody else reads the file, so its bytes are described nowhere else.

internal import Continuo
internal import ContinuoBytes
internal import ContinuoStorage

/// The end of a file, where frames are appended.
struct KeyFrameTail {
  /// Length and checksum.
  static let headBytes = 8

  let file: any DiskFile
  var end: Int64 = 0

  init(_ file: any DiskFile) { self.file = file }

  /// Makes a file that has its magic and nothing else.
  init(_ disk: any Disk, _ path: String, _ magic: [UInt8]) throws(DiskFailure) {
    file = try disk.create(path)
    try file.write(magic.span, at: 0)
    end = Int64(magic.count)
  }

  /// What a frame begins with.
  static func payload(at position: UInt128) -> [UInt8] {
    var payload: [UInt8] = []
    BigEndian.append(position, to: &payload)
    return payload
  }

  mutating func append(_ payload: [UInt8]) throws(DiskFailure) {
    var frame: [UInt8] = []
    frame.reserveCapacity(Self.headBytes + payload.count)
    BigEndian.append(UInt32(payload.count), to: &frame)
    BigEndian.append(CRC32C.sum(payload.span), to: &frame)
    frame += payload
    try file.write(frame.span, at: end)
    end += Int64(frame.count)
  }

  /// Writes zeros behind the end.
  func clearRest() throws(DiskFailure) {
    let length = try file.bytes()
    guard end < length else { return }
    var (zeros, at) = ([UInt8](repeating: 0, count: 1 << 16), end)
    while at < length {
      if length - at < Int64(zeros.count) { zeros.removeLast(zeros.count - Int(length - at)) }
      try file.write(zeros.span, at: at)
      at += Int64(zeros.count)
    }
    try file.sync()
  }
}

/// The frames of a file, one after the other.
struct KeyFrames {
  private static let windowBytes = 4 << 20
  private let file: any DiskFile
  private let length: Int64
  private var window: [UInt8] = []
  /// Where the next frame begins, in the window.
  private var place = 0
  /// Where it begins in the file.
  private(set) var offset: Int64 = 0

  init(_ file: any DiskFile) throws(DiskFailure) {
    self.file = file
    length = try file.bytes()
  }

  /// Whether the file begins so; what follows is read from there on.
  mutating func begins(with magic: [UInt8]) throws(DiskFailure) -> Bool {
    guard try has(magic.count), window.starts(with: magic) else { return false }
    (place, offset) = (magic.count, Int64(magic.count))
    return true
  }

  /// What the next frame holds; nil where there is none that is whole.
  mutating func next() throws(DiskFailure) -> [UInt8]? {
    let head = KeyFrameTail.headBytes
    guard try has(head), let length: UInt32 = BigEndian.value(window, at: place),
      let sum: UInt32 = BigEndian.value(window, at: place + 4), length >= 16, try has(head + Int(length))
    else { return nil }
    let payload = Array(window[(place + head)..<(place + head + Int(length))])
    guard CRC32C.sum(payload.span) == sum else { return nil }
    place += head + payload.count
    offset += Int64(head + payload.count)
    return payload
  }

  /// Whether so many bytes are there; they are in the window then.
  private mutating func has(_ count: Int) throws(DiskFailure) -> Bool {
    guard Int64(count) <= length - offset else { return false }
    if window.count - place >= count { return true }
    window.removeFirst(place)
    place = 0
    let more = max(count, Self.windowBytes) - window.count
    try file.read(more, at: offset + Int64(window.count), into: &window)
    return window.count >= count
  }
}

/// What all frames of a file are of.
struct KeyFileHead {
  private enum Record { static let (system, chain, kind, shape): (UInt8, UInt8, UInt8, UInt8) = (4, 5, 6, 7) }

  var shape: FollowedShape?
  private(set) var chains: Set<UInt32> = []
  var kinds: Set<EventKind> = []
  private var lastChain: UInt32?

  /// Notes the chain of a row. O(1).
  mutating func note(chain: UInt32) {
    guard chain != lastChain else { return }
    lastChain = chain
    chains.insert(chain)
  }

  static func append(system: UInt64, to payload: inout [UInt8]) {
    payload.append(Record.system)
    BigEndian.append(system, to: &payload)
  }

  /// The first frame, which counts at every position.
  var payload: [UInt8] {
    var payload = KeyFrameTail.payload(at: 0)
    for chain in chains.sorted() {
      payload.append(Record.chain)
      BigEndian.append(chain, to: &payload)
    }
    for kind in EventKind.allCases where kinds.contains(kind) { payload += [Record.kind, kind.rawValue] }
    if let shape {
      payload.append(Record.shape)
      for text in [shape.mapping, shape.tables, shape.publication] {
        BigEndian.append(UInt32(text.utf8.count), to: &payload)
        payload += Array(text.utf8)
      }
    }
    return payload
  }

  /// Reads a record that is no change of a row; nil where it is one, false where it is none at all.
  mutating func read(_ payload: [UInt8], _ offset: inout Int, _ system: inout UInt64?) -> Bool? {
    switch payload[offset] {
    case Record.system:
      guard let number: UInt64 = BigEndian.value(payload, at: offset + 1) else { return false }
      (system, offset) = (number, offset + 9)
    case Record.chain:
      guard let chain: UInt32 = BigEndian.value(payload, at: offset + 1) else { return false }
      note(chain: chain)
      offset += 5
    case Record.kind:
      guard let kind = (BigEndian.value(payload, at: offset + 1) as UInt8?).flatMap({ EventKind(rawValue: $0) }) else {
        return false
      }
      kinds.insert(kind)
      offset += 2
    case Record.shape:
      var (texts, place): ([String], Int) = ([], offset + 1)
      for _ in 0..<3 {
        guard let count: UInt32 = BigEndian.value(payload, at: place), Int(count) <= payload.count - place - 4 else {
          return false
        }
        place += 4 + Int(count)
        texts.append(String(decoding: payload[(place - Int(count))..<place], as: UTF8.self))
      }
      shape = FollowedShape(mapping: texts[0], tables: texts[1], publication: texts[2])
      offset = place
    default: return nil
    }
    return true
  }
}
