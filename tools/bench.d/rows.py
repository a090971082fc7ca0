"""The table: what is measured, the floor and the goal of each row, and how a figure comes from the measurements.

Invariant: a row's figure is the median of its rounds; its best round stands beside it; its baseline is of the same run.
Not here: how runs are made (measure.py).
"""

import statistics
from dataclasses import dataclass, field


@dataclass
class Result:
    row: object
    values: list
    baseline: str
    counts: bool

    @property
    def median(self):
        return statistics.median(self.values)

    @property
    def best(self):
        return max(self.values) if self.row.more else min(self.values)

    @property
    def verdict(self):
        if self.row.floor is None or not self.counts:
            return "–"
        for word, limit in (("goal", self.row.goal), ("floor", self.row.floor)):
            if self.median >= limit if self.row.more else self.median <= limit:
                return word
        return "MISSED"

    def record(self):
        return {"row": self.row.name, "what": self.row.what, "unit": self.row.unit, "median": self.median, "best": self.best,
                "rounds": self.values, "floor": self.row.floor, "goal": self.row.goal, "met": self.verdict,
                "baseline": self.baseline}


@dataclass
class Row:
    """One line of the table; `more` is whether a larger figure is a better one."""

    name: str
    what: str
    unit: str
    floor: float
    goal: float
    more: bool
    figure: object
    baseline: object
    loads: tuple = ()
    latencies: tuple = ()
    files: tuple = field(default=())
    durable: bool = False
    storage: bool = False
    large: bool = False
    service: bool = False
    postgres: bool = False

    def result(self, measured):
        return Result(self, self.figure(measured), self.baseline(measured), counts=not measured.sizes.quick)


def short(value):
    """A figure with three digits or so."""
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.3g}"


def median(values, scale=1.0):
    return short(statistics.median(values) * scale)


def key(measured, load, name):
    return [report[name] for report in measured.loads[load]]


def rate(name, what, load, floor, goal):
    """Millions of events a second of a load, beside copying the same columns and what touching memory cost."""
    return Row(name, what, "M/s", floor, goal, True,
               lambda m: [value / 1e6 for value in key(m, load, "events_per_second")],
               lambda m: f"copying the columns {median(key(m, load, 'copy_events_per_second'), 1e-6)} M/s; "
                         f"touch {median(key(m, load, 'touch_ns_per_byte'))} ns/B",
               loads=(load,))


def memory(name, what, load, floor, goal):
    return Row(name, what, "B", floor, goal, False, lambda m: key(m, load, "resident_bytes_per_event"),
               lambda m: "ten plain columns 94 B", loads=(load,))


def ratio(name, what, load, other, floor, goal, more=True):
    """The rate of one load over that of another, round by round; with `more` false the cost instead."""
    def values(m):
        pairs = zip(key(m, load, "events_per_second"), key(m, other, "events_per_second"))
        return [one / two if more else two / one for one, two in pairs]
    return Row(name, what, "×", floor, goal, more, values,
               lambda m: f"{median(key(m, load, 'events_per_second'), 1e-6)} over "
                         f"{median(key(m, other, 'events_per_second'), 1e-6)} M/s", loads=(load, other))


def latency(name, what, row, percentile, floor, goal, beside, beside_what, unit="µs"):
    """A percentile of Latencies, beside the same percentile of a plain loop."""
    scale = {"µs": 1.0, "ms": 1e-3}[unit]
    return Row(name, what, unit, floor, goal, False,
               lambda m: [value * scale for value in m.latencies[row][percentile]],
               lambda m: f"{beside_what} {median(m.latencies[beside][percentile], scale)} {unit}",
               latencies=(row, beside))


def reading(name, what, percentile, floor, goal):
    return Row(name, what, "µs", floor, goal, False, lambda m: key(m, "reader", percentile),
               lambda m: f"p50 {median(key(m, 'reader', 'read_p50_us'))} µs; without a writer's load "
                         f"{median(key(m, 'warm', percentile))} µs", loads=("reader", "warm"))


def durable(name, what, unit, floor, goal, more, figure, baseline):
    """A figure of Durable, beside another of the same round."""
    return Row(name, what, unit, floor, goal, more, lambda m: [figure(taken) for taken in m.durable],
               lambda m: baseline(lambda key, scale=1.0: median([taken[key] for taken in m.durable], scale)), durable=True)


