// The columns of what a program is set to.
// Invariant: a secret is not here, only that it is set.
// Not here: how a value is found (the tool), the other results (ResultTable+Columns).

internal import Continuo

/// One setting.
public struct SettingAnswer: Sendable {
  /// The flag's name.
  public var name: String
  /// What it is; nil: nothing.
  public var value: String?
  /// Where that comes from.
  public var source: String

  public init(name: String, value: String?, source: String) {
    (self.name, self.value, self.source) = (name, value, source)
  }
}

extension ResultTable where Row == SettingAnswer {
  /// `config`.
  public static var settings: Self {
    Self { row, cells in
      cells.text("name", of: row) { ByteString($0.name) }
      cells.text("value", of: row) { $0.value.map { ByteString($0) } }
      cells.text("source", of: row) { ByteString($0.source) }
    }
  }
}
