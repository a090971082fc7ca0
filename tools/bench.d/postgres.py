"""A server beside a PostgreSQL of its own on the same cores: the first snapshot, summaries, changes as they come, and a database that stands still.

Invariant: every round begins with the same rows in a database and a directory of its own; the cluster and its folder go with the run.
Not here: what the figures are held to (rows.py), the server by itself (service.py).
"""

import bisect
import http.client
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time

from service import PATIENCE, Server

HOURS = 100
# Transactions a second of the application, and rows of each: 5,000 rows a second.
TRANSACTIONS, ROWS = 100, 50
# A transaction of the load that is read as a stream.
STREAMED_ROWS = 2_000
# The first day of the market that Benchmarks/Service posts.
MARKET_START = 1_730_419_200
DONE = "--done--"

COLUMNS = "artist_token_id, chain_id, block_number, log_index, tx_hash, event_type, side, wallet, amount_usd, token_amount, block_timestamp"
VALUES = ("'0x' || md5(i::text) || md5((i + 1)::text), 'swap', case i % 2 when 0 then 'buy' else 'sell' end, "
          "'0x' || md5((i % 50000)::text) || '00000000', {amount}, round((1 + i % 977)::numeric / 7, 6), {at}")
MERGE = """
  INSERT INTO hourly_price_candles AS c SELECT * FROM rows ORDER BY artist_token_id, bucket
  ON CONFLICT (artist_token_id, bucket) DO UPDATE SET open = excluded.open, high = excluded.high, low = excluded.low,
    close = excluded.close, volume = excluded.volume, trades = excluded.trades, volume_token = excluded.volume_token,
    buy_volume_usd = excluded.buy_volume_usd, sell_volume_usd = excluded.sell_volume_usd, vwap = excluded.vwap"""


