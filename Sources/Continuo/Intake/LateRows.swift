// Late rows: where each goes among what is at rest is asked for ahead, step by step for a group of rows.
// Invariant: looking ahead changes nothing, and nothing is answered by it: a place is where a search begins.
// Not here: the steps (SeriesView+Ahead), names (NameLookup), taking the rows in (Engine+Apply).

/// Where one late row should go, as far as it is known: chunks, −1 where they are not.
struct LatePlace: BitwiseCopyable {
  private var chunks: (identity: Int32, event: Int32, hour: Int32) = (-1, -1, -1)

  static var unknown: LatePlace { LatePlace() }

  /// The chunk of its identity.
  @inline(__always)
  var identity: Int {
    get { Int(chunks.identity) }
    set { chunks.identity = Int32(truncatingIfNeeded: newValue) }
  }

  /// The chunk of its event.
  @inline(__always)
  var event: Int {
    get { Int(chunks.event) }
    set { chunks.event = Int32(truncatingIfNeeded: newValue) }
  }

  /// The chunk of its hour's candle.
  @inline(__always)
  var hour: Int {
    get { Int(chunks.hour) }
    set { chunks.hour = Int32(truncatingIfNeeded: newValue) }
  }
}

extension Engine {
  /// Whether rows seem to come late: both ends of a group before the newest event. In order hardly one group is. O(1).
  @inline(__always)
  func areLate(_ rows: Span<BatchRow>) -> Bool {
    guard let newest, !rows.isEmpty else { return false }
    return rows[0].timestamp < newest && rows[rows.count - 1].timestamp < newest
  }

  /// Asks for the memory by which the places of rows are found, and for the places, which it notes. O(rows × log n).
  @inline(never)
  func lookAhead(_ rows: Span<BatchRow>, _ names: inout [24 of NameLookup]) {
    /// The place of each identity's index, −1 where there is none.
    var indexes: [24 of Int] = .init(repeating: -1)
    let rows = rows.extracting(first: indexes.count)
    for row in 0..<rows.count {
      if let index = identities.place(rows[row].operation == .swap ? .swap : .transfer, chain: rows[row].key.chain) {
        indexes[row] = index
        identities.view(at: index).prefetchEntry(near: rows[row].major)
      }
      guard names[row].token != NameLookup.unknown else { continue }
      let token = Int(names[row].token)
      if rows[row].operation == .swap {
        tokenStates[token].swaps.view.prefetchDirectory()
        tokenStates[token].hours.view.prefetchDirectory()
      } else {
        tokenStates[token].transfers.view.prefetchDirectory()
      }
    }
    for row in 0..<rows.count {
      if indexes[row] >= 0 {
        names[row].place.identity = identities.view(at: indexes[row]).prefetchHead(near: rows[row].major)
      }
      guard names[row].token != NameLookup.unknown else { continue }
      let token = Int(names[row].token)
      if rows[row].operation == .swap {
        tokenStates[token].swaps.view.prefetchEntry(near: rows[row].time)
        tokenStates[token].hours.view.prefetchEntry(near: rows[row].hour)
      } else {
        tokenStates[token].transfers.view.prefetchEntry(near: rows[row].time)
      }
    }
    for row in 0..<rows.count {
      if indexes[row] >= 0 {
        identities.view(at: indexes[row]).prefetchRow(
          near: rows[row].major, in: names[row].place.identity, isNew: true)
      }
      guard names[row].token != NameLookup.unknown else { continue }
      let token = Int(names[row].token)
      if rows[row].operation == .swap {
        names[row].place.event = tokenStates[token].swaps.view.prefetchHead(near: rows[row].time)
        names[row].place.hour = tokenStates[token].hours.view.prefetchHead(near: rows[row].hour)
        dayVolumes.prefetch(token, at: rows[row].timestamp)
      } else {
        names[row].place.event = tokenStates[token].transfers.view.prefetchHead(near: rows[row].time)
      }
    }
    for row in 0..<rows.count {
      guard names[row].token != NameLookup.unknown else { continue }
      let token = Int(names[row].token)
      if rows[row].operation == .swap {
        tokenStates[token].swaps.view.prefetchRow(
          near: rows[row].time, in: names[row].place.event, isNew: true)
        tokenStates[token].hours.view.prefetchRow(
          near: rows[row].hour, in: names[row].place.hour, isNew: false)
      } else {
        tokenStates[token].transfers.view.prefetchRow(
          near: rows[row].time, in: names[row].place.event, isNew: true)
      }
    }
  }
}

extension BatchRow {
  /// What decides first where its identity, its event and its hour's candle stand.
  @inline(__always)
  fileprivate var major: Int64 { IdentityEntry.major(IdentityEntry.Key(block: key.block, logIndex: key.logIndex)) }
  @inline(__always)
  fileprivate var time: Int64 { timestamp.microseconds }
  @inline(__always)
  fileprivate var hour: Int64 { timestamp.startOfHour.microseconds }
}
