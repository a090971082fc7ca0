// A packed chunk with a row more, with rows less, with another row: bytes are moved, nothing is packed again.
// Invariant: what a published version may have is copied first; a change that does not fit leaves the chunk as it was.
// Not here: packing and reading (PackedChunkHandle), when rows are packed anew (SortedSeries).

/// Each change gives the chunk as it is then, in the place of this one: in the same block, or in another, while this one
/// is given back.
extension PackedChunk {
  /// One row more, nil where it does not fit the columns as they are packed. O(bytes): those of fewer rows, either all
  /// before it or all behind it, are moved, as long as there is room on their side.
  ///
  /// - Parameter room: how many rows more there should be room for, where there is none for this one.
  func inserting(_ row: Row, at index: Int, room: Int, _ arena: Arena) -> PackedChunk? {
    precondition(index >= 0 && index <= count, "a chunk grows within its rows")
    var words: [20 of (UInt64, UInt64)] = .init(repeating: (0, 0))
    for column in 0..<Row.columnCount {
      guard let word = offset(of: row, column) else { return nil }
      words[column] = word
    }
    let own = head.count < head.capacity ? owned(arena) : moved(capacity: count + 1 + room, arena)
    let head = own.head
    let (all, front, movesFront) = (Int(head.count), Int(head.front), own.movesFront(index))
    for column in 0..<Row.columnCount {
      var header = own.header(column)
      let (start, width) = (Int(header.start), Int(header.width))
      guard width > 0 else { continue }
      if movesFront {
        header.start -= UInt32(truncatingIfNeeded: width)
        own.setHeader(column, header)
        own.move(start, to: start - width, bytes: index * width)
        own.put(words[column], width, at: start + (index - 1) * width)
      } else {
        let place = start + index * width
        own.move(place, to: place + width, bytes: (all - index) * width)
        own.put(words[column], width, at: place)
      }
    }
    own.setRows(
      all + 1, lastKey: index == all ? row.key : head.lastKey, Row.summary(own.summary, with: row),
      front: movesFront ? front - 1 : front)
    return own
  }

  /// One row changed, with the same key; nil where it does not fit the columns as they are packed. O(columns).
  ///
  /// - Parameter old: what the row was.
  func replacing(_ index: Int, _ old: Row, with row: Row, _ arena: Arena) -> PackedChunk? {
    var words: [20 of (UInt64, UInt64)] = .init(repeating: (0, 0))
    // Most columns stay as they are: to see that takes less than to divide by their powers of ten.
    var isOther: [20 of Bool] = .init(repeating: false)
    for column in 0..<Row.columnCount {
      isOther[column] =
        column < Row.narrowCount ? row.narrow(column) != old.narrow(column) : row.wide(column) != old.wide(column)
      guard isOther[column] else { continue }
      guard let word = offset(of: row, column) else { return nil }
      words[column] = word
    }
    guard let rest = Row.summary(summary, without: old) else { return nil }
    let own = owned(arena)
    for column in 0..<Row.columnCount where isOther[column] {
      let header = own.header(column)
      own.put(words[column], Int(header.width), at: Int(header.start) + index * Int(header.width))
    }
    own.setRows(count, lastKey: lastKey, Row.summary(rest, with: row))
    return own
  }

  /// Some rows less, of which some must be left. O(bytes).
  ///
  /// - Parameter gone: the rows to leave out, ascending.
  func removing(_ gone: Span<Int>, _ arena: Arena) -> PackedChunk {
    precondition(!gone.isEmpty && gone.count < count, "a chunk has rows")
    var rest: Row.Summary? = summary
    for index in 0..<gone.count {
      rest = rest.flatMap { Row.summary($0, without: row(at: gone[index])) }
    }
    let own = owned(arena)
    let (all, left) = (own.count, own.count - gone.count)
    for column in 0..<Row.columnCount {
      let header = own.header(column)
      let (start, width) = (Int(header.start), Int(header.width))
      guard width > 0 else { continue }
      var target = start + gone[0] * width
      for index in 0..<gone.count {
        let rows = gone[index] + 1..<(index + 1 < gone.count ? gone[index + 1] : all)
        own.move(start + rows.lowerBound * width, to: target, bytes: rows.count * width)
        target += rows.count * width
      }
    }
    own.setRows(left, lastKey: own.key(at: left - 1), own.summary)
    // Where a summary cannot do without a row, all others tell.
    own.setRows(left, lastKey: own.lastKey, rest ?? Row.summary(of: own))
    return own.head.capacity > 2 * left ? own.moved(capacity: left, arena) : own
  }

  /// Some of the rows as a chunk of their own, packed as they are; this one stays. O(bytes + rows).
  ///
  /// - Parameter room: how many rows more are likely to come into it.
  func part(_ rows: Range<Int>, room: Int, _ arena: Arena) -> PackedChunk {
    precondition(rows.lowerBound >= 0 && !rows.isEmpty && rows.upperBound <= count, "a part has rows of its chunk")
    let part = copy(rows, capacity: rows.count + room, arena)
    part.setRows(rows.count, lastKey: key(at: rows.upperBound - 1), Row.summary(of: part))
    part.raiseMajors()
    return part
  }

