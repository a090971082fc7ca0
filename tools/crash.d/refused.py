"""Directories that a real process may not write, or not see: the error names the path and the call, and nothing is changed.

Invariant: what was there before is there after, byte for byte, with its owner and mode; the lock's own bytes say who came last.
Not here: who may write beside whom (DataDirectoryTests).
"""

import os
import pathlib
import shutil
import subprocess
import zlib
from dataclasses import dataclass
from typing import Callable, Optional

from probe import PROBE, Lost

# Nobody's, whom no file here belongs to unless it is given to him.
USER = 65534
STEPS = 5


def run(folder, may_mount):
    if os.geteuid() != 0:
        print("directories that refuse: left out, not root: the superuser has to become somebody else for it")
        return
    place = pathlib.Path(folder) / "refused"
    place.mkdir()
    # The folder is root's alone: others may pass through it now, and find a program to run.
    os.chmod(folder, 0o711)
    os.chmod(place, 0o755)
    program = shutil.copy(PROBE, place / "LedgerProbe")
    for case in CASES:
        as_somebody_else(program, place, case)
    passable(program, place)
    if may_mount:
        read_only(program, place)
    print(f"directories that refuse: {'; '.join(case.name for case in CASES)}{'; a mount that is read only' if may_mount else ''}: nothing changed")
    shutil.rmtree(place)


def took(program, arguments, user):
    """A run of the probe: its exit status, what it printed, what it said of errors."""
    who = {} if user is None else {"user": user, "group": user, "extra_groups": []}
    done = subprocess.run([program, *arguments], capture_output=True, text=True, timeout=60, check=False, **who)
    return done.returncode, done.stdout, done.stderr


def written(program, data, user):
    """A data directory of some steps."""
    (code, _, errors) = took(program, ["write", data, "sync", str(STEPS)], user)
    if code:
        raise Lost(f"{data}: user {user} cannot write where he should: {errors}")


def seen(place):
    """All that is in a place: owners, modes, and bytes, but for a lock's."""
    found = {}
    for path in [place, *place.rglob("*")]:
        status = path.lstat()
        known = path.is_file() and path.name != "lock"
        found[path] = (status.st_uid, oct(status.st_mode), zlib.crc32(path.read_bytes()) if known else None)
    return found


def require(program, place, arguments, user, call, at, why):
    """Runs what must fail at a path with a call, and leaves all as it is."""
    before = seen(place)
    (code, _, errors) = took(program, arguments, user)
    if code != 1 or f"{place / at}: {call} failed: {why} (error " not in errors:
        raise Lost(f"{arguments[0]}: {call} on {at} should fail ({why}): exit {code}, {errors.strip()}")
    if seen(place) != before:
        raise Lost(f"{arguments[0]} failed at {at}, and has changed something")


@dataclass(frozen=True)
class Case:
    """One way to have no permission: what is done to a directory, and what a writer and a reader fail at then."""

    name: str
    # Whose the directory is before; None: there is none.
    owner: Optional[int]
    # Is given the parent, the directory, and the journal's first file.
    arrange: Callable
    # A call and a path below the parent; a reader that fails at none reads.
    writing: tuple
    reading: Optional[tuple] = None


def lock_up(home, data, _):
    for path in data.rglob("*"):
        path.chmod(0o500 if path.is_dir() else 0o400)
    data.chmod(0o500)


def close_parent(home, data, _):
    home.chmod(0o700)


def take_file(home, data, file):
    os.chown(file, 0, 0)


FILE = "data/journal/00000001.journal"
CASES = [
    Case("modes 0500 and 0400", USER, lock_up, ("open", "data/lock")),
    Case("a parent that is closed", USER, close_parent, ("mkdir", "data"), ("opendir", "data")),
    Case("root's directory", 0, lambda *paths: None, ("open", "data/lock"), ("opendir", "data")),
    Case("none in root's parent", None, lambda *paths: None, ("mkdir", "data")),
    Case("root's manifest", USER, lambda home, data, _: os.chown(data / "manifest", 0, 0), ("open", "data/manifest"),
         ("open", "data/manifest")),
    Case("a directory of 0500", USER, lambda home, data, _: data.chmod(0o500), ("open", "data/manifest.new")),
    Case("a journal file of 0400", USER, lambda home, data, file: file.chmod(0o400), ("open", FILE)),
    Case("root's journal file", USER, take_file, ("open", FILE), ("open", FILE)),
    Case("a journal of 0500", USER, lambda home, data, file: file.parent.chmod(0o500),
         ("open", "data/journal/00000001.new")),
]


def as_somebody_else(program, place, case):
    home = place / "home"
    home.mkdir(mode=0o755)
    data = home / "data"
    if case.owner is not None:
        os.chown(home, case.owner, case.owner)
        written(program, data, case.owner)
        os.chown(home, 0, 0)
    case.arrange(home, data, home / FILE)
    require(program, home, ["write", data, "sync", "1"], USER, *case.writing, "Permission denied")
    if case.reading:
        require(program, home, ["check", data, str(STEPS)], USER, *case.reading, "Permission denied")
    elif case.owner is not None:
        require_readable(program, data, USER)
    shutil.rmtree(home)


def passable(program, place):
    """A parent that may be passed and not listed is enough for a directory that is there."""
    home = place / "home"
    home.mkdir()
    os.chown(home, USER, USER)
    written(program, home / "data", USER)
    os.chown(home, 0, 0)
    home.chmod(0o711)
    (code, _, errors) = took(program, ["write", home / "data", "sync", "1"], USER)
    if code:
        raise Lost(f"a parent of mode 0711 refuses a directory that is there: {errors.strip()}")
    require(program, home, ["write", home / "new", "sync", "1"], USER, "mkdir", "new", "Permission denied")
    shutil.rmtree(home)


def require_readable(program, data, user):
    """What may only be read is read."""
    (code, output, errors) = took(program, ["check", data, str(STEPS)], user)
    if code or output.split() != [str(STEPS), "0"]:
        raise Lost(f"{data}: what may be read is not: {errors.strip()}")


def read_only(program, place):
    """A mount that turns read only: it is read as before, and takes nothing."""
    mount = place / "mount"
    mount.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=200m,mode=755", "tmpfs", mount], check=True)
    try:
        data = mount / "data"
        written(program, data, None)
        subprocess.run(["mount", "-o", "remount,ro", mount], check=True)
        require(program, mount, ["write", data, "sync", "1"], None, "open", "data/lock", "Read-only file system")
        require(program, mount, ["write", mount / "new", "sync", "1"], None, "mkdir", "new", "Read-only file system")
        require_readable(program, data, None)
    finally:
        subprocess.run(["umount", mount], check=True)
