// Which chains of a directory come from a database, for who writes there without one.
// Invariant: as the follower has them, from the file of keys and the directory's own positions; nothing of either is changed.
// Not here: following (Follower), the same in a server (ContinuoServer's LiveMarket).

internal import Continuo
package import ContinuoStorage

package enum OwnedChains {
  private static let prefix = "postgres "
  /// The chains of an open directory; none where no database is followed into it. O(keys).
  package static func read(_ ledger: Ledger, directory: String) throws -> Set<UInt32> {
    guard try FollowedDirectory.isThere(directory) else { return [] }
    var chains: Set<UInt32> = []
    for position in ledger.positions where position.source.description.hasPrefix(prefix) {
      chains.formUnion(
        try KeyFile.open(directory: directory, tables: TableMapping.tablesMax, at: position.position).file.chains)
    }
    return chains
  }
}
