// Names and texts inside of a statement, where they cannot be parameters.
// Invariant: whatever a name holds, it stays one name; a text one text.
// Not here: parameters (PostgresValue), which is where values go.

/// Quotes what becomes part of a statement.
package enum SQLText {
  /// A name in quotes: `a"b` is `"a""b"`. O(length).
  package static func identifier(_ name: String) -> String { "\"" + name.replacing("\"", with: "\"\"") + "\"" }

  /// A name of a relation with its schema. O(length).
  package static func relation(_ schema: String, _ name: String) -> String {
    identifier(schema) + "." + identifier(name)
  }

  /// A text in quotes, for statements that take no parameters. O(length).
  package static func literal(_ text: String) -> String {
    let quoted = "'" + text.replacing("'", with: "''") + "'"
    // With a backslash, whatever the server's standard_conforming_strings says.
    return text.contains("\\") ? " E" + quoted.replacing("\\", with: "\\\\") : quoted
  }
}
