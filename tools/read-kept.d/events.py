"""Segments (docs/format/segment.md): the swaps and transfers of a stretch of time, by group, column and event."""

from collections import namedtuple

from columns import column
from data import Contents, halves, signed, unzigzag

FOUR_HOURS = 4 * 3_600_000_000
FOR_EVER, NEVER = 2**63 - 1, -(2**63)
GROUP_MAX = 65_536

Swap = namedtuple("Swap", "chain block log_index time token side amount tokens price wallet")
Transfer = namedtuple("Transfer", "chain block log_index time token amount giver taker identifier")


class Group:
    """A group of events, decoded into `events`."""

    def __init__(self, kind, blocks, start):
        at = blocks[0]
        self.place, self.blocks, self.start = at.place, blocks, start
        at.equal(1, kind, "kind")
        self.powers = at.numbers(1, 1, 1, 1)
        limits = (9, 18, 0, 0) if kind else (9, 18, 18, 18)
        at.require(all(power <= limit for power, limit in zip(self.powers, limits)), f"powers of ten {self.powers}", self.place + 1)
        self.forecast = at.number(1)
        at.require(self.forecast <= (0 if kind else 1), f"forecast {self.forecast}", self.place + 5)
        at.zeros(2)
        self.count, self.block_count = at.numbers(4, 4)
        at.require(0 < self.count <= GROUP_MAX, f"{self.count} events", self.place + 8)
        at.require(0 < self.block_count <= self.count, f"{self.block_count} blocks", self.place + 12)
        self.block_time, self.block, self.time = at.number(8, True), at.number(8), at.number(8, True)
        self.chain = at.number(4)
        at.zeros(4)
        at.finish()
        self.events = self.transfers() if kind else self.swaps()

    def column(self, number, bits):
        return column(self.blocks[number], self.block_count if number < 5 else self.count, bits)

    def require(self, holds, what, number):
        self.blocks[number].require(holds, what, self.blocks[number].end)

    def positions(self):
        """Chain, block, log index and time of each event."""
        steps = zip(*(self.column(number, 64) for number in range(1, 5)))
        columns = zip(self.column(5, 64), self.column(6, 64))
        chain, block, time, found = self.chain, self.block, self.time, []
        for index, (chain_step, block_step, more, time_step) in enumerate(steps):
            if index == 0:
                self.require(chain_step == block_step == time_step == 0, "a first block that is not the head's", 1)
            elif chain_step:
                chain, block, time = chain + chain_step, block_step, signed(unzigzag(time_step), 64)
            else:
                block += block_step + 1
                time = signed(time + self.block_time * (block_step + 1) + unzigzag(time_step), 64)
            self.require(chain < 2**32 and block < 2**64, "a chain or block that is too great", 2)
            self.require(more < self.count - len(found), "more events than the head says", 3)
            log_index = None
            for _ in range(more + 1):
                own, step = next(columns)
                self.require(log_index is not None or own == 0, "the first event of a block has another time", 5)
                log_index = step if log_index is None else log_index + 1 + step
                self.require(log_index < 2**32, "a log index that is too great", 6)
                micros = self.start + signed(time + unzigzag(own), 64) * 10**self.powers[0]
                found.append((chain, block, log_index, micros))
        self.require(len(found) == self.count, "fewer events than the head says", 3)
        return found

    def scaled(self, number, power):
        number = signed(number, 128) * 10**power
        self.require(-(2**127) <= number < 2**127, "a decimal of more than 128 bits", 10)
        return number

    def swaps(self):
        _, amount_power, tokens_power, price_power = self.powers
        exponent = 18 + amount_power - price_power - tokens_power
        divisor = 10**exponent if exponent >= 0 else None
        columns = [self.column(number, bits) for number, bits in ((7, 32), (8, 32), (9, 8), (10, 128), (11, 128), (12, 128))]
        events, prices = [], {}
        for position, token, wallet, side, amount, tokens, step in zip(self.positions(), *columns):
            self.require(side <= 2, f"side {side}", 9)
            tokens = signed(tokens, 128)
            price = prices[token] = signed(prices.get(token, 0) + unzigzag(step), 128)
            if self.forecast:
                forecast = 0
                if divisor and price >= 0 and tokens >= 0:
                    forecast = (price * tokens + divisor // 2) // divisor
                amount = (forecast if forecast < 2**128 else 0) + unzigzag(amount)
            events.append(Swap(*position, token, side, self.scaled(amount, amount_power), self.scaled(tokens, tokens_power),
                               self.scaled(price, price_power), wallet))
        return events

    def transfers(self):
        columns = [self.column(number, bits)
                   for number, bits in ((7, 32), (8, 32), (9, 32), (10, 128), (11, 128), (12, 128), (13, 8))]
        events = []
        for position, token, giver, taker, amount, low, high, has in zip(self.positions(), *columns):
            self.require(has <= 1 and (has or low == high == 0), "an identifier that is none", 13)
            events.append(Transfer(*position, token, self.scaled(amount, self.powers[1]), giver, taker, low + (high << 128) if has else None))
        return events


def segment(file):
    """The swaps and the transfers of a segment."""
    entry, at, found = file.entry, file.footer, ([], [])
    at.require(entry.first % (FOUR_HOURS) == 0 and entry.second == FOUR_HOURS, "not four hours from a multiple of them on", 24)
    for kind, blocks in file.groups({0: 13, 1: 14}):
        blocks[0].require(not (kind == 0 and found[1]), "swaps behind transfers", blocks[0].place)
        events = Group(kind, blocks, entry.first).events
        keys = [event[:3] for event in found[kind][-1:] + events]
        blocks[0].require(all(a < b for a, b in zip(keys, keys[1:])), "events that do not ascend", blocks[0].place)
        times = [event.time for event in events]
        inside = entry.first <= min(times) and max(times) < entry.first + entry.second
        blocks[0].require(inside, "an event outside of the segment's time", blocks[0].place)
        found[kind].extend(events)
    both = found[0] + found[1]
    at.equal(8, len(found[0]), "swaps")
    at.equal(8, len(found[1]), "transfers")
    at.equal(8, min((event.time for event in both), default=FOR_EVER), "earliest", True)
    at.equal(8, max((event.time for event in both), default=NEVER), "latest", True)
    ranges = []
    for kind, events in enumerate(found):
        blocks = {}
        for event in events:
            blocks[event.chain] = (blocks.get(event.chain, (event.block,))[0], event.block)
        ranges += [(chain, kind, first, last) for chain, (first, last) in blocks.items()]
    tokens = sorted({event.token for event in found[0]})
    at.equal(4, len(ranges), "ranges")
    at.equal(4, len(tokens), "tokens")
    for number in ranges:
        for count, expected in zip((4, 4, 8, 8), number):
            at.equal(count, expected, "chain, kind or block of a range")
    steps = [token - before - 1 for before, token in zip([-1] + tokens, tokens)]
    at.require(column(at, len(steps), 32) == steps, "tokens that have no swaps here", at.place)
    at.finish()
    add_up(*found).require(file)
    return found


def add_up(swaps, transfers):
    """What all events add up to."""
    sums = Contents()
    for row in swaps:
        sums.add(1, row.time, row.block, row.chain | row.log_index << 32, row.token | row.wallet << 32, row.side,
                 *halves(row.amount), *halves(row.tokens), *halves(row.price))
    for row in transfers:
        number = 0 if row.identifier is None else row.identifier
        sums.add(2, row.time, row.block, row.chain | row.log_index << 32, row.token | row.giver << 32,
                 row.taker | (0 if row.identifier is None else 1) << 32, *halves(row.amount),
                 *halves(number & 2**128 - 1), *halves(number >> 128))
    return sums