class Cluster:
    """A PostgreSQL as it is shipped, but for `wal_level`, in a folder of its own."""

    def __init__(self):
        found = sorted(pathlib.Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=lambda path: int(path.parts[-3]))
        if not found:
            sys.exit("tools/bench: no PostgreSQL is here: apt-get install postgresql")
        self.programs = found[-1].parent
        self.folder = tempfile.mkdtemp(prefix="continuo-bench-postgres-")
        self.user = []
        if os.getuid() == 0:
            self.user = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups", "--"]
            shutil.chown(self.folder, "postgres")
        self.run("initdb", "--pgdata", "db", "--username", "postgres", "--auth", "trust", "--encoding", "UTF8", "--locale", "C")
        self.port = 20_000 + os.getpid() % 10_000
        self.process = subprocess.Popen(
            [*self.user, str(self.programs / "postgres"), "-D", f"{self.folder}/db", "-c", f"port={self.port}", "-c",
             "listen_addresses=127.0.0.1", "-c", "unix_socket_directories=", "-c", "wal_level=logical", "-c", "log_min_messages=fatal",
             "-c", "max_wal_size=4GB"], cwd=self.folder, stderr=subprocess.DEVNULL)
        end = time.monotonic() + PATIENCE
        while subprocess.run([str(self.programs / "pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(self.port)]).returncode:
            if self.process.poll() is not None or time.monotonic() > end:
                self.end()
                sys.exit(f"tools/bench: PostgreSQL does not start on port {self.port}")
            time.sleep(0.05)

    def run(self, program, *arguments, **more):
        return subprocess.run([*self.user, str(self.programs / program), *map(str, arguments)], cwd=self.folder, check=True,
                              stdout=subprocess.DEVNULL, **more)

    def url(self, database):
        return f"postgresql://postgres@127.0.0.1:{self.port}/{database}?sslmode=disable"

    def stand_still(self, is_stopped):
        """Stops every process of the server, or lets them go on."""
        children = [int(path.name) for path in pathlib.Path("/proc").iterdir() if path.name.isdigit() and self.is_child(path)]
        for pid in [self.process.pid, *children]:
            try:
                os.kill(pid, signal.SIGSTOP if is_stopped else signal.SIGCONT)
            except ProcessLookupError:
                pass

    def is_child(self, path):
        try:
            return int((path / "stat").read_text().rsplit(")", 1)[1].split()[1]) == self.process.pid
        except (OSError, IndexError):
            return False

    def end(self):
        if self.process.poll() is None:
            self.stand_still(False)
            self.process.send_signal(signal.SIGINT)
            self.process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)


class Session:
    """One psql that is asked again and again."""

    def __init__(self, cluster, database):
        self.process = subprocess.Popen(
            [str(cluster.programs / "psql"), "-qAtX", "-v", "ON_ERROR_STOP=1", "-d", cluster.url(database)], text=True, bufsize=1,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=dict(os.environ, PGOPTIONS="-c client_min_messages=warning"))

    def ask(self, statement):
        """The lines that a statement answers, and when the last of them had come."""
        self.process.stdin.write(f"{statement};\n\\echo {DONE}\n")
        self.process.stdin.flush()
        lines = []
        for line in self.process.stdout:
            if line.rstrip("\n") == DONE:
                return lines
            lines.append(line.rstrip("\n"))
        sys.exit(f"tools/bench: psql ended at: {statement[:300]}")

    def seconds(self, statement):
        start = time.monotonic()
        self.ask(statement)
        return time.monotonic() - start

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.wait()


def percentile(values, share):
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


class PostgresRun:
    """The rows in a database, and what is measured beside copies of it."""

    def __init__(self, root, folder, sizes):
        self.programs, self.folder = root / ".build" / "release", pathlib.Path(folder) / "postgres"
        self.folder.mkdir()
        self.quick = sizes.quick
        self.tokens, self.rows = (20, 4_000) if sizes.quick else (1_000, 1_000_000)
        self.streamed, self.seconds = (4_000, 1) if sizes.quick else (400_000, 10)
        self.posted = 20_000 if sizes.quick else 1_000_000
        self.number = 0
        self.cluster = Cluster()
        try:
            with Session(self.cluster, "postgres") as session:
                session.ask("CREATE DATABASE rows")
            self.load(root)
        except BaseException:
            self.end()
            raise

    def end(self):
        self.cluster.end()

    def load(self, root):
        with Session(self.cluster, "rows") as session:
            session.ask(f"\\i {root}/data/postgres/schema.sql\n")
            session.ask(
                "INSERT INTO artists (user_id, artist_name) VALUES (gen_random_uuid(), 'x');"
                "INSERT INTO artist_tokens (artist_id, symbol, chain_id, contract_address) SELECT id, 'T' || n, 1, '0x' FROM artists, "
                f"generate_series(0, {self.tokens - 1}) n;"
                "CREATE TABLE numbers AS SELECT row_number() OVER () - 1 AS n, id FROM artist_tokens;"
                "ALTER TABLE numbers ADD PRIMARY KEY (n)")
            # Each token has trades in each hour, the last of which is over.
            at = (f"date_trunc('hour', now()) - interval '{HOURS} hours' + (i / {self.tokens} * {HOURS * 3600e6:.0f} / "
                  f"{self.rows // self.tokens}) * interval '1 microsecond'")
            session.ask(
                f"INSERT INTO pool_events ({COLUMNS}) SELECT t.id, 1, i, 0, {VALUES.format(amount='round((1 + i % 9973)::numeric / 13, 6)', at=at)} "
                f"FROM generate_series(0, {self.rows - 1}::int8) i JOIN numbers t ON t.n = i % {self.tokens}")
            session.ask("VACUUM (ANALYZE) pool_events")
            session.ask("CHECKPOINT")

    def round(self):
        self.number += 1
        self.database, self.directory = f"round_{self.number}", self.folder / "market"
        taken = {"rows": self.rows, "streamed": self.streamed, "per_second": TRANSACTIONS * ROWS}
        with Session(self.cluster, "postgres") as session:
            session.ask(f"CREATE DATABASE {self.database} TEMPLATE rows")
        self.continuo("migrate", "--own", "artist_tokens", "--yes")
        with Session(self.cluster, self.database) as self.session:
            self.snapshot(taken)
            self.candles(taken)
            self.stream(taken)
            self.latencies(taken)
            self.stand_still(taken)
            self.session.ask("SELECT pg_drop_replication_slot('continuo_market')")
        with Session(self.cluster, "postgres") as session:
            session.ask(f"DROP DATABASE {self.database}")
        shutil.rmtree(self.directory)
        return taken

    # The server.

    def continuo(self, command, *arguments):
        done = subprocess.run([str(self.programs / "continuo"), command, "--postgres", self.cluster.url(self.database), *arguments],
                              stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        if done.returncode:
            sys.exit(f"{done.stderr}tools/bench: continuo {command} ended with {done.returncode}")

    def serve(self, directory=None):
        return Server(self.programs, directory or self.directory, "--postgres", self.cluster.url(self.database), waits=False)

    @staticmethod
    def figures(server):
        """The metrics without labels."""
        lines = server.get("/metrics")[1].decode().splitlines()
        return {name: float(value) for name, value in (line.split() for line in lines if line[:1] != "#" and "{" not in line)}

    def until(self, server, holds, every=0.01):
        """Waits until the metrics are as wanted; the moment."""
        end = time.monotonic() + PATIENCE
        while not holds(self.figures(server)):
            if time.monotonic() > end:
                sys.exit(f"tools/bench: not within {PATIENCE} s: {self.figures(server)}, {server.get('/readyz')[1]!r}")
            time.sleep(every)
        return time.monotonic()

    def until_idle(self, server):
        """Waits until everything is taken, and nothing was written for a while."""
        written = -1
        while True:
            self.until(server, lambda figures: self.streams(figures) and figures["continuo_postgres_unsent_tokens"] == 0)
            now = self.figures(server)["continuo_postgres_write_transactions_total"]
            if now == written > 0:
                return
            written = now
            time.sleep(0.5)

    @staticmethod
    def streams(figures):
        return figures.get("continuo_postgres_streaming") == 1

    # What is measured.

    def snapshot(self, taken):
        """From exec to following, over one COPY that nobody reads."""
        command = [str(self.cluster.programs / "psql"), "-qX", "-d", self.cluster.url(self.database), "-c"]
        times = {}
        for name, words in (("copy", ""), ("copy_binary", " (FORMAT binary)")):
            for _ in range(2):
                start = time.monotonic()
                subprocess.run([*command, f"COPY pool_events TO STDOUT{words}"], stdout=subprocess.DEVNULL, check=True)
                times[name] = min(times.get(name, PATIENCE), time.monotonic() - start)
            taken[f"{name}_seconds"] = times[name]
        with self.serve() as server:
            taken["snapshot_seconds"] = self.until(server, self.streams, every=0.02) - server.started
            taken["memory"] = self.figures(server)["continuo_memory_bytes"]
            self.until(server, lambda figures: self.count() == self.tokens * HOURS, every=0.5)

    def count(self):
        return int(self.session.ask("SELECT count(*) FROM hourly_price_candles")[0])

    def candles(self, taken):
        """All candles into an empty table, from the turn that is taken to the last commit; and psql merging the same rows into one."""
        taken["candles"] = self.tokens * HOURS
        self.session.ask("CREATE TEMPORARY TABLE rows AS SELECT * FROM hourly_price_candles")
        times = []
        for _ in range(2):
            self.session.ask("TRUNCATE hourly_price_candles")
            times.append(self.session.seconds(MERGE))
        taken["merge_seconds"] = min(times)
        self.session.ask("TRUNCATE hourly_price_candles")
        state = "SELECT epoch, extract(epoch FROM at) FROM continuo_sync"
        before = self.session.ask(state)[0].split("|")
        with self.serve() as server:
            now = before
            while now[0] == before[0]:
                time.sleep(0.002)
                now = self.session.ask(state)[0].split("|")
            self.until(server, lambda figures: figures["continuo_postgres_unsent_tokens"] == 0
                       and figures["continuo_postgres_candle_rows_changed_total"] >= taken["candles"], every=0.05)
            taken["candles_seconds"] = float(self.session.ask(state)[0].split("|")[1]) - float(now[1])
        if self.count() != taken["candles"]:
            sys.exit(f"tools/bench: {self.count()} candles were written of {taken['candles']}")

    def stream(self, taken):
        """A log of transactions, read by pg_recvlogical to nothing and taken by the server."""
        self.session.ask("SELECT pg_create_logical_replication_slot('bench', 'pgoutput')")
        for start in range(0, self.streamed, STREAMED_ROWS):
            self.session.ask(self.inserted(start // STREAMED_ROWS, STREAMED_ROWS, self.rows))
        end = self.session.ask("SELECT pg_current_wal_insert_lsn()")[0]
        # So that something is behind the end: it is read once that has come.
        self.session.ask("SELECT pg_logical_emit_message(true, 'bench', 'end')")
        begin = time.monotonic()
        self.cluster.run("pg_recvlogical", "--start", "--slot", "bench", "--endpos", end, "-o", "proto_version=1", "-o",
                         "publication_names=continuo_market", "-o", "binary=true", "-f", "-", "--no-loop", "-d",
                         self.cluster.url(self.database))
        taken["received_seconds"] = time.monotonic() - begin
        self.session.ask("SELECT pg_drop_replication_slot('bench')")
        with self.serve() as server:
            begin = self.until(server, self.streams, every=0.005)
            done = self.until(server, lambda figures: figures["continuo_events_accepted_total"] >= self.streamed)
            taken["streamed_seconds"] = done - begin
            self.until(server, lambda figures: figures["continuo_postgres_unsent_tokens"] == 0)

    def inserted(self, number, rows, first, marker=None):
        """One transaction of swaps that happen now; where it is wanted the last of them is one of a token that counts them."""
        block = 10_000_000 + first + number
        token = "t.id" if marker is None else f"CASE WHEN i = {rows - 1} THEN '{marker}'::uuid ELSE t.id END"
        amount = "round((1 + i % 97)::numeric / 13, 6)" if marker is None else f"CASE WHEN i = {rows - 1} THEN 1 ELSE round((1 + i % 97)::numeric / 13, 6) END"
        return (f"INSERT INTO pool_events ({COLUMNS}) SELECT {token}, 1, {block}, i, {VALUES.format(amount=amount, at='now()')} "
                f"FROM generate_series(0, {rows - 1}) i JOIN numbers t ON t.n = ({number * 7919} + i * 13) % {self.tokens}")

    def latencies(self, taken):
        """Who commits, who reads the candle and who reads the summary: from the one to each of the others."""
        marker = self.session.ask(
            "INSERT INTO artist_tokens (artist_id, symbol, chain_id, contract_address) SELECT id, 'MARK', 1, '0x' FROM artists RETURNING id")[0]
        with self.serve() as server:
            self.until_idle(server)
            commits, candles, summaries, over = [], [], [], threading.Event()
            readers = [threading.Thread(target=self.watch_candle, args=(server, marker, candles, over)),
                       threading.Thread(target=self.watch_summary, args=(marker, summaries, over))]
            for reader in readers:
                reader.start()
            late = self.commit(marker, commits)
            end = time.monotonic() + 10
            while time.monotonic() < end and not all(seen and seen[-1][1] >= len(commits) for seen in (candles, summaries)):
                time.sleep(0.01)
            over.set()
            for reader in readers:
                reader.join()
        for name, seen in (("candle", candles), ("summary", summaries)):
            if not seen or seen[-1][1] < len(commits):
                sys.exit(f"tools/bench: {name}: {seen[-1:]} of {len(commits)} commits were seen")
            values = [value for _, value in seen]
            waits = [max(0.0, seen[bisect.bisect_left(values, number + 1)][0] - at) for number, at in enumerate(commits)]
            taken[f"{name}_p50"], taken[f"{name}_p99"] = percentile(waits, 0.5), percentile(waits, 0.99)
        taken["latest_commit"] = late

    def commit(self, marker, commits):
        """Commits at their times, and notes when each was done; how late the latest one began."""
        late, begin = 0.0, time.monotonic()
        with Session(self.cluster, self.database) as session:
            for number in range(int(self.seconds * TRANSACTIONS)):
                due = begin + number / TRANSACTIONS
                time.sleep(max(0.0, due - time.monotonic()))
                late = max(late, time.monotonic() - due)
                session.ask(self.inserted(number, ROWS, 5_000_000, marker))
                commits.append(time.monotonic())
        return late

    @staticmethod
    def watch_candle(server, marker, seen, over):
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=PATIENCE)
        while not over.is_set():
            connection.request("GET", f"/v1/tokens/{marker}/candles?interval=1d&limit=2")
            answer = connection.getresponse()
            body = answer.read()
            if answer.status == 200:
                seen.append((time.monotonic(), sum(candle["trades"] for candle in json.loads(body)["candles"])))
            time.sleep(0.002)
        connection.close()

    def watch_summary(self, marker, seen, over):
        with Session(self.cluster, self.database) as session:
            while not over.is_set():
                lines = session.ask(f"SELECT coalesce(volume_24h_usd, 0) FROM artist_tokens WHERE id = '{marker}'")
                seen.append((time.monotonic(), float(lines[0])))
                time.sleep(0.002)

    def stand_still(self, taken):
        """Events posted beside a database that stands still, over those of a server without one."""
        rates = {"paused": [], "alone": []}
        for turn in range(1 if self.quick else 4):
            # In turns, each of them first as often as the other.
            for name in sorted(rates, reverse=turn % 2 == 1):
                copied = self.folder / name
                shutil.copytree(self.directory, copied)
                server = self.serve(copied) if name == "paused" else Server(self.programs, copied)
                with server:
                    if name == "paused":
                        self.until_idle(server)
                        self.cluster.stand_still(True)
                    try:
                        # Memory that one of them has left over from its start is used up by the first.
                        self.post(server, days_back=2)
                        rates[name].append(self.post(server, days_back=1))
                    finally:
                        self.cluster.stand_still(False)
                shutil.rmtree(copied)
        taken["paused_per_second"], taken["alone_per_second"] = (max(rate) for rate in rates.values())

    def post(self, server, days_back):
        later = int(time.time() - MARKET_START) // 86_400 - days_back
        command = [str(self.programs / "Service"), "post", str(server.port), "--events", str(self.posted), "--batch", "5000",
                   "--later", str(later)]
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        if done.returncode:
            sys.exit(f"{done.stderr[-2000:]}tools/bench: posting ended with {done.returncode}")
        return json.loads(done.stdout.splitlines()[-1])["per_second"]
