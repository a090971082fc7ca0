// Random numbers that a seed decides, and which seeds a run tries.
// Invariant: the same seed gives the same numbers on every machine.
// Not here: what is drawn (RandomMarket).
// Source of the generator: SplitMix64, S. Vigna, public domain.

import Foundation

/// SplitMix64: small, fast enough, and every seed is good.
package struct SeededGenerator: RandomNumberGenerator, Sendable {
  private var state: UInt64

  package init(seed: UInt64) { state = seed }

  package mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
    return mixed ^ (mixed >> 31)
  }

  /// True in `percent` of a hundred draws.
  package mutating func chance(_ percent: Int) -> Bool { Int.random(in: 0..<100, using: &self) < percent }

  /// One of some elements, of which there is at least one.
  package mutating func pick<Element>(_ elements: [Element]) -> Element {
    elements[Int.random(in: 0..<elements.count, using: &self)]
  }
}

/// The seeds of a property test.
///
/// `CONTINUO_SEEDS=5000` tries so many of every property, `SEED=17` replays one.
package enum Seeds {
  /// The seeds of this run: `count` of them unless the environment says otherwise.
  package static func thisRun(_ count: Int) -> [UInt64] {
    let environment = ProcessInfo.processInfo.environment
    if let text = environment["SEED"], let seed = UInt64(text) { return [seed] }
    #if DEBUG
      let usual = max(4, count / 20)  // without optimisation
    #else
      let usual = count
    #endif
    let wanted = environment["CONTINUO_SEEDS"].flatMap { Int($0) } ?? usual
    return (0..<max(1, wanted)).map { UInt64($0) + 1 }
  }

  /// Every such one of very many is tried: each one, or every `count`th without optimisation.
  package static func every(_ count: Int) -> Int {
    #if DEBUG
      return count
    #else
      return 1
    #endif
  }

  /// Set by who wants all of very many, where a sample is tried else: `CONTINUO_EVERY_BYTE=1` (tools/crash).
  package static var takesEvery: Bool { ProcessInfo.processInfo.environment["CONTINUO_EVERY_BYTE"] != nil }

  /// Set by who wants to see what the markets did: `CONTINUO_CORNERS=1`.
  package static var showsCorners: Bool { ProcessInfo.processInfo.environment["CONTINUO_CORNERS"] != nil }

  /// What to type to see a failure again.
  package static func replay(_ seed: UInt64, _ test: String) -> String {
    "seed \(seed); replay with: SEED=\(seed) swift test -c release --skip-build --filter '\(test)'"
  }
}
