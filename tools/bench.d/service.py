"""The server under load from other processes on the same cores: candles, events, streams, its start and its end.

Invariant: every round begins with the market as it was written, on a server of its own; what was posted goes with its directory.
Not here: what the figures are held to (rows.py), the load itself (Benchmarks/Service, wrk with paths.lua).
"""

import http.client
import json
import pathlib
import shutil
import signal
import socket
import subprocess
import sys
import time

CANDLES = 168
# Connections of wrk, which waits for each answer; half of them wait for a core.
CONNECTIONS = 16
# What the server gives out as it lies: the chart's code, here a file of the length of an answer.
READY_MADE = "lightweight-charts.js"
POSTED_PER_SECOND = 200_000
PATIENCE = 60


class Server:
    """`continuo serve` on a free port, from exec to its end: lent when all of its directory is there."""

    def __init__(self, programs, directory, *arguments, waits=True, path=None):
        self.started = time.monotonic()
        self.process = subprocess.Popen(
            [str(programs / "continuo"), "serve", "--data-dir", str(directory), "--listen", "127.0.0.1:0", "--log-level", "error",
             *map(str, arguments)], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        self.process.stdout.readline()
        url = self.process.stdout.readline().strip()
        if not url:
            sys.exit(f"tools/bench: the server on {directory} ended with {self.process.wait()}")
        self.port = int(url.rsplit(":", 1)[1])
        while waits and self.get("/readyz")[0] != 200:
            time.sleep(0.001)
        self.ready = time.monotonic() - self.started
        if waits and path:
            # What a part of the directory is enough for, and what needs all of it.
            self.json(path)
            self.candles = time.monotonic() - self.started
        if waits:
            self.json("/v1/top")
            self.whole = time.monotonic() - self.started

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.end()

    def get(self, path):
        """Status and body of an answer."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()

    def json(self, path):
        status, body = self.get(path)
        if status != 200:
            sys.exit(f"tools/bench: {path}: {status} {body[:300]!r}")
        return json.loads(body)

    def end(self):
        """Seconds from SIGTERM to the process's end."""
        if self.process.poll() is not None:
            return 0.0
        start = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        status = self.process.wait(PATIENCE)
        seconds = time.monotonic() - start
        if status:
            sys.exit(f"tools/bench: the server ended with {status}")
        return seconds


class ServiceRun:
    """The market in a directory, and what is asked of a server on it."""

    def __init__(self, root, folder, sizes, run):
        if not shutil.which("wrk"):
            sys.exit("tools/bench: wrk is not here: apt-get install wrk")
        self.programs = root / ".build" / "release"
        self.script = root / "tools" / "bench.d" / "paths.lua"
        self.folder = pathlib.Path(folder) / "service"
        self.quick, self.seconds = sizes.quick, 1 if sizes.quick else 4
        self.readers, self.swaps = (20, 5) if sizes.quick else (1000, 50)
        self.folder.mkdir()
        self.assets, self.market = self.folder / "assets", self.folder / "market"
        self.assets.mkdir()
        text = self.folder / "market.csv"
        run("continuo", "load", "--write", text, "--events", sizes.events)
        run("continuo", "ingest", "--data-dir", self.market, text, "--quiet")
        text.unlink()
        self.prepare()

    def prepare(self):
        """Finds the tokens with as many candles as are asked for; puts a file of their mean length beside them."""
        with Server(self.programs, self.market) as server:
            names, cursor = [], ""
            while cursor is not None:
                answer = server.json(f"/v1/tokens?limit=5000{cursor}")
                names += [token["token"] for token in answer["tokens"]]
                cursor = answer["next"] and "&cursor=" + answer["next"]
            found = []
            for name in names[:200] if self.quick else names:
                path = f"/v1/tokens/{name}/candles?interval=1h&limit={CANDLES}"
                body = server.get(path)[1]
                found.append((body.count(b'"bucket"'), len(body), path))
            self.newest = server.json("/v1/inspect?time=s")["newest"]
        most = max(found)[0]
        chosen = [(length, path) for count, length, path in found if count == most]
        self.length = sum(length for length, _ in chosen) // len(chosen)
        self.tokens = len(chosen)
        self.path = chosen[0][1]
        self.token = self.path.split("/")[3]
        (self.assets / READY_MADE).write_bytes(b" " * self.length)
        (self.folder / "candles").write_text("\n".join(path for _, path in chosen) + "\n")
        (self.folder / "ready-made").write_text(f"/page/{READY_MADE}\n")

    def round(self):
        taken = {"length": self.length, "tokens": self.tokens}
        start = time.monotonic()
        for path in self.market.rglob("*"):
            if path.is_file():
                path.read_bytes()
        taken["directory_read_seconds"] = time.monotonic() - start
        with Server(self.programs, self.market, "--assets", self.assets, path=self.path) as server:
            taken["ready_seconds"], taken["candles_seconds"], taken["whole_seconds"] = server.ready, server.candles, server.whole
            self.read(server, taken)
        posted = self.folder / "posted"
        shutil.copytree(self.market, posted)
        with Server(self.programs, posted) as server:
            self.post(server, taken)
            taken["stream"] = self.service("streams", server, self.token, *self.streams(1))
            taken["end_seconds"] = self.end(server)
        with Server(self.programs, posted, "--stream-window", 0, "--durability", "none") as server:
            taken["events_in_memory"] = self.service("post", server, *self.swaps_of_a_day(3))["per_second"]
            taken["unbatched"] = self.service("streams", server, self.token, *self.streams(2))
        shutil.rmtree(posted)
        return taken

    # Candles.

    def read(self, server, taken):
        # Twice in turns, so that a busy moment falls on both.
        self.wrk(server, "candles", 1)
        rates = {name: [] for name in ("candles", "ready-made")}
        for _ in range(2):
            for name, rate in rates.items():
                rate.append(self.wrk(server, name, self.seconds))
        taken["candles_per_second"], taken["ready_made_per_second"] = (max(rate) for rate in rates.values())
        taken["half"] = max(50, int(taken["candles_per_second"] / 2))
        taken["paced"] = self.paced(server, "candles", taken["half"])
        taken["paced_ready_made"] = self.paced(server, "ready-made", taken["half"])

    def wrk(self, server, name, seconds):
        """Answers a second, as many as there can be."""
        command = ["wrk", "--threads", "1", "--connections", str(CONNECTIONS), "--duration", f"{seconds}s",
                   "--script", str(self.script), f"http://127.0.0.1:{server.port}", "--", str(self.folder / name)]
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        if done.returncode:
            sys.exit(f"{done.stderr}tools/bench: wrk ended with {done.returncode}")
        said = json.loads(done.stdout.splitlines()[-1])
        if said["failed"] or said["bytes"] < said["requests"] * self.length * 0.8:
            sys.exit(f"tools/bench: {name}: {said}")
        return said["requests"] / said["microseconds"] * 1e6

    def paced(self, server, name, rate):
        said = self.service("paced", server, self.folder / name, "--rate", rate, "--seconds", self.seconds)
        if said["failed"]:
            sys.exit(f"tools/bench: {name}: {said}")
        return said

    # Events.

    def swaps_of_a_day(self, number, seconds=None):
        """Swaps of a day behind the market's that nobody posted yet."""
        events = 20_000 if self.quick else int(POSTED_PER_SECOND * seconds) if seconds else 1_000_000
        return ["--events", events, "--batch", 5000, "--later", 30 + number]

    def post(self, server, taken):
        taken["events"] = self.service("post", server, *self.swaps_of_a_day(0))
        # It goes on a little longer than it is looked at.
        command = self.command("post", server, *self.swaps_of_a_day(1, self.seconds + 1.5), "--rate", POSTED_PER_SECOND)
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as poster:
            # A line when it begins, and one at its end.
            poster.stdout.readline()
            taken["paced_beside"] = self.paced(server, "candles", taken["half"])
            taken["is_beside"] = poster.poll() is None
            said = poster.stdout.read()
        if poster.returncode:
            sys.exit(f"tools/bench: posting ended with {poster.returncode}")
        taken["posted_per_second"] = json.loads(said)["per_second"]

    # Streams.

    def streams(self, minute):
        """So many readers, and swaps in a minute in which there are no others."""
        start = self.newest // 60 * 60 + 10 * 86_400 + minute * 60
        return ["--count", self.readers, "--events", self.swaps, "--at", start]

    def end(self, server):
        """Seconds to the end with as many streams open."""
        sockets = []
        for _ in range(self.readers):
            connection = socket.create_connection(("127.0.0.1", server.port), timeout=PATIENCE)
            connection.sendall(f"GET /v1/stream?token={self.token} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode())
            sockets.append(connection)
        for connection in sockets:
            came = b""
            while b"retry:" not in came:
                came += connection.recv(65536)
        seconds = server.end()
        for connection in sockets:
            connection.close()
        return seconds

    def command(self, kind, server, *arguments):
        return [str(word) for word in (self.programs / "Service", kind, server.port, *arguments)]

    def service(self, *arguments):
        """What the last line says that Benchmarks/Service prints."""
        command = self.command(*arguments)
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        if done.returncode:
            sys.exit(f"{done.stderr[-2000:]}tools/bench: '{' '.join(command[1:])}' of Service ended with {done.returncode}")
        return json.loads(done.stdout.splitlines()[-1])
