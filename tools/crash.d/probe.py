"""The process that tools/crash works on, what it has said, and what is there afterwards.

Invariant: a step counts as acknowledged once the whole line that says so was read.
Not here: what is done to the process and its disk (tools/crash, calls.py, refused.py).
"""

import os
import pathlib
import select
import subprocess
import sys
import time
from dataclasses import dataclass

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
PROBE = ROOT / ".build" / "release" / "LedgerProbe"
ON_LINUX = sys.platform.startswith("linux")
# How many steps a writer offers before it waits for the first, so that frames hold several.
AHEAD = 8


class Lost(Exception):
    pass


class Writer:
    """A process that takes steps, and what it has said of them."""

    def __init__(self, directory, durability, steps=0, ahead=1, environment=None, course="write", **how):
        self.process = subprocess.Popen([PROBE, course, directory, durability, str(steps), str(ahead)],
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment, **how)
        self.text = b""

    def read(self, seconds):
        end = time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            ready, _, _ = select.select([self.process.stdout], [], [], left)
            if ready:
                piece = os.read(self.process.stdout.fileno(), 1 << 16)
                if not piece:
                    raise Lost(f"the writer ended: {self.process.stderr.read().decode()}")
                self.text += piece

    def end(self, number):
        """Sends the signal; what it wrote before is still read."""
        self.process.send_signal(number)

    def rest(self):
        self.text += self.process.stdout.read()
        self.process.wait()

    def errors(self, seconds=120):
        """Waits for its end; what it said on its error output."""
        (output, errors) = self.process.communicate(timeout=seconds)
        self.text += output
        return errors.decode()

    def acknowledged(self, before):
        """How many steps are acknowledged: a line that is not whole says nothing."""
        lines = self.text.split(b"\n")[:-1]
        if not lines:
            return before
        return int(lines[0].split()[1]) if len(lines) == 1 else int(lines[-1]) + 1


@dataclass(frozen=True)
class Run:
    """A process that has ended: what it printed, and what it took."""

    steps: int
    torn: int
    seconds: float
    # Of processors: what others take from us does not count.
    busy: float
    memory: int


def ran(arguments, environment=None):
    """Runs the probe to its end.

    Raises Lost if it says that something is wrong.
    """
    start = time.monotonic()
    process = subprocess.Popen([PROBE, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment)
    # Both outputs are a line or two: neither fills a pipe.
    with process.stdout, process.stderr:
        (output, errors) = (process.stdout.read().decode(), process.stderr.read().decode())
    (_, status, usage) = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    seconds = time.monotonic() - start
    if process.returncode:
        said = errors.strip().splitlines()[0] if errors.strip() else process.returncode
        raise Lost(f"LedgerProbe {' '.join(arguments)}: {said}")
    (steps, torn) = map(int, output.split())
    return Run(steps, torn, seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * (1024 if ON_LINUX else 1))


def check(directory, least, environment=None, course="write"):
    """How many steps are in a directory: `least`, or it is lost."""
    return ran(["check", str(directory), str(least), course], environment)


def opened(directory, course="write"):
    """What opening a directory for writing takes."""
    return ran(["open", str(directory), course])


def replayed(steps):
    """The same steps, taken in memory."""
    return ran(["replay", str(steps)])
