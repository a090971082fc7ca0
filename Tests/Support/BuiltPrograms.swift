// Where the build puts its programs: beside the tests.
// Invariant: a folder that has the program `continuo`, or nothing.
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
      FileManager.default.isExecutableFile(atPath: $0.appending(path: "continuo").path)
    }
  }()
}
