// The names of all tokens in order, kept from one list of tokens to the next.
// Invariant: of each token number of a version there is one name; whether an event of it stands is asked of the version.
// Not here: statistics (TokenRoutes).

internal import Continuo
internal import Synchronization

final class TokenNames: Sendable {
  private struct Entry {
    let name: ByteString
    /// The name as it is searched for.
    let folded: String
  }

  /// By the bytes of the names; one for each number there was.
  private let kept = Mutex<[Entry]>([])

  /// A text as it is searched for: without capitals.
  static func folded(_ text: String) -> String { text.lowercased() }

  /// Tokens of which an event stands, by the bytes of their names. O(log n + tokens); with new ones, or a part, O(n log n).
  ///
  /// - Parameters:
  ///   - cursor: the name before the first one; nil: from the beginning.
  ///   - isCalled: whether a token is one that is looked for, by its name, and that folded; nil: all are.
  ///   - limit: at most so many.
  func tokens(
    _ market: borrowing Snapshot, behind cursor: ByteString?, limit: Int, isCalled: ((ByteString, String) -> Bool)?
  ) -> [(token: TokenID, name: ByteString)] {
    let entries = entries(market)
    var found: [(token: TokenID, name: ByteString)] = []
    var index = cursor.map { Self.first(behind: $0, entries) } ?? 0
    while index < entries.count, found.count < limit {
      let entry = entries[index]
      index += 1
      if let isCalled, !isCalled(entry.name, entry.folded) { continue }
      // Of a later version there may be more, and the last event of one may have gone.
      guard let token = market.token(entry.name) else { continue }
      found.append((token, entry.name))
    }
    return found
  }

  private func entries(_ market: borrowing Snapshot) -> [Entry] {
    let count = market.contents.tokenCount
    let known = kept.withLock { $0 }
    guard known.count < count else { return known }
    var entries = known
    for number in known.count..<count {
      let name = market.name(of: TokenID(number))
      entries.append(Entry(name: name, folded: Self.folded(name.description)))
    }
    entries.sort { $0.name < $1.name }
    let all = entries
    kept.withLock { if $0.count < all.count { $0 = all } }
    return all
  }

  private static func first(behind name: ByteString, _ entries: [Entry]) -> Int {
    var (low, high) = (0, entries.count)
    while low < high {
      let middle = (low + high) / 2
      if name < entries[middle].name { high = middle } else { low = middle + 1 }
    }
    return low
  }
}
