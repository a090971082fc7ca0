"""Bytes of a data directory, taken apart with every checksum checked: the manifest, and the blocks of a kept file.

By docs/format/manifest.md and docs/format/kept.md. Not here: what the blocks hold (columns.py, events.py, tools/read-kept).
"""

from collections import namedtuple

INTERVALS = ("1m", "5m", "15m", "1h", "4h", "1d", "1w")
SUFFIXES = (".segment", ".names", ".bases")
FOOTER, HEADER_BYTES, HEAD_BYTES, TRAILER_BYTES = 255, 64, 16, 16


class Damage(Exception):
    """What is wrong, and where: ends the tool."""

    def __init__(self, path, byte, what):
        super().__init__(f"{path}: byte {byte}: {what}")


def crc_table():
    """What each byte does to a CRC-32C."""
    table = []
    for value in range(256):
        for _ in range(8):
            value = value >> 1 ^ (0x82F63B78 if value & 1 else 0)
        table.append(value)
    return table


CRC = crc_table()


def checksum(*parts):
    """The CRC-32C of some bytes."""
    value = 0xFFFFFFFF
    for part in parts:
        for byte in part:
            value = value >> 8 ^ CRC[(value ^ byte) & 255]
    return value ^ 0xFFFFFFFF


def little(number, count):
    return number.to_bytes(count, "little")


def signed(number, bits):
    """A number modulo 2^bits as a signed one."""
    number &= (1 << bits) - 1
    return number - (1 << bits) if number >> (bits - 1) else number


def unzigzag(number):
    return number >> 1 ^ -(number & 1)


class Contents:
    """What the contents of a file add up to (docs/format/kept.md, "Contents")."""

    def __init__(self):
        self.total = 0

    def add(self, *words):
        state = 0xCBF29CE484222325
        for word in words:
            state = (state ^ (word & 2**64 - 1)) * 0x9E3779B97F4A7C15 & 2**64 - 1
            state ^= state >> 32
        self.total = self.total + state & 2**64 - 1

    def require(self, file):
        """Damage unless that is what the manifest says, if it says so."""
        found = max(1, (self.total ^ self.total >> 32) & 2**32 - 1)
        file.footer.require(file.entry.contents in (0, found), "contents that are not those that were written", HEADER_BYTES)


def halves(number):
    """A number of 128 bits as two words."""
    return number & 2**64 - 1, number >> 64


class Cursor:
    """Takes a stretch of a file apart from its beginning to its end."""

    def __init__(self, path, data, place, end):
        self.path, self.data, self.place, self.end = path, data, place, end

    def require(self, holds, what, place=None):
        if not holds:
            raise Damage(self.path, self.place if place is None else place, what)

    def take(self, count):
        self.require(count <= self.end - self.place, f"{count} bytes expected, {self.end - self.place} are left")
        self.place += count
        return self.data[self.place - count:self.place]

    def number(self, count, sign=False):
        return int.from_bytes(self.take(count), "little", signed=sign)

    def numbers(self, *counts):
        return [self.number(count) for count in counts]

    def equal(self, count, expected, what, sign=False):
        place, found = self.place, self.number(count, sign)
        self.require(found == expected, f"{what} is {found}, not {expected}", place)

    def zeros(self, count):
        for index, byte in enumerate(self.take(count)):
            self.require(byte == 0, "a reserved byte that is not zero", self.place - count + index)

    def finish(self):
        self.require(self.place == self.end, f"{self.end - self.place} bytes too many")

    def magic(self, text):
        self.require(self.take(len(text)) == text, f"not {text.decode()}", self.place - len(text))

    def version(self):
        version = self.number(1)
        self.require(version != 0, "version 0", self.place - 1)
        self.require(version == 1, f"version {version} is newer than this tool", self.place - 1)


def contents(path):
    try:
        return path.read_bytes()
    except OSError as error:
        raise Damage(path, 0, error.strerror) from None


# A kept file as the manifest has it.
Entry = namedtuple("Entry", "kind number first second length footer contents")


