// The example of the storage library, compiled and run: tools/tidy holds docs/storage.md to these very lines.
// Not here: the README's examples.

import Continuo
import ContinuoStorage
import Foundation
import Testing

/// Rule 7.1: what the page says of a directory that is opened again is so.
@Test("A data directory in ten lines: opened, filled, read, brought back")
func storage() throws {
  let path = FileManager.default.temporaryDirectory.path + "/continuo-\(UInt64.random(in: .min ... .max))"
  defer { try? FileManager.default.removeItem(atPath: path) }
  do {
    let ledger = try Ledger(path: path)
    var batch = EventBatch()
    batch.append(
      Swap(block: 1, timestamp: Timestamp("2024-12-01T12:00:00Z")!, token: "ART", amountUSD: .one, priceUSD: .one))
    print(try ledger.take(batch, wallClock: nil).accepted)  // 1: it is on the disk

    var reader = ledger.publication().reader()
    print(reader.read { $0.inspection().swaps })  // 1
  }
  let directory = try ReadDirectory(path: path)
  print(directory.restored.rows, directory.engine.inspection().swaps)  // 1 1
  #expect(directory.restored.rows == 1)
  #expect(directory.engine.inspection().swaps == 1)
}
