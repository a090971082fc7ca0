// What is left of a journal: frames that are sound in themselves, wherever they stand, and what follows on what.
// Invariant: a frame is taken only behind the one whose checksum it repeats; what is behind a frame that is missing is told, never taken.
// Not here: a sound journal (JournalReader), what the records do (Repair).

internal import Continuo
internal import ContinuoBytes

/// A frame that was found.
struct FoundFrame: Equatable {
  var header: JournalFrameHeader
  /// The checksum of its header.
  var checksum: UInt32
  var file: UInt32
  /// Whether its records are what was written.
  var isWhole: Bool
  var end: Int64 { header.offset + Int64(header.frameBytes) }
}

/// The files of a journal that may be damaged.
struct JournalRemains {
  /// A file that is there.
  struct File {
    /// nil: it is damaged.
    var header: JournalFileHeader?
    var bytes: Int64
    /// Behind the last block with something in it that is no part of a whole frame; 0 where there is none.
    var unsoundEnd: Int64 = 0

    /// Whether something may be gone from its end.
    var mayBeCut: Bool {
      if let header { return bytes < header.fileBytes }
      return bytes <= Int64(JournalFormat.blockBytes) || bytes % Int64(JournalFormat.blockBytes) > 0
    }
  }

  private let disk: any Disk
  private let directory: DataDirectory
  private(set) var files: [UInt32: File] = [:]
  private(set) var frames: [FoundFrame] = []
  private var places: [UInt64: [Int]] = [:]

  /// Looks through all files. O(bytes).
  ///
  /// - Parameters:
  ///   - identity: the directory's; nil takes any, but of all files the same.
  ///   - newest: the last file that frames may be in; nil: of all that are there.
  init(
    _ disk: any Disk, _ directory: DataDirectory, identity: UInt64?, newest: UInt32?
  ) throws(StorageFailure) {
    (self.disk, self.directory) = (disk, directory)
    var identity = identity
    for number in try JournalReader.numbers(disk, directory) where number <= newest ?? .max {
      try look(number, &identity)
    }
    for (index, frame) in frames.enumerated() { places[frame.header.sequence, default: []].append(index) }
  }

  /// What a price is in the journal's batches; nil where no file says so.
  var price: PriceMode? { files.sorted { $0.key < $1.key }.lazy.compactMap { $0.value.header?.price }.first }
  /// Which directory the journal is of; nil where no file says so.
  var identity: UInt64? { files.values.lazy.compactMap { $0.header?.directory }.first }

  private mutating func look(_ number: UInt32, _ identity: inout UInt64?) throws(StorageFailure) {
    let path = directory.journalFile(number)
    let (file, length) = try onDisk { () throws(DiskFailure) in
      let file = try disk.open(path, forWriting: false)
      return (file, try file.bytes())
    }
    var found = File(header: nil, bytes: length)
    var block = try bytes(file, 0, JournalFormat.blockBytes)
    do throws(JournalFault) {
      let header = try JournalFileHeader(block.span)
      guard header.number == number, header.directory == identity ?? header.directory else { return }
      identity = header.directory
      found.header = header
    } catch {
      if case .newer(let version) = error { throw .newer(file: path, version: Int(version)) }
    }
    var place = Int64(JournalFormat.blockBytes)
    while place < length {
      block = try bytes(file, place, JournalFormat.blockBytes)
      let next = place + Int64(JournalFormat.blockBytes)
      if let version = JournalFrameHeader.version(block.span, at: 0), version > JournalFormat.version {
        throw .newer(file: path, version: Int(version))
      }
      guard let header = JournalFrameHeader(block.span, at: 0), header.offset == place,
        header.identity == found.header?.identity ?? header.identity, header.payloadBytes > 0
      else {
        if !block.span.areZeros(0..<block.count) { found.unsoundEnd = next }
        place = next
        continue
      }
      let checksum = block.span.word(JournalFormat.checksumOffset, UInt32.self)
      var isWhole = false
      if Int64(header.frameBytes) <= length - place {
        let frame = try bytes(file, place, header.frameBytes)
        let payload = frame.span.extracting(JournalFormat.headerBytes...)
        isWhole =
          CRC32C.sum(payload) == header.payloadChecksum
          && payload.areZeros(Int(header.payloadBytes)..<payload.count)
      }
      frames.append(FoundFrame(header: header, checksum: checksum, file: number, isWhole: isWhole))
      if !isWhole { found.unsoundEnd = next }
      place = isWhole ? place + Int64(header.frameBytes) : next
    }
    files[number] = found
  }

  private func bytes(_ file: any DiskFile, _ place: Int64, _ count: Int) throws(StorageFailure) -> [UInt8] {
    var bytes: [UInt8] = []
    try onDisk { () throws(DiskFailure) in try file.read(count, at: place, into: &bytes) }
    bytes.pad(to: count)
    return bytes
  }

  /// The frames that follow on one, each on the one before. O(frames).
  func run(behind frame: JournalFrame) -> [FoundFrame] {
    var run: [FoundFrame] = []
    var last = frame
    while let next = frames(last.sequence + 1).first(where: { $0.isWhole && $0.header.chain == last.chain }) {
      run.append(next)
      last = JournalFrame(sequence: next.header.sequence, chain: next.checksum)
    }
    return run
  }

