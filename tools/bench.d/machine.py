"""The machine that is measured on, and the build that is measured.

Not here: what is measured (measure.py), what it is held to (rows.py).
"""

import os
import re
import subprocess
import sys

# As in tools/machine.sh: another set of them builds everything anew.
TRAITS = ["--traits", "Server,Postgres"]


def build(root, products):
    """Builds what is measured; shows what the build printed only if it fails."""
    environment = dict(os.environ, CONTINUO_BENCHMARKS="1", CONTINUO_STATIC="1")
    for product in products:
        done = subprocess.run(["swift", "build", "-c", "release", *TRAITS, "--product", product], cwd=root, env=environment,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        if done.returncode:
            sys.exit(done.stdout + f"tools/bench: {product} does not build: see above")


def run_once(root, benchmarks):
    """Runs every benchmark of a product of ordo-one/benchmark once on next to nothing."""
    done = subprocess.run([str(root / ".build" / "release" / benchmarks)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          env=dict(os.environ, CONTINUO_BENCHMARKS_TINY="1"), text=True)
    ran = re.findall(r"^Debug results for (.*):$", done.stdout, re.MULTILINE)
    if done.returncode or not ran:
        sys.exit(done.stdout + f"tools/bench: {benchmarks} ended with {done.returncode} after {len(ran)} benchmarks")
    print(f"{benchmarks}: {len(ran)} benchmarks ran once: {'; '.join(ran)}")


def read(path):
    try:
        with open(path, encoding="utf-8") as stream:
            return stream.read()
    except OSError:
        return ""


def load():
    return " ".join(f"{value:.2f}" for value in os.getloadavg())


def described():
    """Processor, cores, memory and load, in a line."""
    model = re.search(r"model name\s*:\s*(.+)", read("/proc/cpuinfo"))
    memory = re.search(r"MemTotal:\s*(\d+)", read("/proc/meminfo"))
    words = [model.group(1) if model else "processor unknown", f"{os.cpu_count()} cores"]
    if memory:
        words.append(f"{int(memory.group(1)) / 2**20:.0f} GiB")
    return ", ".join(words) + f"; load at the start: {load()}"
