// swift-tools-version: 6.2
import PackageDescription

/// One set of flags for every target of ours: a change of flags between two commands rebuilds everything.
let house: [SwiftSetting] = [
  .swiftLanguageMode(.v6),
  .strictMemorySafety(),
  .enableExperimentalFeature("Lifetimes"),
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("MemberImportVisibility"),
  .enableUpcomingFeature("InternalImportsByDefault"),
  .treatAllWarnings(as: .error),
]

let package = Package(
  name: "continuo",
  platforms: [.macOS(.v26)],
  products: [
    .library(name: "Continuo", targets: ["Continuo"]),
    .library(name: "ContinuoFormats", targets: ["ContinuoFormats"]),
    .executable(name: "continuo", targets: ["ContinuoTool"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2")
  ],
  targets: [
    .target(name: "Continuo", dependencies: ["CPrefetch", "CDivision"], swiftSettings: house),
    .target(name: "CPrefetch"),
    .target(name: "CDivision"),
    .target(name: "CMarks"),
    .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
    .systemLibrary(name: "CLZ4", pkgConfig: "liblz4", providers: [.apt(["liblz4-dev"])]),
    .target(name: "ContinuoBytes", dependencies: ["CZlib", "CLZ4"], swiftSettings: house),
    .target(
      name: "ContinuoFormats", dependencies: ["Continuo", "ContinuoBytes", "CMarks"], swiftSettings: house),
    .executableTarget(
      name: "ContinuoTool",
      dependencies: [
        "Continuo", "ContinuoBytes", "ContinuoFormats",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ],
      swiftSettings: house),
    .executableTarget(
      name: "ReadmeExample", dependencies: ["Continuo"], path: "Tests/Examples/Readme", swiftSettings: house),
    .target(name: "ContinuoTestSupport", dependencies: ["Continuo"], path: "Tests/Support", swiftSettings: house),
    .testTarget(
      name: "ContinuoTests",
      dependencies: ["Continuo", "ContinuoBytes", "ContinuoFormats", "ContinuoTestSupport"], swiftSettings: house),
    .testTarget(name: "ExampleTests", dependencies: ["Continuo"], swiftSettings: house),
    .testTarget(
      name: "ContinuoToolTests",
      dependencies: [
        "ContinuoTool", "Continuo", "ContinuoBytes", "ContinuoFormats", "ContinuoTestSupport", "ReadmeExample",
      ],
      swiftSettings: house),
    .testTarget(
      name: "ContinuoFormatsTests",
      dependencies: ["Continuo", "ContinuoBytes", "ContinuoFormats", "ContinuoTestSupport"], swiftSettings: house),
  ]
)

// Fuzzing needs a build of its own: every module with libFuzzer's counters (tools/fuzz).
if Context.environment["CONTINUO_FUZZ"] == "1" {
  package.targets.append(
    .executableTarget(
      name: "ContinuoFuzz", dependencies: ["Continuo", "ContinuoFormats"], path: "Tests/Fuzz", exclude: ["corpus"],
      swiftSettings: house))
}
