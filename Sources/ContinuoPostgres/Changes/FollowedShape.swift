// What a map of keys stands on: the mapping, how each table names its rows, and the publication that tells of them.
// Invariant: two that are equal have told of the same rows by the same names; where they differ a snapshot is taken.
// Not here: what the server has (Attachment), keeping it (KeyFile).

internal import FoundationEssentials

/// What was followed, in texts that are compared.
package struct FollowedShape: Equatable, Sendable {
  /// The mapped tables of events, in their order.
  package var mapping: String
  /// Which columns name a row of each.
  package var tables: String
  /// What the publication has of them; made anew it is another one.
  package var publication: String

  package init(mapping: String, tables: String, publication: String) {
    (self.mapping, self.tables, self.publication) = (mapping, tables, publication)
  }

  /// The text of a mapping: equal where the same is read from the same tables. O(length).
  package static func text(of mapping: TableMapping) -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys]
    guard let data = try? encoder.encode(mapping.events) else { preconditionFailure("texts and numbers have a text") }
    return String(decoding: data, as: UTF8.self)
  }

  /// Why what was read with another one does not go on with this; nil where it does.
  package func difference(from old: FollowedShape) -> String? {
    if mapping != old.mapping { return "the mapping is another one than before" }
    if tables != old.tables { return "rows are named by other columns than before" }
    return publication == old.publication ? nil : "the publication was altered or made anew"
  }
}
