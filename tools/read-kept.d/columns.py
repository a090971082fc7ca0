"""Columns of whole numbers (docs/format/segment.md): of each number its class, coded, and the bits below its highest one."""

CODE_BITS = 12


def column(at, count, bits):
    """A column of whole numbers."""
    start, greatest = at.place, at.number(1)
    at.require(greatest <= bits, f"class {greatest}, at most {bits}", start)
    least = at.number(16)
    halves = [half for byte in at.take(greatest // 2 + 1) for half in (byte & 15, byte >> 4)]
    at.require(not any(halves[greatest + 1:]), "a length of no class", at.place - 1)
    coded = at.take(at.number(4))
    classes = classes_of(at, halves[:greatest + 1], coded, count)
    at.require(at.end - at.place >= 8, "too short")
    rests = at.take(at.end - at.place - 8)
    at.zeros(8)
    numbers, place = [], 0
    for size in classes:
        if size > 1:
            bits_there = int.from_bytes(rests[place >> 3:(place + size + 6) >> 3], "little") >> (place & 7)
            numbers.append(least + (1 << (size - 1)) + (bits_there & ((1 << (size - 1)) - 1)))
            place += size - 1
        else:
            numbers.append(least + size)
    filled(at, rests, place, at.end - 8)
    at.require(not numbers or max(numbers) >> bits == 0, f"a number of more than {bits} bits", start)
    return numbers


def filled(at, data, bits, end):
    """Requires that `data`, which ends at `end`, holds so many bits and is filled up with zeros."""
    at.require(len(data) == (bits + 7) // 8, f"{len(data)} bytes for {bits} bits", end)
    at.require(bits % 8 == 0 or data[-1] >> bits % 8 == 0, "a filling that is not zero", end)


def classes_of(at, lengths, coded, count):
    """The class of each number of a column."""
    if not any(lengths):
        at.require(not coded, "classes without a code")
        return [len(lengths) - 1] * count
    complete = sum(1 << (CODE_BITS - length) for length in lengths if 0 < length <= CODE_BITS) == 1 << CODE_BITS
    at.require(complete and max(lengths) <= CODE_BITS, "lengths that are no complete code")
    # By the next twelve bits, the first one lowest: class and length of the code that they begin with.
    table, code, before = [None] * (1 << CODE_BITS), 0, 0
    for length, size in sorted((length, size) for size, length in enumerate(lengths) if length):
        code <<= length - before
        before = length
        for place in range(int(f"{code:0{length}b}"[::-1], 2), 1 << CODE_BITS, 1 << length):
            table[place] = (size, length)
        code += 1
    classes, place = [], 0
    for _ in range(count):
        size, length = table[int.from_bytes(coded[place >> 3:(place >> 3) + 3], "little") >> (place & 7) & (1 << CODE_BITS) - 1]
        classes.append(size)
        place += length
    filled(at, coded, place, at.place)
    return classes