def storage(name, what, unit, floor, goal, more, figure, baseline):
    """A figure of Storage, beside another of the same round."""
    return Row(name, what, unit, floor, goal, more, lambda m: [figure(taken) for taken in m.storage],
               lambda m: baseline(lambda key, scale=1.0: median([taken[key] for taken in m.storage], scale)), storage=True)


def http(name, what, unit, floor, goal, more, figure, baseline):
    """A figure of the server, beside another of the same round."""
    def of(m):
        return lambda figure, scale=1.0: median([figure(taken) for taken in m.service], scale)
    return Row(name, what, unit, floor, goal, more, lambda m: [figure(taken) for taken in m.service],
               lambda m: baseline(of(m)), service=True)


def postgres(name, what, unit, floor, goal, more, figure, baseline):
    """A figure of a server beside a database, beside another of the same round."""
    def of(m):
        return lambda figure, scale=1.0: median([figure(taken) for taken in m.postgres], scale)
    return Row(name, what, unit, floor, goal, more, lambda m: [figure(taken) for taken in m.postgres],
               lambda m: baseline(of(m)), postgres=True)


def seconds(m, suffix):
    return [taken["seconds"] for taken in m.files[suffix]]


COPY, COPY_DAY, SEARCH = "copying 168 × 80 B", "copying 1,440 × 80 B", "two binary searches"

