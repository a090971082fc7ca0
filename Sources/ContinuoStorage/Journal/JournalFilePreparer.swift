// The next journal file, filled with zeros ahead by a thread of its own: who writes need not wait for it.
// Invariant: what is prepared has no name that counts, and nothing in it; one that fails is made by who needs it.
// Not here: what is in a file (JournalFormat), when one is begun (JournalWriter).

internal import ContinuoBytes

/// Prepares journal files.
final class JournalFilePreparer: Sendable {
  private struct State: Sendable {
    /// The number of the file that is to be made, or is being made.
    var wanted: UInt32?
    var isWorking = false
    var ready: (number: UInt32, file: any DiskFile)?
    /// The number of the file that could not be made.
    var failed: UInt32?
    var isClosed = false
  }

  private let disk: any Disk
  private let directory: DataDirectory
  private let fileBytes: Int64
  private let state = MonitorHandle(State())

  init(_ disk: any Disk, _ directory: DataDirectory, fileBytes: Int64) {
    (self.disk, self.directory, self.fileBytes) = (disk, directory, fileBytes)
  }

  /// Asks for a file, unless it was asked for. O(1).
  func want(_ number: UInt32) {
    state.locked { state in
      // One that could not be made is made when it is needed, and says then why it cannot be.
      if state.wanted != number, state.ready?.number != number, state.failed != number { state.wanted = number }
    }
  }

  /// The file, if it is there or being made; nil: it is to be made by the caller.
  func take(_ number: UInt32, _ bytes: Int64) -> (any DiskFile)? {
    // Whoever makes it anew does so over what is there: nobody else may be writing then.
    let ready = state.locked(
      when: { $0.wanted != number || !$0.isWorking },
      { state -> (any DiskFile)? in
        // Not begun yet: the caller is quicker.
        state.wanted = nil
        guard let ready = state.ready, ready.number == number else { return nil }
        state.ready = nil
        return ready.file
      })
    return bytes == fileBytes ? ready : nil
  }

  /// Whether a file is there. O(1).
  func isReady(_ number: UInt32) -> Bool { state.locked { $0.ready?.number == number } }

  /// Takes a file back that was not needed yet. O(1).
  func giveBack(_ number: UInt32, _ file: any DiskFile) { state.locked { $0.ready = (number, file) } }

  /// Lets ``run()`` end.
  func close() { state.locked { $0.isClosed = true } }

  /// Makes files as they are asked for, until it is closed; what is ready then and was not taken goes again.
  func run() {
    while true {
      let wanted = state.locked(
        when: { $0.wanted != nil || $0.isClosed },
        { state -> UInt32? in
          state.isWorking = !state.isClosed
          return state.isClosed ? nil : state.wanted
        })
      guard let wanted else { return finish() }
      let file = try? make(wanted)
      state.locked { state in
        (state.wanted, state.isWorking) = (nil, false)
        if let file { state.ready = (wanted, file) } else { state.failed = wanted }
      }
    }
  }

  private func make(_ number: UInt32) throws(DiskFailure) -> (any DiskFile)? {
    // As much again is left free, as when a file is begun.
    if let left = try disk.bytesLeft(in: directory.journal), left < 2 * fileBytes { return nil }
    let path = directory.newJournalFile(number)
    let file = try disk.createZeros(path, fileBytes)
    do throws(DiskFailure) { try file.sync() } catch {
      try? disk.remove(path)
      throw error
    }
    return file
  }

  private func finish() {
    let left = state.locked { state in
      defer { state.ready = nil }
      return state.ready
    }
    if let left { try? disk.remove(directory.newJournalFile(left.number)) }
  }
}

extension Disk {
  /// Makes a file of so many zeros, not synced; where they cannot be written it goes again: on a disk that has just run full
  /// nothing should be kept that nobody needs.
  func createZeros(_ path: String, _ bytes: Int64) throws(DiskFailure) -> any DiskFile {
    let file = try create(path)
    do throws(DiskFailure) { try file.fill(from: 0, to: bytes) } catch {
      try? remove(path)
      throw error
    }
    return file
  }
}

extension DiskFile {
  /// Copies its first bytes into another file, so many, or all where it has fewer. O(bytes).
  ///
  /// - Parameter progress: is told how many more were copied.
  func copy(
    _ bytes: Int64, to file: any DiskFile, _ progress: (Int64) -> Void = { _ in }
  ) throws(DiskFailure) {
    var piece: [UInt8] = []
    var place: Int64 = 0
    while place < bytes {
      piece.removeAll(keepingCapacity: true)
      try read(Int(min(1 << 20, bytes - place)), at: place, into: &piece)
      if piece.isEmpty { return }
      try file.write(piece.span, at: place)
      place += Int64(piece.count)
      progress(Int64(piece.count))
    }
  }

  /// Writes zeros, piece by piece to the disk: who syncs another file meanwhile waits for one of them at most.
  func fill(from start: Int64, to end: Int64) throws(DiskFailure) {
    let zeros = [UInt8](repeating: 0, count: Int(min(1 << 20, max(0, end - start))))
    var place = start
    while place < end {
      let count = Int(min(Int64(zeros.count), end - place))
      try write(zeros.span.extracting(first: count), at: place)
      try writeOut(place..<place + Int64(count))
      place += Int64(count)
    }
  }
}
