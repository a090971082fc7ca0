"""A real process whose calls to the system are interrupted, cut short, or fail, by a library loaded in front of the C library.

Invariant: a run in which nothing was interrupted, cut short or failed shows nothing, and is an error.
Not here: how a call is interposed (Tests/Interposer), a simulated disk's failing calls (DiskFaultTests).
"""

import os
import pathlib
import shutil
import signal
import struct
import subprocess

from probe import AHEAD, ON_LINUX, ROOT, Lost, Writer, check

SOURCE = ROOT / "Tests" / "Interposer" / "interposer.c"
# In the order of the interposer.
KINDS = ["pwrite", "pread", "fdatasync", "fsync", "open", "flock", "statvfs"]
CUT_KINDS = ["pwrite", "pread"]
WORDS = 3 * len(KINDS) + 2
# A start writes a file of zeros: some 70 calls, and two for each step.
CALLS_MAX = 400


class Interposer:
    """The library, compiled, and what it has counted."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder) / "calls"
        self.folder.mkdir()
        self.library = self.folder / "interposer.so"
        self.counts = self.folder / "counts"
        compiler = shutil.which("cc") or shutil.which("clang")
        if not compiler:
            # Swift comes with one, whether it is on the path or not.
            compiler = pathlib.Path(shutil.which("swift")).resolve().parent / "clang"
        subprocess.run([compiler, "-O1", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC", "-o", self.library, SOURCE], check=True)
        self.forget()

    def forget(self):
        self.counts.write_bytes(bytes(4096))

    def environment(self, every=0, seed=0, failing=0):
        return {**os.environ, "LD_PRELOAD": str(self.library), "CONTINUO_FAULTS_PATH": str(self.folder),
                "CONTINUO_FAULTS_EVERY": str(every), "CONTINUO_FAULTS_SEED": str(seed),
                "CONTINUO_FAULTS_FAIL": str(failing), "CONTINUO_FAULTS_COUNTS": str(self.counts)}

    def counted(self):
        """Calls, interrupted ones and those cut short, each by its kind; how many failed, and how many could have."""
        words = struct.unpack(f"={WORDS}Q", self.counts.read_bytes()[:8 * WORDS])
        parts = [dict(zip(KINDS, words[start:start + len(KINDS)])) for start in range(0, 3 * len(KINDS), len(KINDS))]
        return (*parts, words[-2], words[-1])


def interrupted(interposer, rounds, randoms):
    """Kills one writer after the other whose calls are interrupted and cut short."""
    directory = interposer.folder / "interrupted"
    interposer.forget()
    least = 0
    for number in range(rounds):
        environment = interposer.environment(every=2 + number % 4, seed=number)
        writer = Writer(directory, "sync", ahead=(1, AHEAD)[number // 2 % 2], environment=environment)
        try:
            writer.read(randoms.uniform(0.1, 0.5))
        finally:
            writer.end(signal.SIGKILL)
            writer.rest()
        least = writer.acknowledged(least)
        # What is there is there for a reader without the library, and for one whose own calls are cut short.
        least = check(directory, least).steps
        check(directory, least, environment)
    (calls, stopped, cut, _, _) = interposer.counted()
    print(f"interrupted calls: {rounds} rounds, {least} steps kept, {sum(calls.values())} calls; interrupted: "
          + ", ".join(f"{kind} {count}" for kind, count in stopped.items()) + "; cut short: "
          + ", ".join(f"{kind} {cut[kind]}" for kind in CUT_KINDS))
    unmet = [kind for kind in KINDS if not stopped[kind]] + [kind for kind in CUT_KINDS if not cut[kind]]
    if least == 0 or unmet:
        raise Lost(f"no step was taken, or of these no call was met: {unmet}")


def failing(interposer, isBirth):
    """Lets one call after the other fail, once each, until a run meets none; how many did, and how many steps are there."""
    directory = interposer.folder / ("born" if isBirth else "opened")
    least = 0
    for number in range(1, CALLS_MAX):
        if isBirth:
            shutil.rmtree(directory, ignore_errors=True)
            least = 0
        interposer.forget()
        writer = Writer(directory, "sync", steps=3, ahead=2, environment=interposer.environment(failing=number))
        errors = writer.errors()
        least = writer.acknowledged(least)
        (_, _, _, failed, could_fail) = interposer.counted()
        least = check(directory, least).steps
        if not failed:
            if writer.process.returncode or could_fail >= number:
                raise Lost(f"no call failed, and yet: {writer.process.returncode}, {could_fail} calls, {errors}")
            return number - 1, least
        said = "failed: Input/output error (error 5)" in errors and str(interposer.folder) in errors
        if writer.process.returncode != 1 or not said:
            raise Lost(f"call {number} failed, and the writer ended with {writer.process.returncode}: {errors}")
    raise Lost(f"after {CALLS_MAX} calls that failed there is always one more")


def run(rounds, randoms, folder):
    if not ON_LINUX:
        print("interrupted and failing calls: left out: they need Linux")
        return
    interposer = Interposer(folder)
    interrupted(interposer, rounds, randoms)
    (born, _) = failing(interposer, True)
    (opened, least) = failing(interposer, False)
    print(f"failing calls: {born} from a directory's birth on, {opened} from a later start on, each once; {least} steps kept")
    # Sixteen of them fill a journal file with zeros.
    if min(born, opened) < 25:
        raise Lost(f"a start makes more than {min(born, opened)} calls: some were not met")
    shutil.rmtree(interposer.folder)