ALL = [
    rate("ingest-warm", "ingest of W10M, memory that the machine owns", "warm", 6, 12),
    rate("ingest-cold", "the same, memory that the host hands over first", "cold", 3, 6),
    rate("ingest-18", "W10M with 18-digit amounts", "wide", 4, 9),
    rate("ingest-uniform", "W10M, tokens and wallets drawn uniformly", "uniform", None, None),
    Row("csv", "candles --input of the W10M CSV to hourly candles", "s", 4, 2, False, lambda m: seconds(m, "csv"),
        lambda m: f"reading the bytes {median([taken['read_seconds'] for taken in m.files['csv']])} s; "
                  f"{m.files['csv'][0]['lines']:,} lines printed", files=("csv",)),
    memory("memory-8", "resident memory per event, W10M", "warm", 90, 48),
    memory("memory-18", "the same with 18 digits", "wide", 130, 78),
    latency("candles-popular-p50", "168 hourly candles, tokens by popularity, p50", "candles-168h-popular", "p50_us",
            4, 1.2, "copy-168-popular", COPY),
    latency("candles-popular-p99", "the same, p99", "candles-168h-popular", "p99_us", 20, 5, "copy-168-popular", COPY),
    latency("candles-uniform-p50", "168 hourly candles, tokens uniformly, p50", "candles-168h-uniform", "p50_us",
            4, 1.2, "copy-168-uniform", COPY),
    latency("candles-uniform-p99", "the same, p99", "candles-168h-uniform", "p99_us", 20, 5, "copy-168-uniform", COPY),
    latency("minutes-popular", "168 one-minute candles, tokens by popularity, p99", "candles-168m-popular", "p99_us",
            25, 8, "copy-168-popular", COPY),
    latency("minutes-uniform", "the same, tokens uniformly, p99", "candles-168m-uniform", "p99_us", 25, 8,
            "copy-168-uniform", COPY),
    latency("minutes-day", "a day of one-minute candles of the busiest token, p99", "candles-1440m-busiest", "p99_us",
            1_000, 200, "copy-1440", COPY_DAY),
    latency("stats-popular", "24 h statistics at a random instant, by popularity, p99", "stats-popular", "p99_us",
            10, 3, "search-popular", SEARCH),
    latency("stats-uniform", "the same, tokens uniformly, p99", "stats-uniform", "p99_us", 10, 3, "search-uniform",
            SEARCH),
    latency("top-now", "top 100 by volume at the clock, after an idle minute", "top-now", "p50_us", 0.5, 0.03,
            "top-floor", "picking 100 of 10,000 sums", "ms"),
    latency("top-past", "the same at a random past instant", "top-past", "p50_us", 20, 4, "top-floor",
            "picking 100 of 10,000 sums", "ms"),
    reading("reader-p99", "168 hourly candles while ingest runs flat out, p99", "read_p99_us", 200, 8),
    reading("reader-p999", "the same, p99.9", "read_p999_us", 1_000, 50),
    ratio("reader-ingest", "ingest with one reader at full speed over ingest alone", "reader", "warm", 0.7, 0.95),
    rate("transfers-popular", "transfers with holders, names of 20 bytes, wallets by popularity", "transfers", 4, 10),
    rate("transfers-uniform", "the same, wallets and tokens drawn uniformly: nearly every holding is new", "transfers-uniform",
         None, None),
    latency("rollback-last", "rollback of the last 1,000 events", "rollback-last", "p50_us", 2, 0.4, "undo-floor",
            "copying 1,000 × 80 B", "ms"),
    latency("rollback-busiest", "1,000 events of the busiest token across a week retracted", "retract-busiest",
            "p50_us", 2, 0.4, "undo-floor", "copying 1,000 × 80 B", "ms"),
    ratio("duplicates", "1 % duplicates in the stream, rate over none", "duplicates", "warm", 0.9, 0.98),
    ratio("random-order", "the whole stream in random order, rate over arrival order", "random", "warm", 0.1, 0.3),
    Row("ndjson", "NDJSON to applied", "M/s", 1, 3, True,
        lambda m: [m.sizes.ndjson_events / taken / 1e6 for taken in seconds(m, "ndjson")],
        lambda m: "reading the bytes "
                  f"{median([m.sizes.ndjson_events / taken['read_seconds'] / 1e6 for taken in m.files['ndjson']])} M/s",
        files=("ndjson",)),
    durable("durable-ingest", "W10M through a ledger, each batch synced before it is applied", "M/s", 3, 9, True,
            lambda taken: taken["durable_per_second"] / 1e6,
            lambda of: f"in memory {of('in_memory_per_second', 1e-6)} M/s; {of('bare_syncs_per_second')} bare syncs/s"),
    durable("durable-ratio", "the same over ingest in memory", "×", 0.5, 0.8, True,
            lambda taken: taken["durable_per_second"] / taken["in_memory_per_second"],
            lambda of: f"{of('durable_per_second', 1e-6)} over {of('in_memory_per_second', 1e-6)} M/s"),
    durable("durable-bytes", "journal bytes per event", "B", 48, 32, False, lambda taken: taken["journal_bytes_per_event"],
            lambda of: "a row of the CSV 87 B"),
    durable("durable-writers", "commits of 100 writers of one event each over bare syncs of a block", "×", 12, 40, True,
            lambda taken: taken["commits_per_second"] / taken["bare_syncs_per_second"],
            lambda of: f"{of('commits_per_second')} over {of('bare_syncs_per_second')} a second"),
    durable("durable-p99", "how long such a commit takes, p99", "ms", 5, 2, False, lambda taken: taken["commit_p99_us"] / 1e3,
            lambda of: f"{of('bare_syncs_per_second')} bare syncs/s"),
    durable("durable-restore", "bringing W10M back from the journal", "M/s", 3, 8, True,
            lambda taken: taken["restored_per_second"] / 1e6,
            lambda of: f"in memory {of('in_memory_per_second', 1e-6)} M/s"),
    storage("storage-bytes", "W10M's raw events in segments, as allocated", "B", 12, 9.8, False,
            lambda taken: taken["raw_bytes_per_event"], lambda of: "entropy 9.0 B"),
    storage("storage-start", "from exec to the newest candle of a token, journal of 15 MiB behind W10M, from a cold disk where it may be", "ms", 80, 20,
            False, lambda taken: taken["tail_ms"],
            lambda of: f"the slowest of nine tokens {of('tail_longest_ms')} ms; without a journal {of('first_ms')} and "
                       f"{of('first_longest_ms')} ms, 24 candles {of('day_ms')} ms"),
    storage("storage-restore", "bringing all of W10M back, to its last event", "s", 1, 0.2, False,
            lambda taken: taken["restore_seconds"], lambda of: f"{of('full_seconds')} s to write it"),
    Row("storage-start-50m", "the same of 50 M events", "ms", 90, 22, False, lambda m: [m.large["tail_ms"]],
        lambda m: f"the slowest of nine tokens {short(m.large['tail_longest_ms'])} ms", large=True),
    storage("storage-ready", "from exec behind kill -9 at full rate to all of W10M, to its last event", "s", 1, 0.2, False,
            lambda taken: taken["ready_seconds"], lambda of: f"{of('ready_journal_bytes', 2**-20)} MiB of journal were behind"),
    storage("storage-decode", "all kept files decoded and checked, a second of one core", "M/s", 6, 18, True,
            lambda taken: taken["events"] / taken["decode_seconds"] / 1e6,
            lambda of: f"and an engine made of it, of both cores together {of('restore_busy_seconds')} s"),
    storage("storage-share", "bytes of a checkpoint behind 100,000 events more, over a full one", "%", 4, 1.6, False,
            lambda taken: 100 * taken["more_bytes"] / taken["full_bytes"],
            lambda of: f"{of('more_bytes', 1e-6)} of {of('full_bytes', 1e-6)} MB"),
    storage("storage-share-time", "the same of the time", "%", 4, 1.6, False,
            lambda taken: 100 * taken["more_seconds"] / taken["full_seconds"],
            lambda of: f"{of('more_seconds', 1e3)} of {of('full_seconds', 1e3)} ms"),
    storage("storage-stall", "the longest batch beside checkpoints, beyond the longest without", "ms", 50, 5, False,
            lambda taken: taken["with_longest_ms"] - taken["without_longest_ms"],
            lambda of: f"{of('with_longest_ms')} and {of('without_longest_ms')} ms"),
    storage("storage-stall-p999", "p99.9 of a batch beside checkpoints, three on their way", "ms", 15, 2, False,
            lambda taken: taken["with_p999_ms"], lambda of: f"without checkpoints {of('without_p999_ms')} ms"),
    storage("storage-beside", "durable ingest beside checkpoints over ingest without", "×", 0.8, 0.95, True,
            lambda taken: taken["with_per_second"] / taken["without_per_second"],
            lambda of: f"{of('with_per_second', 1e-6)} over {of('without_per_second', 1e-6)} M/s"),
    http("http-candles", "168 candles as JSON, another token each time, over a ready-made body of their length", "×", 0.5, 0.85, True,
         lambda taken: taken["candles_per_second"] / taken["ready_made_per_second"],
         lambda of: f"{of(lambda t: t['candles_per_second'])} over {of(lambda t: t['ready_made_per_second'])} a second, "
                    f"{of(lambda t: t['length'], 1e-3)} kB, {of(lambda t: t['tokens'])} tokens"),
    http("http-p99", "168 candles at half of that rate, from when each was due, p99", "ms", 4, 1, False,
         lambda taken: taken["paced"]["p99_us"] / 1e3,
         lambda of: f"p50 {of(lambda t: t['paced']['p50_us'], 1e-3)} ms; the ready-made body "
                    f"{of(lambda t: t['paced_ready_made']['p99_us'], 1e-3)} ms"),
    http("http-p99-posting", "the same while 200,000 swaps a second are posted", "ms", 15, 3, False,
         lambda taken: taken["paced_beside"]["p99_us"] / 1e3,
         lambda of: f"p50 {of(lambda t: t['paced_beside']['p50_us'], 1e-3)} ms; "
                    f"{of(lambda t: t['posted_per_second'], 1e-3)} k/s were posted"),
    http("http-events", "events posted as NDJSON, durable, one connection, batches of 5,000", "k/s", 400, 1200, True,
         lambda taken: taken["events"]["per_second"] / 1e3,
         lambda of: f"the same with --durability none {of(lambda t: t['events_in_memory'], 1e-3)} k/s"),
    http("http-stream", "1,000 readers of a token, a swap each 100 ms: from posting it to reading it, p99", "ms", 320, 275, False,
         lambda taken: taken["stream"]["p99_ms"],
         lambda of: f"p50 {of(lambda t: t['stream']['p50_ms'])} ms; {of(lambda t: t['stream']['updates'])} updates"),
    http("http-stream-unbatched", "the same with --stream-window 0", "ms", 80, 40, False, lambda taken: taken["unbatched"]["p99_ms"],
         lambda of: f"p50 {of(lambda t: t['unbatched']['p50_ms'])} ms; {of(lambda t: t['unbatched']['updates'])} updates"),
    http("http-ready", "from exec to ready with W10M (/readyz): files looked at, candles answered", "ms", 150, 40, False,
         lambda taken: taken["ready_seconds"] * 1e3,
         lambda of: f"reading the directory's bytes {of(lambda t: t['directory_read_seconds'], 1e3)} ms"),
    http("http-first", "from exec to the first 168 candles of a token", "ms", None, None, False,
         lambda taken: taken["candles_seconds"] * 1e3, lambda of: "–"),
    http("http-whole", "from exec to the first answer that needs all of W10M, a ranking", "ms", None, None, False,
         lambda taken: taken["whole_seconds"] * 1e3, lambda of: "–"),
    http("http-end", "from SIGTERM to the end with 1,000 streams", "s", 2, 2, False, lambda taken: taken["end_seconds"],
         lambda of: "–"),
    postgres("postgres-candles", "candle rows upserted, over psql merging the same rows from a temporary table in one statement", "×", 0.5, 1, True,
             lambda taken: taken["merge_seconds"] / taken["candles_seconds"],
             lambda of: f"{of(lambda t: t['candles'] / t['candles_seconds'], 1e-3)} over "
                        f"{of(lambda t: t['candles'] / t['merge_seconds'], 1e-3)} k/s, {of(lambda t: t['candles'])} rows"),
    postgres("postgres-candle-p99", "an insert committed to its candle readable at 5,000 rows a second, p99", "ms", 200, 20, False,
             lambda taken: taken["candle_p99"] * 1e3,
             lambda of: f"p50 {of(lambda t: t['candle_p50'], 1e3)} ms; the latest commit began {of(lambda t: t['latest_commit'], 1e3)} ms late"),
    postgres("postgres-summary-p99", "the same to its summary row visible in the database", "ms", 1000, 300, False,
             lambda taken: taken["summary_p99"] * 1e3, lambda of: f"p50 {of(lambda t: t['summary_p50'], 1e3)} ms"),
    postgres("postgres-snapshot", "the first snapshot, from exec to following, over COPY … TO STDOUT to nothing", "×", 0.5, 0.9, True,
             lambda taken: taken["copy_seconds"] / taken["snapshot_seconds"],
             lambda of: f"{of(lambda t: t['snapshot_seconds'])} s for {of(lambda t: t['rows'], 1e-6)} M rows, COPY "
                        f"{of(lambda t: t['copy_seconds'])} s, in binary {of(lambda t: t['copy_binary_seconds'])}"),
    postgres("postgres-stream", "changes of a log applied, over pg_recvlogical to nothing", "×", 0.5, 0.9, True,
             lambda taken: taken["received_seconds"] / taken["streamed_seconds"],
             lambda of: f"{of(lambda t: t['streamed'] / t['streamed_seconds'], 1e-3)} over "
                        f"{of(lambda t: t['streamed'] / t['received_seconds'], 1e-3)} k rows/s"),
    postgres("postgres-paused", "events posted while the database stands still, over a server without one", "×", 0.95, 1, True,
             lambda taken: taken["paused_per_second"] / taken["alone_per_second"],
             lambda of: f"{of(lambda t: t['paused_per_second'], 1e-3)} over {of(lambda t: t['alone_per_second'], 1e-3)} k/s"),
    ratio("growth-events", "cost per event, 10 M over 1 M events", "warm", "small", 1.5, 1.2, more=False),
    ratio("growth-tokens", "cost per event, 10,000 over 100 tokens", "warm", "few-tokens", 2, 1.4, more=False),
]


def table(results):
    """The rows as Markdown that is aligned for people too."""
    def limit(value):
        return "–" if value is None else short(value)
    lines = [["row", "what", "median", "best", "floor", "goal", "met", "baseline"]]
    for result in results:
        row = result.row
        lines.append([row.name, row.what, f"{short(result.median)} {row.unit}", short(result.best), limit(row.floor),
                      limit(row.goal), result.verdict, result.baseline])
    widths = [max(len(line[column]) for line in lines) for column in range(len(lines[0]))]
    lines.insert(1, ["-" * width for width in widths])
    return "\n".join("| " + " | ".join(cell.ljust(width) for cell, width in zip(line, widths)) + " |" for line in lines)
