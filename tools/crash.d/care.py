"""Processes that are killed while they look after a directory: they checkpoint and let segments expire, copy, repair.

Invariant: a round that nobody was killed in counts as none; what is there afterwards is compared byte by byte, or by its digest.
Not here: a writer that only writes (tools/crash), a crash behind every call (CrashPointTests, CopyFaultTests, RepairFaultTests).
"""

import json
import pathlib
import shutil
import signal
import subprocess
import sys
import time

from probe import AHEAD, ROOT, Lost, Writer, check, opened

sys.path.insert(0, str(ROOT / "tools" / "read-kept.d"))

from data import SUFFIXES, Manifest  # noqa: E402

PROGRAM = ROOT / ".build" / "release" / "continuo"
# Seven days, the one that they end in, and the one until the horizon moves, in segments of four hours; a file of bases, and
# names in files of which each is less than half as large as the one before.
SEGMENTS_MAX, OTHERS_MAX = 9 * 6, 24
# What is checked behind each kill grows with the directory.
KILLS_EACH = 25
# The journal's files are 256 KiB long: one in use, one ready, and what 64 KiB more than a checkpoint may have begun.
JOURNAL_FILES_MAX = 5


def run(rounds, randoms, folder):
    place = pathlib.Path(folder) / "care"
    place.mkdir()
    source = checkpoints(rounds, randoms, place)
    backups(rounds, randoms, place, source)
    repairs(rounds, randoms, place, source)
    shutil.rmtree(place)


# MARK: checkpoints, expiry, copies of a directory that is open


def strangers(directory):
    """What is there that the manifest does not name."""
    manifest = Manifest(directory)
    named = {f"{entry.number:08}{SUFFIXES[entry.kind]}" for entry in manifest.files}
    found = [path for path in (directory / "kept").iterdir() if path.name not in named]
    found += [path for path in (directory / "journal").iterdir()
              if path.suffix == ".new" or int(path.stem) < manifest.first_journal]
    return found + list(directory.glob("manifest.new"))


def checkpoints(rounds, randoms, place):
    """Kills writers that do little but checkpoint, so many in a directory; the last one that is left."""
    (steps, written, middle, copies) = (0, 0, 0, [0, 0, 0])
    for first in range(0, rounds, KILLS_EACH):
        directory = place / f"kept-{first}"
        (least, cut) = killed_in(directory, min(KILLS_EACH, rounds - first), randoms, copies)
        manifest = Manifest(directory)
        (steps, written, middle) = (steps + least, written + manifest.next_number - 1, middle + cut)
        if first + KILLS_EACH < rounds:
            shutil.rmtree(directory)
    print(f"killed while checkpointing and expiring: {rounds} rounds, {steps} steps kept, {written} kept files written, "
          f"{len(manifest.files)} there; {middle} in the middle of a checkpoint; copies meanwhile: "
          f"{copies[0]} right, {copies[1]} refused, {copies[2]} not there")
    if written < 2 * SEGMENTS_MAX or (rounds >= 10 and (middle == 0 or copies[0] == 0)):
        raise Lost("hardly a checkpoint was made, or killed, or hardly a copy was made: such kills show nothing")
    return directory


def killed_in(directory, rounds, randoms, copies):
    """Kills one writer after the other; how many steps there are, and how many of them were in a checkpoint."""
    (least, middle) = (0, 0)
    for number in range(rounds):
        writer = Writer(directory, "sync", ahead=(1, AHEAD)[number % 2], course="keep")
        try:
            # What the one before has left takes a while to open.
            while b"open" not in writer.text:
                writer.read(0.02)
            writer.read(randoms.uniform(0.02, 0.4))
        finally:
            writer.end(signal.SIGKILL)
            writer.rest()
        # Not a journal file that was made ahead.
        middle += any(path.parent.name != "journal" for path in strangers(directory))
        least = check(directory, writer.acknowledged(least), course="keep").steps
        copied(directory, least, copies)
        if number % 5 == 4 or number == rounds - 1:
            require_tidy(directory, least)
    return least, middle


def copied(directory, least, counts):
    """Looks at the copies that were made of an open directory: all but the last were finished."""
    copies = sorted(directory.parent.glob(directory.name + "-copy-*"), key=lambda path: int(path.name.split("-")[-1]))
    for copy in copies:
        try:
            steps = check(copy, 0, course="keep").steps
            # What has no lock yet is not there.
            counts[0 if (copy / "lock").exists() else 2] += 1
            if steps > least:
                raise Lost(f"{copy} has {steps} steps, and the directory {least}")
        except Lost as lost:
            refused = "a copy of a data directory that is not finished" in str(lost)
            if copy != copies[-1] or not refused:
                raise
            counts[1] += 1
        shutil.rmtree(copy)


def require_tidy(directory, least):
    """Behind the next writer there is nothing that is not needed."""
    if opened(directory, "keep").steps != least:
        raise Lost(f"a writer does not find the {least} steps that a reader found")
    if found := strangers(directory):
        raise Lost(f"nobody needs these files, and a writer has left them: {[str(path) for path in found]}")
    kept = Manifest(directory).files
    segments = sum(entry.kind == 0 for entry in kept)
    journal = len(list((directory / "journal").iterdir()))
    if segments > SEGMENTS_MAX or len(kept) - segments > OTHERS_MAX or journal > JOURNAL_FILES_MAX:
        raise Lost(f"{segments} segments, {len(kept) - segments} other kept files, {journal} of the journal: it grows")


# MARK: the program


def ran(*arguments):
    """A run of the program to its end: its exit code, its output, its errors."""
    done = subprocess.run([PROGRAM, *map(str, arguments)], capture_output=True, text=True, timeout=120, check=False)
    return done.returncode, done.stdout, done.stderr


