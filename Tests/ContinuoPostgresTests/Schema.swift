// The application's tables, as `data/postgres/schema.sql` has them.
// Invariant: what the tests live beside is what the demo and the documentation show.
// Not here: rows (Application).

import Foundation

enum Schema {
  static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent()
  static let text: String = {
    (try? String(contentsOf: root.appending(path: "data/postgres/schema.sql"), encoding: .utf8)) ?? ""
  }()
}
