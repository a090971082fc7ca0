// Late rows: where each goes among what is at rest is asked for ahead, step by step for a group of rows.
// Invariant: looking ahead changes nothing, and nothing is answered by it.
// Not here: the steps (SeriesView+Ahead), names (NameLookup), taking the rows in (Engine+Apply).

/// Where one late row goes, as far as it is known.
private struct LateRow: BitwiseCopyable {
  /// The place of its identity's index, −1 where there is none.
  var index = -1
  /// Chunks: of its identity, of its event, of its hour's candle.
  var identity = 0
  var event = 0
  var hour = 0
}

extension Engine {
  /// Whether rows seem to come late: both ends of a group before the newest event. In order hardly one group is. O(1).
  @inline(__always)
  func areLate(_ rows: Span<BatchRow>) -> Bool {
    guard let newest, !rows.isEmpty else { return false }
    return rows[0].timestamp < newest && rows[rows.count - 1].timestamp < newest
  }

  /// Asks for the memory by which the places of rows are found, and for the places. O(rows × log n).
  @inline(never)
  func lookAhead(_ rows: Span<BatchRow>, _ names: borrowing [24 of NameLookup]) {
    var late: [24 of LateRow] = .init(repeating: LateRow())
    let rows = rows.extracting(first: late.count)
    for row in 0..<rows.count {
      if let index = identities.place(rows[row].operation == .swap ? .swap : .transfer, chain: rows[row].key.chain) {
        late[row].index = index
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
      if late[row].index >= 0 {
        late[row].identity = identities.view(at: late[row].index).prefetchHead(near: rows[row].major)
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
      if late[row].index >= 0 {
        identities.view(at: late[row].index).prefetchRow(near: rows[row].major, in: late[row].identity)
      }
      guard names[row].token != NameLookup.unknown else { continue }
      let token = Int(names[row].token)
      if rows[row].operation == .swap {
        late[row].event = tokenStates[token].swaps.view.prefetchHead(near: rows[row].time)
        late[row].hour = tokenStates[token].hours.view.prefetchHead(near: rows[row].hour)
      } else {
        late[row].event = tokenStates[token].transfers.view.prefetchHead(near: rows[row].time)
      }
    }
    for row in 0..<rows.count {
      guard names[row].token != NameLookup.unknown else { continue }
      let token = Int(names[row].token)
      if rows[row].operation == .swap {
        tokenStates[token].swaps.view.prefetchRow(near: rows[row].time, in: late[row].event)
        tokenStates[token].hours.view.prefetchRow(near: rows[row].hour, in: late[row].hour)
      } else {
        tokenStates[token].transfers.view.prefetchRow(near: rows[row].time, in: late[row].event)
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