def digest(directory):
    """What a directory answers, and how many events it holds; None and the reason where it is not opened."""
    (code, output, errors) = ran("inspect", "--data-dir", directory, "--digest", "--format", "json")
    if code:
        return None, errors
    rows = [json.loads(line) for line in output.splitlines()]
    return tuple(rows[0].get(name) for name in ("swaps", "transfers", "tokens", "state_digest")), ""


def contents(directory):
    """Every file but the lock, and its bytes."""
    return {path.relative_to(directory): path.read_bytes() for path in sorted(directory.rglob("*"))
            if path.is_file() and path.name != "lock"}


def killed(seconds, *arguments):
    """Runs the program, and kills it after some time; whether it was killed."""
    process = subprocess.Popen([PROGRAM, *map(str, arguments)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    time.sleep(seconds)
    process.kill()
    return process.wait() < 0


def seconds_of(*arguments):
    """How long a command takes that succeeds, and what it prints."""
    start = time.monotonic()
    (code, output, errors) = ran(*arguments)
    if code:
        raise Lost(f"continuo {' '.join(map(str, arguments))}: exit {code}: {errors}")
    return time.monotonic() - start, output


# MARK: backups


def backups(rounds, randoms, place, source):
    """Kills `continuo backup`: what is copied stays as it is, the copy is right, refused, or not there."""
    (known, before) = (digest(source)[0], contents(source))
    whole = seconds_of("backup", "--data-dir", source, "--to", place / "whole")[0]
    if digest(place / "whole")[0] != known or contents(place / "whole") != before:
        raise Lost("a backup is not what it is of")
    shutil.rmtree(place / "whole")
    (dead, right, refused, absent) = (0, 0, 0, 0)
    for _ in range(rounds):
        target = place / "backup"
        dead += killed(randoms.uniform(0.1, 1.2) * whole, "backup", "--data-dir", source, "--to", target)
        (found, why) = digest(target)
        right += found is not None
        refused += "a copy of a data directory that is not finished" in why
        absent += why.startswith("continuo: not_found: ")
        if found not in (None, known) or contents(source) != before:
            raise Lost(f"a backup that was killed: {found}, not {known}; or its source has changed")
        if found is None and (target / "manifest").exists():
            raise Lost(f"a backup that was killed is neither a directory nor none: {why}")
        shutil.rmtree(target, ignore_errors=True)
    if right + refused + absent != rounds or (rounds >= 10 and dead == 0):
        raise Lost(f"of {rounds} backups {dead} were killed, {right} are right, {refused} refused, {absent} not there")
    print(f"killed while backing up: {rounds} rounds, {dead} killed; {right} right, {refused} refused, {absent} not there")


# MARK: repairs


def damage(directory, randoms, suffix):
    """Changes a byte of a file of a kind, in its middle; which file."""
    files = sorted(path for path in directory.rglob("*" + suffix) if path.is_file())
    path = randoms.choice(files)
    data = bytearray(path.read_bytes())
    # What is behind the last frame of a journal says nothing.
    end = len(data.rstrip(b"\0"))
    data[randoms.randrange(min(4096, end // 2), end - 16)] ^= 1 << randoms.randrange(8)
    path.write_bytes(data)
    return path


def require_put_by(before, directory, what):
    """Every byte that was there is where it was, or in `damaged/`."""
    copies = {}
    for path in directory.glob("damaged/*/*"):
        copies.setdefault(path.name, []).append(path)
    for name, data in before.items():
        places = [directory / name, *copies.get(name.name, [])]
        if not any(path.exists() and path.read_bytes() == data for path in places):
            raise Lost(f"{what}: {name} is gone")


def repairs(rounds, randoms, place, source):
    """Kills `continuo repair --accept-loss`, and repairs again: what comes of it is what would have come of it at once."""
    (dead, old, new) = (0, 0, 0)
    arguments = ("repair", "--accept-loss", "--format", "csv", "--data-dir")
    for number in range(rounds):
        (damaged, whole, target) = (place / name for name in ("damaged", "repaired", "cut"))
        shutil.copytree(source, damaged)
        # A damaged segment, names, bases, or a journal file that is not kept yet.
        file = damage(damaged, randoms, (*SUFFIXES, ".journal")[number % 4])
        before = contents(damaged)
        shutil.copytree(damaged, whole)
        (seconds, losses) = seconds_of(*arguments, whole)
        wanted = digest(whole)[0]
        what = f"repair of {file.relative_to(damaged)}"
        require_put_by(before, whole, what)
        shutil.copytree(damaged, target)
        dead += killed(randoms.uniform(0.1, 1.2) * seconds, *arguments, target)
        require_put_by(before, target, what)
        isOld = ran("verify", "--data-dir", target)[0] != 0
        again = seconds_of(*arguments, target)[1]
        if (found := digest(target)[0]) != wanted or wanted is None:
            raise Lost(f"{what}: killed and repaired again it is {found}, and at once {wanted}")
        if isOld and again.replace(str(target), "") != losses.replace(str(whole), ""):
            raise Lost(f"{what}: killed and repaired again it loses {again}, and at once {losses}")
        (old, new) = (old + isOld, new + (not isOld))
        # What the next writer removes is put by.
        opened(target, "keep")
        require_put_by(before, target, what)
        if ran("verify", "--data-dir", target)[0] or (left := strangers(target)):
            raise Lost(f"{what}: behind the next writer it is not sound, or has left {left}")
        for path in (damaged, whole, target):
            shutil.rmtree(path)
    print(f"killed while repairing: {rounds} rounds, {dead} killed; {old} left the old directory, {new} the new one")
    if rounds >= 10 and (dead == 0 or old == 0):
        raise Lost("no repair was killed before its end: such kills show nothing")
