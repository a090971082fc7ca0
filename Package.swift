// swift-tools-version: 6.2
import PackageDescription

/// One set of flags for every target of ours: a change of flags between two commands rebuilds everything.
var house: [SwiftSetting] = [
  .swiftLanguageMode(.v6),
  .strictMemorySafety(),
  .enableExperimentalFeature("Lifetimes"),
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("MemberImportVisibility"),
  .enableUpcomingFeature("InternalImportsByDefault"),
  .treatAllWarnings(as: .error),
]

// The build for the thread sanitizer overwrites what is given back, so that it sees who still reads it (tools/test).
if Context.environment["CONTINUO_WATCHED"] == "1" { house.append(.define("CONTINUO_WATCHED")) }

// The program without the toolchain's libraries beside it: it starts in half the time from a cold disk, and runs on machines
// without Swift (tools/run, tools/bench). Tests are linked with what they test, so not there. lld has no opinion on what the
// libraries call.
var linking: [LinkerSetting] = []
if Context.environment["CONTINUO_STATIC"] == "1" {
  linking.append(
    .unsafeFlags(
      [
        "-static-stdlib", "-use-ld=lld", "-l_FoundationCollections", "-l_FoundationCShims", "-l_FoundationICU",
        "-lCoreFoundation", "-lstdc++",
      ], .when(platforms: [.linux])))
}

/// A product that is fetched and built with the server alone.
func ofServer(_ name: String, _ package: String) -> Target.Dependency {
  .product(name: name, package: package, condition: .when(traits: ["Server"]))
}

