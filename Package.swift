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
    .target(name: "Continuo", swiftSettings: house),
    .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
    .systemLibrary(name: "CLZ4", pkgConfig: "liblz4", providers: [.apt(["liblz4-dev"])]),
    .target(name: "ContinuoBytes", dependencies: ["CZlib", "CLZ4"], swiftSettings: house),
    .target(
      name: "ContinuoFormats", dependencies: ["Continuo", "ContinuoBytes"], swiftSettings: house),
    .executableTarget(
      name: "ContinuoTool",
      dependencies: [
        "Continuo", "ContinuoFormats",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ],
      swiftSettings: house),
    .target(name: "ContinuoTestSupport", dependencies: ["Continuo"], path: "Tests/Support", swiftSettings: house),
    .testTarget(
      name: "ContinuoTests", dependencies: ["Continuo", "ContinuoTestSupport"], swiftSettings: house),
    .testTarget(name: "ExampleTests", dependencies: ["Continuo"], swiftSettings: house),
  ]
)