  private func frames(_ sequence: UInt64) -> [FoundFrame] { (places[sequence] ?? []).map { frames[$0] } }

  /// The records of a whole frame; nil where its bytes are none, with right checksums. O(bytes).
  func records(of frame: FoundFrame) throws(StorageFailure) -> [JournalRecord]? {
    let path = directory.journalFile(frame.file)
    let file = try onDisk { () throws(DiskFailure) in try disk.open(path, forWriting: false) }
    let bytes = try bytes(
      file, frame.header.offset + Int64(JournalFormat.headerBytes), Int(frame.header.payloadBytes))
    var records: [JournalRecord] = []
    do { try JournalRecord.forEach(in: bytes.span) { records.append($0) } } catch { return nil }
    return records
  }

  // MARK: what is lost

  /// What was acknowledged behind the last frame that can be taken; nil if nothing was, for all that anybody can tell.
  ///
  /// - Parameters:
  ///   - last: that frame.
  ///   - first: the first file that the journal is needed of.
  ///   - newest: the last file that frames may be in.
  func loss(
    behind last: JournalFrame, first: UInt32, newest: UInt32
  ) throws(StorageFailure) -> (loss: RepairLoss, sequence: UInt64)? {
    let (file, byte) = place(behind: last, first)
    var sequence = last.sequence
    for frame in frames where frame.header.sequence > last.sequence {
      // Behind the end of the last file it may be what a crash has left: unless it says that what is missing was on the disk.
      if frame.header.durable > last.sequence || frame.file < newest { sequence = max(sequence, frame.header.sequence) }
      sequence = max(sequence, frame.header.durable)
    }
    // Whether there may have been more than anything says.
    var isOpen = false
    for number in (file...max(file, newest)).reversed() where newest > 0 {
      let own = files[number]
      if let own, !own.mayBeCut, number == newest || own.unsoundEnd <= (number == file ? byte : 0) {
        // All that it had can be told of it.
      } else if !files.contains(where: { $0.key > number && $0.value.header != nil }) {
        // No later file says with which frame it begins.
        isOpen = true
      }
      if let header = own?.header, header.firstSequence > 0 { sequence = max(sequence, header.firstSequence - 1) }
    }
    // No journal has so many frames: a number that was made up.
    if sequence >= 1 << 62 { (sequence, isOpen) = (last.sequence, true) }
    guard sequence > last.sequence || isOpen else { return nil }
    return (try loss(last.sequence..<sequence, isOpen: isOpen, directory.journalFile(file), byte), sequence)
  }

  /// Where the frame behind one should be.
  private func place(behind last: JournalFrame, _ first: UInt32) -> (file: UInt32, byte: Int64) {
    let next = files.filter {
      $0.value.header?.firstSequence == last.sequence + 1 && $0.value.header?.chain == last.chain
    }
    if let file = next.keys.max() { return (file, Int64(JournalFormat.blockBytes)) }
    let end = frames(last.sequence).first { $0.isWhole && $0.checksum == last.chain }
    return (end?.file ?? first, end?.end ?? Int64(JournalFormat.blockBytes))
  }

  /// What frames held, as far as they can be read.
  ///
  /// - Parameter gone: one less than their numbers.
  private func loss(
    _ gone: Range<UInt64>, isOpen: Bool, _ file: String, _ byte: Int64
  ) throws(StorageFailure) -> RepairLoss {
    var (tally, tokens, known) = (LossTally(), JournalTokens(), Set<UInt64>())
    for frame in frames where frame.isWhole && gone.contains(frame.header.sequence &- 1) {
      guard !known.contains(frame.header.sequence), let records = try records(of: frame) else { continue }
      known.insert(frame.header.sequence)
      for record in records { tokens.note(record, in: &tally) }
    }
    let isKnown = !isOpen && known.count == gone.count
    var what = "what was acknowledged in frame \(gone.lowerBound + 1)"
    if isOpen { what += " and behind it" } else if gone.count > 1 { what += " to \(gone.upperBound)" }
    var own = tally.loss(.journal, file, byte, what) { tokens.names[Int($0)] }
    guard !isKnown else { return own }
    if let from = own.from, let to = own.to {
      what += "; \(known.count) frames can be read, of \(own.events ?? 0) rows from \(from) to \(to)"
    }
    own = RepairLoss(
      kind: .journal, file: file, byte: byte, events: nil, identities: nil, tokens: nil, from: nil, to: nil, what: what)
    return own
  }
}

/// Tokens of batches, by numbers of their own.
private struct JournalTokens {
  private(set) var names: [ByteString] = []
  private var numbers: [ByteString: UInt32] = [:]

  mutating func note(_ record: JournalRecord, in tally: inout LossTally) {
    guard let batch = record.batch else { return }
    for row in batch.rows {
      guard row.operation == .swap || row.operation == .transfer else { continue }
      let name = batch.bytes(of: row.token)
      let number = numbers[name] ?? UInt32(names.count)
      if number == names.count {
        numbers[name] = number
        names.append(name)
      }
      tally.note(row.key, row.operation == .swap ? .swap : .transfer, token: number)
    }
  }
}
