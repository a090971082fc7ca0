// Descriptors against real pipes and files.
// Invariant: SIGPIPE is ignored while these run, as the tool does.
// Not here: decoding (CompressedInputTests).

import ContinuoBytes
import ContinuoFormats
import Foundation
import Testing

/// Rules 10.2 and 10.8: unreadable files, closed standard output.
@Suite("Descriptors", .serialized)
struct DescriptorTests {
  @Test("What is written whole arrives whole, more than a pipe holds too")
  func large() async throws {
    let bytes = (0..<1_000_000).map { UInt8(truncatingIfNeeded: $0 &* 31 >> 3) }
    let pipe = Pipe()
    let writing = dup(pipe.fileHandleForWriting.fileDescriptor)
    try pipe.fileHandleForWriting.close()
    let writer = Task.detached { try DescriptorHandle(adopting: writing).write(bytes) }
    let reading = DescriptorHandle(adopting: dup(pipe.fileHandleForReading.fileDescriptor))
    var back: [UInt8] = []
    while try reading.read(into: &back, atMost: 10_000) > 0 {}
    try await writer.value
    #expect(back == bytes)
  }

  @Test("A reader that is gone is `closed`, and nothing else")
  func closed() throws {
    signal(SIGPIPE, SIG_IGN)
    let pipe = Pipe()
    let writing = DescriptorHandle(adopting: dup(pipe.fileHandleForWriting.fileDescriptor))
    try writing.write(Array("before".utf8))
    try pipe.fileHandleForReading.close()
    #expect(throws: DescriptorFailure.closed) { try writing.write(Array("after".utf8)) }
    #expect(throws: DescriptorFailure.closed) { try writing.write([1]) }
    try writing.write([])
  }

  @Test("A descriptor that does not wait is waited for")
  func nonBlocking() async throws {
    let pipe = Pipe()
    let writing = dup(pipe.fileHandleForWriting.fileDescriptor)
    try pipe.fileHandleForWriting.close()
    _ = fcntl(writing, F_SETFL, fcntl(writing, F_GETFL) | O_NONBLOCK)
    let reader = dup(pipe.fileHandleForReading.fileDescriptor)
    _ = fcntl(reader, F_SETFL, fcntl(reader, F_GETFL) | O_NONBLOCK)
    let bytes = [UInt8](repeating: 7, count: 300_000)
    let writer = Task.detached {
      try await Task.sleep(for: .milliseconds(20))
      try DescriptorHandle(adopting: writing).write(bytes)
    }
    let reading = DescriptorHandle(adopting: reader)
    var back: [UInt8] = []
    while try reading.read(into: &back, atMost: 4_096) > 0 {}
    try await writer.value
    #expect(back == bytes)
  }

  @Test("Files that cannot be opened are missing; the message says what and what to do")
  func missing() throws {
    for path in ["/nonexistent/trades.csv", InputFixture.path(""), "/"] {
      var options = InputOptions()
      options.format = .csv
      do throws(InputFailure) {
        _ = try InputFile(path: path, options: options)
        Issue.record("\(path) opened")
      } catch {
        let failure = error
        #expect(failure.isMissing && failure.description.hasPrefix(path) && failure.line == nil)
        #expect(failure.remedy == "give the path of a readable file, or - for standard input")
      }
    }
  }

  @Test("A size is known of files only")
  func sizes() throws {
    let file = try DescriptorHandle(reading: InputFixture.path("empty-member.csv.gz"))
    #expect(file.fileBytes == 20 && !file.isTerminal)
    let pipe = Pipe()
    let end = DescriptorHandle(adopting: dup(pipe.fileHandleForReading.fileDescriptor))
    #expect(end.fileBytes == nil && !end.isTerminal)
  }
}