let package = Package(
  name: "continuo",
  platforms: [.macOS(.v26)],
  products: [
    .library(name: "Continuo", targets: ["Continuo"]),
    .library(name: "ContinuoFormats", targets: ["ContinuoFormats"]),
    .library(name: "ContinuoStorage", targets: ["ContinuoStorage"]),
    // The small program in front, and the one with every command, which it becomes (docs/decisions/0030).
    .executable(name: "continuo", targets: ["ContinuoFront"]),
    .executable(name: "continuo-server", targets: ["ContinuoTool"]),
  ],
  // Not by default: who imports the engine or its storage fetches nothing of the server (tools/machine.sh switches it on).
  traits: [
    .trait(name: "Server", description: "The command `serve`: the engine over HTTP."),
    .trait(name: "Postgres", description: "The commands that live beside PostgreSQL; needs libpq."),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1"),
    .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.8.0"),
    .package(url: "https://github.com/apple/swift-log", from: "1.6.0"),
    .package(url: "https://github.com/apple/swift-nio", from: "2.80.0"),
    .package(url: "https://github.com/apple/swift-nio-extras", from: "1.25.0"),
    .package(url: "https://github.com/apple/swift-http-types", from: "1.3.0"),
    .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.0"),
    .package(url: "https://github.com/swift-server/async-http-client", from: "1.37.0"),
  ],
  targets: [
    .target(name: "Continuo", dependencies: ["CMemory", "CAddress", "CDivision", "CSums"], swiftSettings: house),
    .target(name: "CMemory"),
    .target(name: "CAddress"),
    .target(name: "CChecksum"),
    .target(name: "CDivision"),
    .target(name: "CSums"),
    .target(name: "CMarks"),
    .target(name: "CMachine"),
    .target(name: "CDisk"),
    .systemLibrary(name: "CZlib", pkgConfig: "zlib", providers: [.apt(["zlib1g-dev"])]),
    .systemLibrary(name: "CLZ4", pkgConfig: "liblz4", providers: [.apt(["liblz4-dev"])]),
    // libpq is loaded when it is asked for: only its header is needed here (libpq-dev).
    .target(name: "CPostgres"),
    .target(name: "ContinuoBytes", dependencies: ["CZlib", "CLZ4", "CChecksum"], swiftSettings: house),
    .target(
      name: "ContinuoStorage", dependencies: ["Continuo", "ContinuoBytes", "CMemory", "CDisk"], swiftSettings: house),
    .target(name: "ContinuoMachine", dependencies: ["ContinuoBytes", "CMachine", "CMemory"], swiftSettings: house),
    .target(name: "ContinuoMarket", dependencies: ["Continuo", "CMemory"], swiftSettings: house),
    .target(
      name: "ContinuoFormats", dependencies: ["Continuo", "ContinuoBytes", "CMarks"], swiftSettings: house),
    .target(
      name: "ContinuoPostgres",
      dependencies: [
        "Continuo", "ContinuoBytes", "ContinuoStorage",
        .target(name: "CPostgres", condition: .when(traits: ["Postgres"])),
      ],
      swiftSettings: house),
    .target(
      name: "ContinuoServer",
      dependencies: [
        "Continuo", "ContinuoBytes", "ContinuoFormats", "ContinuoStorage",
        ofServer("Hummingbird", "hummingbird"), ofServer("HummingbirdCore", "hummingbird"),
        ofServer("HummingbirdHTTP2", "hummingbird"),
        ofServer("NIOSSL", "swift-nio-ssl"), ofServer("NIOCertificateReloading", "swift-nio-extras"),
        ofServer("ServiceLifecycle", "swift-service-lifecycle"), ofServer("UnixSignals", "swift-service-lifecycle"),
        ofServer("Logging", "swift-log"), ofServer("NIOCore", "swift-nio"), ofServer("NIOPosix", "swift-nio"),
        ofServer("NIOHTTP1", "swift-nio"), ofServer("NIOTLS", "swift-nio"),
        ofServer("NIOHTTPTypes", "swift-nio-extras"), ofServer("HTTPTypes", "swift-http-types"),
      ],
      // Inside the program, so that it needs nothing beside it.
      resources: [.embedInCode("Page/Files")],
      swiftSettings: house),
    .executableTarget(
      name: "ContinuoTool",
      dependencies: [
        "Continuo", "ContinuoBytes", "ContinuoFormats", "ContinuoMarket", "ContinuoMachine", "ContinuoStorage",
        .target(name: "ContinuoServer", condition: .when(traits: ["Server"])),
        .target(name: "ContinuoPostgres", condition: .when(traits: ["Postgres"])),
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
        ofServer("AsyncHTTPClient", "async-http-client"), ofServer("Logging", "swift-log"),
        ofServer("NIOCore", "swift-nio"), ofServer("NIOHTTP1", "swift-nio"), ofServer("NIOSSL", "swift-nio-ssl"),
      ],
      swiftSettings: house + [
        .define("CONTINUO_SERVER", .when(traits: ["Server"])),
        .define("CONTINUO_POSTGRES", .when(traits: ["Postgres"])),
      ],
      linkerSettings: linking),
    // The same sources (a link to the folder), without what needs a server or a database: a third of the size, and so of the start.
    .executableTarget(
      name: "ContinuoFront",
      dependencies: [
        "Continuo", "ContinuoBytes", "ContinuoFormats", "ContinuoMarket", "ContinuoMachine", "ContinuoStorage",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ],
      swiftSettings: house + [.define("CONTINUO_FRONT")], linkerSettings: linking),
    .executableTarget(
      name: "ReadmeExample", dependencies: ["Continuo"], path: "Tests/Examples/Readme", swiftSettings: house),
    .target(
      name: "ContinuoTestSupport", dependencies: ["Continuo", "ContinuoStorage"], path: "Tests/Support",
      swiftSettings: house),
    // Not what a test depends on: it would be linked into the tests, and its functions stand in the way of the C library's.
    .target(name: "CProbe", path: "Tests/CProbe"),
    .executableTarget(
      name: "ReadingProbe", dependencies: ["CProbe", "Continuo", "ContinuoTestSupport"], path: "Tests/Probe",
      swiftSettings: house),
    .executableTarget(
      name: "LedgerProbe", dependencies: ["Continuo", "ContinuoBytes", "ContinuoFormats", "ContinuoStorage"],
      path: "Tests/LedgerProbe", swiftSettings: house),
    .testTarget(
      name: "ContinuoTests",
      dependencies: ["Continuo", "ContinuoBytes", "ContinuoFormats", "ContinuoTestSupport"], swiftSettings: house),
    .testTarget(name: "ContinuoMarketTests", dependencies: ["Continuo", "ContinuoMarket"], swiftSettings: house),
    .testTarget(
      name: "ContinuoStorageTests",
      dependencies: ["ContinuoStorage", "Continuo", "ContinuoBytes", "ContinuoFormats", "ContinuoTestSupport"],
      swiftSettings: house),
    .testTarget(name: "ExampleTests", dependencies: ["Continuo", "ContinuoStorage"], swiftSettings: house),
    .testTarget(
      name: "ContinuoToolTests",
      dependencies: [
        "ContinuoTool", "Continuo", "ContinuoBytes", "ContinuoFormats", "ContinuoStorage", "ContinuoTestSupport",
        "ReadmeExample",
      ],
      swiftSettings: house),
    .testTarget(
      name: "ContinuoServerTests",
      dependencies: [
        "ContinuoServer", "ContinuoTool", "Continuo", "ContinuoBytes", "ContinuoFormats", "ContinuoStorage",
        "ContinuoTestSupport", ofServer("HummingbirdTesting", "hummingbird"), ofServer("Hummingbird", "hummingbird"),
        ofServer("HTTPTypes", "swift-http-types"), ofServer("NIOCore", "swift-nio"), ofServer("NIOPosix", "swift-nio"),
        ofServer("Logging", "swift-log"), ofServer("ServiceLifecycle", "swift-service-lifecycle"),
      ],
      swiftSettings: house),
    .testTarget(
      name: "ContinuoPostgresTests",
      dependencies: [
        "ContinuoPostgres", "ContinuoTool", "Continuo", "ContinuoBytes", "ContinuoFormats", "ContinuoStorage",
        "ContinuoTestSupport",
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
      name: "ContinuoFuzz", dependencies: ["Continuo", "ContinuoFormats", "ContinuoStorage"], path: "Tests/Fuzz",
      exclude: ["corpus"],
      swiftSettings: house))
}

// Benchmarks are for those who work on the engine: users never fetch what they need (tools/bench).
if Context.environment["CONTINUO_BENCHMARKS"] == "1" {
  package.dependencies.append(.package(url: "https://github.com/ordo-one/benchmark", from: "1.38.1", traits: []))
  package.targets += [
    .executableTarget(
      name: "EngineBenchmarks",
      dependencies: ["Continuo", "ContinuoMarket", .product(name: "Benchmark", package: "benchmark")],
      path: "Benchmarks/Engine", swiftSettings: house,
      plugins: [.plugin(name: "BenchmarkPlugin", package: "benchmark")]),
    .executableTarget(
      name: "Latencies", dependencies: ["Continuo", "ContinuoMarket", "ContinuoMachine"],
      path: "Benchmarks/Latencies", swiftSettings: house),
    .executableTarget(
      name: "Durable",
      dependencies: ["Continuo", "ContinuoBytes", "ContinuoMarket", "ContinuoMachine", "ContinuoStorage"],
      path: "Benchmarks/Durable", swiftSettings: house),
    .executableTarget(
      name: "Storage", dependencies: ["Continuo", "ContinuoMarket", "ContinuoMachine", "ContinuoStorage"],
      path: "Benchmarks/Storage", swiftSettings: house),
    .executableTarget(
      name: "Service",
      dependencies: [
        "ContinuoMachine", "ContinuoMarket", ofServer("NIOCore", "swift-nio"), ofServer("NIOPosix", "swift-nio"),
      ],
      path: "Benchmarks/Service", swiftSettings: house),
  ]
}
