// Numbers of 10^-18 as floating point that is on the right side of them.
// Invariant: a `sum` of what `above` gives is never under the exact sum, `below` is never over the exact figure.
// Not here: exact figures (ExactSum): what is answered never goes through here.

/// Bounds of volumes in floating point.
package enum VolumeBound {
  /// More than the roundings of a conversion, an addition and this multiplication take away together: 8 of 5 halves of a
  /// last place.
  private static var up: Double { 0x1.0000000000004p0 }
  private static var down: Double { 0x1.ffffffffffff8p-1 }

  /// As much as a number over zero, but for a rounding that `sum` makes up for. O(1).
  @inline(__always)
  package static func above(_ units: Int128) -> Double {
    let high = Double(Int64(truncatingIfNeeded: units >> 64))
    // The lower word, halved so that it has a sign, and rounded up.
    let low = Double(Int64(bitPattern: UInt64(truncatingIfNeeded: units) >> 1)) * 2 + 2
    return high * 0x1p64 + low
  }

  /// Not over a number that is not under zero. O(1).
  package static func below(_ units: Int128) -> Double {
    let high = Double(Int64(truncatingIfNeeded: units >> 64))
    let low = Double(Int64(bitPattern: UInt64(truncatingIfNeeded: units) >> 1)) * 2
    return (high * 0x1p64 + low) * down
  }

  /// Not under the sum of two numbers: each is given by its bound, or by `above`. O(1).
  @inline(__always)
  package static func sum(_ left: Double, _ right: Double) -> Double { (left + right) * up }
}