  /// Moves the base of column 0 up to close under the first row: rows are looked for between it and the last. O(rows).
  private func raiseMajors() {
    var header = header(0)
    let (start, width) = (Int(header.start), Int(header.width))
    guard width > 0 else { return }
    let mask = Self.mask(width)
    let (first, last) = (word(start) & mask, word(start + (count - 1) * width) & mask)
    // As in PackScratch: somewhat lesser ones fit later.
    let step = first &- min(first, (last &- first) >> 5)
    for row in 0..<count {
      let place = start + row * width
      put((word(place) & mask) &- step, width, at: place)
    }
    header.base = header.base &+ Int64(bitPattern: step)
    setHeader(0, header)
  }

  /// Whether both are in the same block. O(1).
  // SAFETY: pointers are compared, nothing is read.
  func isSame(as other: PackedChunk) -> Bool { unsafe block == other.block }

  // MARK: the parts of a change

  /// The chunk in a block that no version has. O(bytes), O(1) where this is one.
  private func owned(_ arena: Arena) -> PackedChunk {
    head.born < arena.sequence ? moved(capacity: Int(head.capacity), arena) : self
  }

  /// Copies the chunk to a block with room for `capacity` rows, and gives this one back. O(bytes).
  private func moved(capacity: Int, _ arena: Arena) -> PackedChunk {
    let other = copy(0..<count, capacity: capacity, arena)
    giveBack(arena)
    return other
  }

  /// Copies rows as they are packed; last key and summary stay those of this chunk. O(bytes).
  private func copy(_ rows: Range<Int>, capacity: Int, _ arena: Arena) -> PackedChunk {
    var bytes = Self.dataStart + 16
    var front = (capacity - rows.count) / 2
    for column in 0..<Row.columnCount {
      let header = header(column)
      bytes += header.baseBytes + capacity * Int(header.width)
      if header.hasWideBase { front = 0 }
    }
    let other = PackedChunk(arena, rows.count, capacity, front: front, bytes: bytes, lastKey: lastKey, summary)
    var cursor = Self.dataStart
    for column in 0..<Row.columnCount {
      var header = header(column)
      let (baseBytes, width) = (header.baseBytes, Int(header.width))
      let start = Int(header.start)
      // SAFETY: a base lies before `start` and `count` offsets behind it; room for as much was counted above.
      unsafe (other.block + cursor).copyMemory(from: block + start - baseBytes, byteCount: baseBytes)
      cursor += baseBytes + front * width
      unsafe (other.block + cursor).copyMemory(
        from: block + start + rows.lowerBound * width, byteCount: rows.count * width)
      header.start = UInt32(truncatingIfNeeded: cursor)
      other.setHeader(column, header)
      cursor += (capacity - front) * width
    }
    return other
  }

  /// Moves offsets of a column within its room.
  @inline(__always)
  private func move(_ source: Int, to target: Int, bytes: Int) {
    // SAFETY: both lie within the column's room: the callers have checked rows against count and capacity.
    unsafe (block + target).copyMemory(from: block + source, byteCount: bytes)
  }

  @inline(__always)
  private func setRows(_ count: Int, lastKey: Row.Key, _ summary: Row.Summary, front: Int? = nil) {
    var head = head
    if let front { head.front = UInt16(truncatingIfNeeded: front) }
    head.count = UInt16(truncatingIfNeeded: count)
    head.lastKey = lastKey
    // SAFETY: the block has room for its head and its summary, and nobody else has it.
    unsafe block.storeBytes(of: head, as: Head.self)
    unsafe block.storeBytes(of: summary, toByteOffset: Self.summaryStart, as: Row.Summary.self)
  }

  /// A row's offset in a column as it is packed, nil where it does not fit.
  @inline(__always)
  private func offset(of row: Row, _ column: Int) -> (UInt64, UInt64)? {
    let header = header(column)
    if column < Row.narrowCount { return offset(of: row.narrow(column), header) }
    let value = row.wide(column)
    let word = Int64(truncatingIfNeeded: value)
    if !header.hasWideBase, Int128(word) == value { return offset(of: word, header) }
    let exponent = Int(header.exponent)
    guard exponent == 0 || PackPlan.divides(exponent, value.magnitude) else { return nil }
    let offset = UInt128(truncatingIfNeeded: PackPlan.quotient(value, exponent) &- base(header))
    guard (128 - offset.leadingZeroBitCount + 7) >> 3 <= Int(header.width) else { return nil }
    return (UInt64(truncatingIfNeeded: offset), UInt64(truncatingIfNeeded: offset >> 64))
  }

  /// The same of a value of one word, above a base of one.
  @inline(__always)
  private func offset(of value: Int64, _ header: PackedColumn) -> (UInt64, UInt64)? {
    let exponent = Int(header.exponent)
    guard let quotient = exponent == 0 ? value : PackPlan.exactQuotient(value, exponent), header.base <= quotient
    else { return nil }
    let offset = UInt64(bitPattern: quotient &- header.base)
    return (64 - offset.leadingZeroBitCount + 7) >> 3 <= Int(header.width) ? (offset, 0) : nil
  }

  /// Writes the bytes of an offset, and leaves those behind them as they are.
  @inline(__always)
  private func put(_ words: (UInt64, UInt64), _ width: Int, at place: Int) {
    guard width > 8 else {
      if width > 0 { put(words.0, width, at: place) }
      return
    }
    store(words.0, at: place)
    put(words.1, width - 8, at: place + 8)
  }

  @inline(__always)
  private func put(_ value: UInt64, _ width: Int, at place: Int) {
    let mask = Self.mask(width)
    store(word(place) & ~mask | value & mask, at: place)
  }
}

extension PackedColumn {
  /// Bytes of a base that does not fit a word.
  var baseBytes: Int { hasWideBase ? 16 : 0 }
}
