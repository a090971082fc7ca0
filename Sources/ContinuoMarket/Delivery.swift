// In which order a market's events are delivered, and which of them twice.
// Invariant: every event is delivered; a repeat comes after its event where the order is that of arrival.
// Not here: when events happen (EventPlaces).

enum Delivery {
  private static let lateShare = 0.01
  private static let lateMicroseconds: UInt64 = 600_000_000
  private static let veryLateShare = 0.0001
  private static let veryLateMicroseconds: UInt64 = 10_800_000_000
  /// A repeat comes within so long after its event.
  private static let repeatMicroseconds: UInt64 = 600_000_000

  /// An event that does not come when it happens.
  private struct Late {
    var microseconds: Int64
    var event: UInt32
  }

  /// Which event each delivered row is. O(events + late × log late).
  static func order(of blocks: [UInt32], _ shape: MarketShape) -> [UInt32] {
    switch shape.order {
    case .arrival: arrival(blocks, shape)
    case .random: shuffled(blocks.count, shape)
    }
  }

  private static func shuffled(_ events: Int, _ shape: MarketShape) -> [UInt32] {
    var repeats = RandomSource(seed: shape.seed, for: .repeats)
    var order = (0..<events).map { UInt32($0) }
    if shape.duplicates > 0 {
      for event in 0..<events where repeats.unit() < shape.duplicates { order.append(UInt32(event)) }
    }
    var random = RandomSource(seed: shape.seed, for: .order)
    for index in stride(from: order.count - 1, to: 0, by: -1) {
      order.swapAt(index, Int(random.below(UInt64(index + 1))))
    }
    return order
  }

  private static func arrival(_ blocks: [UInt32], _ shape: MarketShape) -> [UInt32] {
    var random = RandomSource(seed: shape.seed, for: .lateness)
    var repeats = RandomSource(seed: shape.seed, for: .repeats)
    var late: [Late] = []
    var punctual: [UInt32] = []
    punctual.reserveCapacity(blocks.count)
    for (event, block) in blocks.enumerated() {
      var arrives = Int64(block) * Market.blockMicroseconds
      let place = random.unit()
      if place < veryLateShare + lateShare {
        arrives += Int64(random.below(place < veryLateShare ? veryLateMicroseconds : lateMicroseconds))
        late.append(Late(microseconds: arrives, event: UInt32(event)))
      } else {
        punctual.append(UInt32(event))
      }
      if shape.duplicates > 0, repeats.unit() < shape.duplicates {
        late.append(
          Late(microseconds: arrives + 1 + Int64(repeats.below(repeatMicroseconds)), event: UInt32(event)))
      }
    }
    late.sort { ($0.microseconds, $0.event) < ($1.microseconds, $1.event) }
    return merged(punctual, late, blocks)
  }

  private static func merged(_ punctual: [UInt32], _ late: [Late], _ blocks: [UInt32]) -> [UInt32] {
    var order: [UInt32] = []
    order.reserveCapacity(punctual.count + late.count)
    var next = 0
    for event in punctual {
      let now = Int64(blocks[Int(event)]) * Market.blockMicroseconds
      while next < late.count, (late[next].microseconds, late[next].event) < (now, event) {
        order.append(late[next].event)
        next += 1
      }
      order.append(event)
    }
    order.append(contentsOf: late[next...].map(\.event))
    return order
  }
}
