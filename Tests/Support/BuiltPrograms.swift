// Where the build puts its programs: beside the tests.
// Invariant: a folder that has the programs `continuo` and `continuo-server`, or nothing.
// Not here: how they are run (the tests).

public import Foundation

/// The programs that were built with the tests.
public enum BuiltPrograms {
  /// Their folder; nil where `continuo` was not built.
  public static let folder: URL? = {
    let places = [Bundle.main.bundleURL, Bundle.main.executableURL?.deletingLastPathComponent()].compactMap { $0 }
    let bundles = Bundle.allBundles.filter { $0.bundlePath.hasSuffix(".xctest") }.map {
      $0.bundleURL.deletingLastPathComponent()
    }
    return (places + bundles).first {
      // The one becomes the other: with an old one of them, or none, something else would be tested.
      folder in
      ["continuo", "continuo-server"].allSatisfy {
        FileManager.default.isExecutableFile(atPath: folder.appending(path: $0).path)
      }
    }
  }()
}
