"""A process that has too little memory for the directory that it opens, at many limits: it ends, and the directory is what it was.

Invariant: whoever ends well has the right answer; whoever does not has changed nothing but the lock's text.
Not here: how much memory a directory takes (tools/bench), a disk that is full (tools/crash).
"""

import os
import pathlib
import resource
import shutil
import signal
import subprocess

from care import PROGRAM, contents, digest, seconds_of
from probe import ON_LINUX, Lost

# So many with a hundred rounds, fewer with few: each run reads all of them.
EVENTS = 300_000
MIB = 1 << 20
# What a Swift program has mapped before it does anything is less than this, and what it needs in all is far from that.
LEAST, MOST = 16 * MIB, 1024 * MIB
SAID, TRAPPED = "said what is missing", "trapped with a word of it"
TRAPS = (signal.SIGILL, signal.SIGTRAP, signal.SIGABRT, signal.SIGSEGV, signal.SIGBUS, signal.SIGKILL)


def run(rounds, randoms, folder):
    if not ON_LINUX:
        print("too little memory: left out: other systems do not keep the limit")
        return
    place = pathlib.Path(folder) / "memory"
    place.mkdir()
    (tries, events) = (max(2, rounds // 10), EVENTS if rounds >= 100 else EVENTS // 5)
    directory = filled(place, events)
    (known, before, ends) = (digest(directory), contents(directory), {})
    taken = []
    for name, arguments in (("all of them", ranking(directory)), ("some candles", candles(directory))):
        taken.append(f"{name} {read(tries, arguments, directory, before, ends, randoms) >> 20} MiB")
    taken.append(f"a writer {written(tries, place, directory, ends, randoms) >> 20}")
    if digest(directory) != known or contents(directory) != before:
        raise Lost("with enough memory the directory is not what it was")
    if ends.get(TRAPPED, 0) == 0 or ends.get(SAID, 0) + ends[TRAPPED] < 2 * tries:
        raise Lost(f"hardly anything ended for want of memory: {ends}")
    print(f"too little memory: {events} events; it takes for {', '.join(taken)}; with less "
          + ", ".join(f"{count} {how}" for how, count in sorted(ends.items())))
    shutil.rmtree(place)


def filled(place, events):
    """A directory of kept files and a journal behind them."""
    (file, directory) = (place / "market.csv", place / "data")
    seconds_of("load", "--in-process", "--events", events, "--tokens", "50", "--write", file)
    lines = file.read_text().splitlines(keepends=True)
    for number, part in enumerate((lines[1:len(lines) * 4 // 5], lines[len(lines) * 4 // 5:])):
        (place / f"{number}.csv").write_text(lines[0] + "".join(part))
        seconds_of("ingest", "--data-dir", directory, place / f"{number}.csv", "--quiet")
        if number == 0:
            seconds_of("checkpoint", "--data-dir", directory)
    return directory


def ranking(directory):
    """What takes every event."""
    return ["top", "--data-dir", directory, "--limit", "60", "--format", "csv"]


def candles(directory):
    """What takes a part of them."""
    (names, row) = seconds_of(*ranking(directory))[1].splitlines()[:2]
    token = row.split(",")[names.split(",").index("token")]
    return ["candles", "--data-dir", directory, "--token", token, "--limit", "500", "--format", "csv"]


def limited(arguments, limit):
    """A run of the program with so much memory: its exit code, output, errors."""
    def keep():
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    environment = {**os.environ, "SWIFT_BACKTRACE": "enable=no"}
    done = subprocess.run([PROGRAM, *map(str, arguments)], capture_output=True, text=True, timeout=120, check=False,
                          preexec_fn=keep, env=environment)
    return done.returncode, done.stdout, done.stderr


def ended(arguments, limit, ends):
    """Whether a run with so much memory ended well, and its output; else how it ended is counted."""
    (code, output, errors) = limited(arguments, limit)
    if code == 0:
        return output
    if code == 1 and errors.startswith("continuo: "):
        how = SAID
    elif code == 127:
        how = "were not started"
    elif code < 0 and -code in TRAPS:
        how = TRAPPED if errors.strip() else "were ended without a word"
    else:
        raise Lost(f"with {limit >> 20} MiB '{' '.join(map(str, arguments))}' ended with {code}: {errors}")
    ends[how] = ends.get(how, 0) + 1
    return None


def limits(tries, randoms, isEnough):
    """Tries limits, first to find what is enough, then about that; what is enough."""
    (low, high) = (LEAST, MOST)
    while high - low > 2 * MIB:
        middle = (low + high) // 2
        (low, high) = (low, middle) if isEnough(middle) else (middle, high)
    # Under it, it is not always the same that cannot be had.
    for _ in range(tries):
        isEnough(randoms.randrange(high * 2 // 3, high))
    return high


def read(tries, arguments, directory, before, ends, randoms):
    """Runs a command that reads with ever other limits; what it takes."""
    wanted = seconds_of(*arguments)[1]

    def isEnough(limit):
        output = ended(arguments, limit, ends)
        if output not in (None, wanted):
            raise Lost(f"with {limit >> 20} MiB '{' '.join(map(str, arguments))}' gives another answer")
        if contents(directory) != before:
            raise Lost(f"with {limit >> 20} MiB '{' '.join(map(str, arguments))}' has changed the directory")
        return output is not None
    return limits(tries, randoms, isEnough)


def written(tries, place, directory, ends, randoms):
    """Writes into copies with ever other limits, then with enough memory; what that takes."""
    (more, whole, target) = (place / "more.csv", place / "whole", place / "written")
    more.write_text("kind,chain,block,log_index,timestamp,token,amount_usd,price_usd\n"
                    "swap,1,99999999,1,2024-12-01T00:00:00Z,MORE,1,1\n")
    shutil.copytree(directory, whole)
    seconds_of("ingest", "--data-dir", whole, more, "--quiet")
    (known, wanted) = (seconds_of(*ranking(path))[1] for path in (directory, whole))

    def isEnough(limit):
        shutil.copytree(directory, target)
        isDone = ended(["ingest", "--data-dir", target, more, "--quiet"], limit, ends) is not None
        found = seconds_of(*ranking(target))[1]
        # Whoever had enough to open it may have written too.
        if found not in ((wanted,) if isDone else (known, wanted)):
            raise Lost(f"behind a writer with {limit >> 20} MiB a directory is neither what it was nor what it was to be")
        seconds_of("ingest", "--data-dir", target, more, "--quiet")
        if seconds_of(*ranking(target))[1] != wanted or seconds_of("verify", "--data-dir", target)[1] == "":
            raise Lost(f"behind a writer that had {limit >> 20} MiB another one does not go on")
        shutil.rmtree(target)
        return isDone
    return limits(tries, randoms, isEnough)