class Manifest:
    """The file `manifest`, checked."""

    def __init__(self, folder):
        path = folder / "manifest"
        data = contents(path)
        self.at = at = Cursor(path, data, 0, len(data) - 4)
        at.magic(b"CONTMANI")
        at.require(len(data) >= 132, "too short", len(data))
        at.require(checksum(data[:-4]) == int.from_bytes(data[-4:], "little"), "checksum", at.end)
        at.version()
        at.zeros(3)
        self.last_journal, self.identity, _ = at.number(4), at.take(8), at.number(8)
        retention = [at.number(8, True) for _ in range(8)]
        at.require(min(retention) > 0, "a retention of nothing", 32)
        self.retention = dict(zip(["raw", *INTERVALS], retention))
        self.first_journal, _, first_frame, self.frames, self.next_number = at.numbers(4, 4, 8, 8, 4)
        at.require(self.first_journal > 0 and first_frame > 0, "number 0 of the journal's beginning", 96)
        at.equal(4, at.end - 128, "length of the sections")
        at.equal(4, 1, "kind of section")
        self.state(self.section())
        at.equal(4, 2, "kind of section")
        self.files = list(self.kept(self.section()))
        self.sources, self.blocks = {}, {}
        before = 2
        while at.place < at.end:
            kind = at.number(4)
            at.require(before < kind <= 4, f"kind {kind} of section", at.place - 4)
            if kind == 3:
                self.blocks = dict(self.ranges(self.section()))
            else:
                self.sources = dict(self.inputs(self.section()))
            before = kind
        at.finish()

    def section(self):
        length = self.at.number(4)
        self.at.take(length)
        return Cursor(self.at.path, self.at.data, self.at.place - length, self.at.place)

    def state(self, at):
        self.newest, clock, _ = (at.number(8, True) for _ in range(3))
        self.clock = max(self.newest, clock)
        _, self.tokens, self.addresses = at.numbers(8, 4, 4)
        at.require(at.number(4) < 2, "neither 0 nor 1", at.place - 4)
        chains = at.number(4)
        at.take(4)
        at.take(12 * chains)
        at.require((at.end - at.place) % 4 == 0, "a part of a number")

    def ranges(self, at):
        """The blocks of each segment, as the bytes in its footer."""
        segments = {entry.number for entry in self.files if entry.kind == 0}
        before = 0
        while at.place < at.end:
            number, count = at.numbers(4, 4)
            at.require(number > before and number in segments, f"blocks of file {number}", at.place - 8)
            before = number
            yield number, at.take(24 * count)

    def inputs(self, at):
        before = b""
        at.require(at.place < at.end, "a section of nothing")
        while at.place < at.end:
            position, length = at.number(16), at.number(1)
            at.require(0 < length <= 64, f"a name of {length} bytes", at.place - 1)
            name = at.take(length)
            at.require(name > before, "sources out of order", at.place - length)
            before = name
            try:
                yield name.decode(), position
            except UnicodeDecodeError:
                at.require(False, "a name that is no UTF-8", at.place - length)

    def kept(self, at):
        before = 0
        while at.place < at.end:
            start, kind = at.place, at.number(1)
            at.zeros(3)
            entry = Entry(kind, at.number(4), at.number(8, True), at.number(8, True), *at.numbers(8, 4, 4))
            at.require(kind <= 2, f"kind {kind} of kept file", start)
            at.require(before < entry.number < self.next_number, "kept files not by number", start + 4)
            before = entry.number
            yield entry


class KeptFile:
    """A kept file: its blocks, all of them checked."""

    def __init__(self, folder, manifest, entry):
        self.entry = entry
        self.path = path = folder / "kept" / f"{entry.number:08}{SUFFIXES[entry.kind]}"
        self.data = data = contents(path)
        size = len(data)
        at = Cursor(path, data, 0, size)
        at.require(size == entry.length and size >= HEADER_BYTES + TRAILER_BYTES, f"{size} bytes, not {entry.length}", size)
        at.magic(b"CONTKEPT")
        at.require(checksum(data[:60]) == int.from_bytes(data[60:64], "little"), "checksum of the header", 60)
        at.version()
        at.equal(1, entry.kind, "kind")
        at.zeros(2)
        at.equal(4, entry.number, "number")
        at.require(at.take(8) == manifest.identity, "of another directory", 16)
        at.equal(8, entry.first, "first", True)
        at.equal(8, entry.second, "second", True)
        at.zeros(20)
        self.seal = manifest.identity + little(entry.number, 4)
        end = Cursor(path, data, size - TRAILER_BYTES, size)
        place = end.number(8)
        end.equal(4, entry.footer, "checksum of the footer")
        end.magic(b"ENDS")
        at.place, at.end = HEADER_BYTES, size - TRAILER_BYTES
        self.blocks, places, sums, self.sum = [], [], [], None
        while at.place < at.end:
            places.append(at.place)
            self.blocks.append(self.block(at))
            sums.append(self.sum)
        at.require(places and places.pop() == place, f"the footer is not at {place}, as the trailer says", size - TRAILER_BYTES)
        kind, column, group, self.footer = self.blocks.pop()
        self.footer.require((kind, column, group, self.sum) == (FOOTER, 0, 0, entry.footer), "no footer, or another one", place)
        self.footer.equal(4, len(places), "number of blocks")
        self.footer.equal(4, self.footer.end - self.footer.place - 4 - 12 * len(places), "length of the last part")
        for place in places:
            self.footer.equal(8, place, "place of a block")
        for known in sums[:-1]:
            self.footer.equal(4, known, "checksum of a block")

    def block(self, at):
        start = at.place
        kind, column, group, length, self.sum = at.numbers(1, 1, 2, 4, 4)
        at.place += 4
        at.take(length + -length % 8)
        data = self.data
        found = checksum(self.seal, little(start, 8), data[start:start + 8], data[start + 12:at.place])
        at.require(found == self.sum, "checksum of a block", start)
        Cursor(self.path, data, start + 12, at.place).zeros(4)
        Cursor(self.path, data, start + HEAD_BYTES + length, at.place).zeros(-length % 8)
        return kind, column, group, Cursor(self.path, data, start + HEAD_BYTES, start + HEAD_BYTES + length)

    def groups(self, columns_of):
        """The blocks of each group; `columns_of` are how many each kind has."""
        blocks, number = iter(self.blocks), 0
        for kind, column, group, at in blocks:
            at.require(kind in columns_of, f"a block of kind {kind}", at.place - HEAD_BYTES)
            found = [at]
            for expected in range(columns_of[kind]):
                if expected:
                    following = next(blocks, None)
                    at.require(following is not None, f"column {expected} is missing", found[-1].end)
                    other, column, group, at = following
                    at.require(other == kind, "a group of two kinds", at.place - HEAD_BYTES)
                    found.append(at)
                at.require(column == expected, f"column {column}, not {expected}", at.place - HEAD_BYTES + 1)
                at.require(group == number % 65_536, f"group {group}, not {number}", at.place - HEAD_BYTES + 2)
            number += 1
            yield kind, found
