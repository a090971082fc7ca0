"""Runs of the program, of Latencies, of Durable, of Storage and of a server, each once for all rows that need it, rounds taking turns.

Invariant: in a round every run happens once, so that a busy minute of the machine falls on all of them alike.
Not here: what the figures are held to (rows.py), the server's part (service.py), that beside a database (postgres.py).
"""

import json
import pathlib
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass

from postgres import PostgresRun
from service import ServiceRun

# Loads by name: what 'continuo load --in-process' is given besides the number of events.
LOADS = {
    "warm": [],
    "cold": ["--cold"],
    "wide": ["--digits", "18"],
    "uniform": ["--uniform"],
    "duplicates": ["--duplicates", "1%"],
    "random": ["--order", "random"],
    "transfers": ["--transfers", "--addresses"],
    "transfers-uniform": ["--transfers", "--addresses", "--uniform"],
    "small": [],
    "few-tokens": ["--tokens", "100"],
    "reader": ["--readers", "1"],
}
# Memory that was freed goes back to the host within so many seconds.
COLD_SECONDS = 25
BLOCK_BYTES = 256 * 1024


@dataclass
class Sizes:
    """How much is measured, how often."""

    quick: bool
    rounds: int

    @property
    def events(self):
        return 20_000 if self.quick else 10_000_000

    def of_load(self, name):
        return self.events // 10 if name == "small" else self.events

    @property
    def ndjson_events(self):
        return self.events // 5

    @property
    def commits(self):
        return 500 if self.quick else 100_000

    @property
    def calls(self):
        return 200 if self.quick else 20_000


class Measurements:
    """Everything that was measured, by the name of the run."""

    def __init__(self, root, sizes):
        self.programs = root / ".build" / "release"
        self.sizes = sizes
        self.loads, self.latencies, self.files, self.durable, self.storage = {}, {}, {}, [], []
        self.columns, self.large, self.service, self.postgres = {}, {}, [], []

    def __enter__(self):
        self.folder = tempfile.TemporaryDirectory(prefix="continuo-bench-")
        return self

    def __exit__(self, *_):
        self.folder.cleanup()

    def can(self, row):
        """Whether the program can do what a row needs; says so if not."""
        if "reader" not in row.loads:
            return True
        if "--readers" in self.run("continuo", "load", "--help"):
            return True
        print(f"{row.name}: left out, 'continuo load' has no --readers")
        return False

    def take(self, rows):
        """Measures what the rows need."""
        loads = sorted({name for row in rows for name in row.loads}, key=list(LOADS).index)
        latencies = sorted({name for row in rows for name in row.latencies})
        files = sorted({name for row in rows for name in row.files})
        for suffix in files:
            self.write(suffix)
        for number in range(1, self.sizes.rounds + 1):
            for name in loads:
                self.say(f"round {number} of {self.sizes.rounds}: load {name}")
                self.loads.setdefault(name, []).append(self.load(name))
            for suffix in files:
                self.say(f"round {number} of {self.sizes.rounds}: {suffix}")
                self.files.setdefault(suffix, []).append(self.read(suffix))
        if latencies:
            self.say("latencies")
            lines = self.run("Latencies", "--events", self.sizes.events, "--rounds", self.sizes.rounds,
                             "--calls", self.sizes.calls, *latencies)
            self.latencies = {line["row"]: line for line in map(json.loads, lines.splitlines())}
        if any(row.durable for row in rows):
            self.say("durable")
            lines = self.run("Durable", self.folder.name, "--events", self.sizes.events, "--rounds", self.sizes.rounds,
                             "--commits", self.sizes.commits)
            self.durable = [json.loads(line) for line in lines.splitlines()]
        if any(row.storage for row in rows):
            self.say("storage")
            lines = self.run("Storage", self.folder.name, "--events", self.sizes.events, "--rounds", self.sizes.rounds)
            first, *rounds = [json.loads(line) for line in lines.splitlines()]
            self.columns, self.storage = first["bits_per_event"], rounds
        if any(row.large for row in rows):
            self.say("storage, five times as large")
            self.large = json.loads(self.run("Storage", self.folder.name, "first", "--events", 5 * self.sizes.events))
        if any(row.service for row in rows):
            self.say("the server's market")
            run = ServiceRun(self.programs.parent.parent, self.folder.name, self.sizes, self.run)
            for number in range(1, self.sizes.rounds + 1):
                self.say(f"round {number} of {self.sizes.rounds}: the server")
                self.service.append(run.round())
        if any(row.postgres for row in rows):
            self.say("a database")
            run = PostgresRun(self.programs.parent.parent, self.folder.name, self.sizes)
            try:
                for number in range(1, self.sizes.rounds + 1):
                    self.say(f"round {number} of {self.sizes.rounds}: beside a database")
                    self.postgres.append(run.round())
            finally:
                run.end()
        self.say("")

    def say(self, text):
        if sys.stderr.isatty():
            sys.stderr.write(f"\r\033[K{text}")
            sys.stderr.flush()

    def run(self, program, *arguments):
        """What a program of ours prints; ends everything if it fails."""
        words = [str(self.programs / program)] + [str(argument) for argument in arguments]
        done = subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        if done.returncode:
            sys.exit(f"{done.stderr}tools/bench: '{' '.join(words[1:])}' of {program} ended with {done.returncode}")
        return done.stdout

    def load(self, name):
        if "--cold" in LOADS[name] and not self.sizes.quick:
            time.sleep(COLD_SECONDS)
        events = self.sizes.of_load(name)
        report = json.loads(self.run("continuo", "load", "--in-process", "--events", events, "--format", "json",
                                     *LOADS[name]))
        if report["accepted"] != events or report["rejected"]:
            sys.exit(f"tools/bench: load {name}: {report['accepted']} of {events} events accepted")
        return report

    # Files of the market: written once, read by the program and by a plain loop.

    def path(self, suffix):
        return pathlib.Path(self.folder.name) / f"market.{suffix}"

    def write(self, suffix):
        events = self.sizes.events if suffix == "csv" else self.sizes.ndjson_events
        self.run("continuo", "load", "--write", self.path(suffix), "--events", events)

    def read(self, suffix):
        """Seconds of the program over the file, seconds of reading its bytes, and what the program printed."""
        command = ["candles", "--interval", "1h", "--format", "csv", "--input"] if suffix == "csv" else ["ingest"]
        printed = pathlib.Path(self.folder.name) / "printed"
        with open(printed, "wb") as output:
            start = time.monotonic()
            done = subprocess.run([str(self.programs / "continuo"), *command, str(self.path(suffix)), "--quiet"],
                                  stdout=output)
            seconds = time.monotonic() - start
        if done.returncode:
            sys.exit(f"tools/bench: continuo {command[0]} ended with {done.returncode}")
        with open(printed, "rb") as stream:
            lines = sum(block.count(b"\n") for block in iter(lambda: stream.read(1 << 20), b""))
        start = time.monotonic()
        buffer = bytearray(BLOCK_BYTES)
        with open(self.path(suffix), "rb", buffering=0) as stream:
            while stream.readinto(buffer):
                pass
        return {"seconds": seconds, "read_seconds": time.monotonic() - start, "lines": lines}
