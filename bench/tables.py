"""`make bench-tables`: measures an upload with its profile, beside pandas and polars on the same file.

Generates a table of 1,000,000 rows and 20 columns (about 175 MB) with a fixed seed, starts `trainyard up` on SQLite, and
then measures every contender once per round, one after the other: an upload with `dry_run=true`, an upload that is stored,
`pandas.read_csv` and `describe`, `polars.read_csv` and `describe`. The file is in the page cache. A peer runs in a process
of its own, and its import is not measured. A stored dataset is deleted before the next contender: its pages in memory are
then used again, as on a server that has run for a while; memory that a virtual machine uses for the first time costs its
host. Then two new servers take a quarter of the rows and all rows: the difference of their peak memory shows whether memory
grows with the rows.
"""

import argparse
import http.client
import json
import os
import pathlib
import platform
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time

import numpy
import pandas
import polars

ROWS = 1_000_000
SMALL_ROWS = ROWS // 4
CHUNK_ROWS = 50_000
# Larger blocks would make the client spend its time on page faults.
BLOCK_BYTES = 64 << 10
EMAIL, PASSWORD = "bench@example.com", "a password of the benchmark"
START_LIMIT_S = 60
GOALS = {"pandas": 2.0, "polars": 0.7}
MAX_GROWTH = 1.25

PEERS = {
    "pandas": "import pandas\nrun = lambda file: pandas.read_csv(file).describe()",
    "polars": "import polars\nrun = lambda file: polars.read_csv(file).describe()",
}
PEER = """
import resource, sys, time
{code}
start = time.perf_counter()
run(sys.argv[1])
print(time.perf_counter() - start, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
"""


def log(text):
    print(text, file=sys.stderr, flush=True)


def columns(random, first, rows):
    """Twenty columns as text: identifiers, counts, measurements, money, categories, booleans, dates, words, missing values."""
    normal = lambda scale, digits: [f"{value:.{digits}f}" for value in random.normal(0, scale, rows)]
    whole = lambda high: [str(value) for value in random.integers(0, high, rows)]
    pick = lambda names: [names[at] for at in random.integers(0, len(names), rows)]
    gaps = lambda values, share: ["" if gone else value for value, gone in zip(values, random.random(rows) < share)]
    days = numpy.datetime64("2015-01-01") + random.integers(0, 3_650, rows).astype("timedelta64[D]")
    cities = [f"city {at:03d}" for at in range(400)]
    return {
        "id": [str(first + at) for at in range(rows)],
        "age": gaps(whole(95), 0.05),
        "visits": whole(1_000),
        "score": normal(1, 6),
        "height": normal(10, 4),
        "weight": gaps(normal(100, 5), 0.1),
        "pressure": normal(1_000, 3),
        "ratio": normal(0.01, 9),
        "income": gaps([f"{value:.2f}" for value in random.lognormal(10, 1, rows)], 0.02),
        "account": whole(10**9),
        "channel": pick(["web", "shop", "phone", "partner"]),
        "city": pick(cities),
        "plan": gaps(pick(["free", "basic", "standard", "premium", "enterprise"]), 0.01),
        "member": pick(["true", "false"]),
        "consent": pick(["yes", "no"]),
        "clicked": whole(2),
        "joined": [str(day) for day in days],
        "level": whole(12),
        "comment": [f"note {a} about {b} by telephone" for a, b in zip(random.integers(0, 10**6, rows), pick(cities))],
        "target": normal(5, 4),
    }


def generate(path, rows):
    """Writes the table, unless it exists. Equal arguments give equal bytes."""
    if path.exists():
        return
    log(f"generating {path}")
    random = numpy.random.default_rng(14)
    part = path.with_suffix(".part")
    with open(part, "w", encoding="utf-8", newline="") as file:
        for first in range(0, rows, CHUNK_ROWS):
            table = columns(random, first, min(CHUNK_ROWS, rows - first))
            if first == 0:
                file.write(",".join(table) + "\n")
            file.writelines(",".join(row) + "\n" for row in zip(*table.values()))
    part.rename(path)


class Server:
    """`trainyard up` on SQLite with its own data folder."""

    def __init__(self, binary, folder):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.log = open(pathlib.Path(folder) / "server.log", "w+", encoding="utf-8")
        command = [binary, "up", "--listen", f"127.0.0.1:{self.port}", "--data-dir", folder]
        settings = {"ADMIN_EMAIL": EMAIL, "ADMIN_PASSWORD": PASSWORD, "RUST_LOG": "warn"}
        self.process = subprocess.Popen(command, env=os.environ | settings, stdout=self.log, stderr=self.log)
        self.token = None

    def __enter__(self):
        deadline = time.monotonic() + START_LIMIT_S
        while time.monotonic() < deadline and self.process.poll() is None:
            try:
                if self.call("GET", "/health/ready")[0] == 200:
                    break
            except OSError:
                pass
            time.sleep(0.05)
        else:
            self.__exit__()
            self.log.seek(0)
            sys.exit(f"the server is not ready: {self.log.read()[-2_000:]}")
        status, session = self.call("POST", "/login", json.dumps({"email": EMAIL, "password": PASSWORD}), "application/json")
        assert status == 200, session
        self.token = session["access_token"]
        return self

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.kill()

    def call(self, method, path, body=None, content_type=None):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=600, blocksize=BLOCK_BYTES)
        headers = {"authorization": f"Bearer {self.token}"} if self.token else {}
        if content_type:
            headers["content-type"] = content_type
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        text = answer.read()
        connection.close()
        return answer.status, json.loads(text or "null")

    def upload(self, path, dry_run):
        """Seconds from the request to the complete answer."""
        with open(path, "rb") as file:
            start = time.perf_counter()
            query = "&dry_run=true" if dry_run else ""
            status, answer = self.call("POST", f"/datasets?name=bench{query}", file, "text/csv")
            seconds = time.perf_counter() - start
        assert status == (200 if dry_run else 201), answer
        assert answer["column_count"] == 20, answer
        return seconds

    def upload_and_delete(self, path):
        """Seconds of an upload that is stored. The dataset is deleted afterwards."""
        seconds = self.upload(path, False)
        status, answer = self.call("DELETE", "/datasets/bench")
        assert status == 204, answer
        return seconds

    def peak_mb(self):
        status = pathlib.Path(f"/proc/{self.process.pid}/status").read_text(encoding="utf-8")
        return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM:")) / 1024


def run_peer(name, path):
    command = [sys.executable, "-c", PEER.format(code=PEERS[name]), path]
    answer = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()
    return float(answer[0]), float(answer[1])


def measure_speed(binary, path, rounds):
    """The seconds of every contender per round, and the peak memory of the peers."""
    seconds, peak = {}, {}
    with tempfile.TemporaryDirectory(prefix="bench-tables-") as folder, Server(binary, folder) as server:
        contenders = {
            "Trainyard, dry run": lambda: (server.upload(path, True), server.peak_mb()),
            "Trainyard, stored": lambda: (server.upload_and_delete(path), server.peak_mb()),
            "pandas": lambda: run_peer("pandas", path),
            "polars": lambda: run_peer("polars", path),
        }
        path.read_bytes()
        server.upload(path, True)
        for number in range(1, rounds + 1):
            for name, run in contenders.items():
                took, memory = run()
                log(f"round {number}: {name}: {took:.2f} s")
                seconds.setdefault(name, []).append(took)
                peak[name] = max(peak.get(name, 0), memory)
    return seconds, peak


def measure_memory(binary, path):
    """The peak memory of a new server after an upload of the file, in MB."""
    with tempfile.TemporaryDirectory(prefix="bench-tables-") as folder, Server(binary, folder) as server:
        server.upload(path, False)
        return server.peak_mb()


def ratio(seconds, ours, theirs):
    """The median over the rounds of `theirs / ours`: how many times as fast we are."""
    return statistics.median(their / our for our, their in zip(seconds[ours], seconds[theirs]))


def processor():
    lines = pathlib.Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), platform.machine())


def report(path, seconds, peak, memory, load):
    version = subprocess.run(["git", "describe", "--always", "--dirty"], capture_output=True, text=True, check=False).stdout
    size = path.stat().st_size / 1e6
    lines = [
        "# Uploads with profile, measured",
        "",
        f"- `make bench-tables` on {time.strftime('%Y-%m-%d')}, commit {version.strip()}.",
        f"- {os.cpu_count()} cores ({processor()}) shared by client and server; load average before: {load:.2f}.",
        f"- {ROWS:,} rows × 20 columns, {size:.0f} MB, in the page cache. `trainyard up` on SQLite with default settings.",
        f"- pandas {pandas.__version__}, polars {polars.__version__} on Python {platform.python_version()}.",
        "- Trainyard: from the request to the complete answer, with decoding, hashing, types, histograms and duplicate rows."
        " pandas and polars: `read_csv` and `describe` in a new process, without its start. Interleaved; ratios within a round.",
        "",
        "| contender | median, s | range | rounds | peak memory, MB | time ÷ Trainyard's dry run |",
        "|---|---:|---:|---:|---:|---:|",
    ]
    ours = "Trainyard, dry run"
    for name, values in seconds.items():
        times = "–" if name == ours else f"{ratio(seconds, ours, name):.2f}"
        lines.append(
            f"| {name} | {statistics.median(values):.2f} | {min(values):.2f} to {max(values):.2f} | {len(values)} "
            f"| {peak[name]:.0f} | {times} |"
        )
    growth = memory[ROWS] / memory[SMALL_ROWS]
    lines += [
        "",
        "| rows | peak memory of a new server, MB |",
        "|---:|---:|",
        *(f"| {rows:,} | {megabytes:.0f} |" for rows, megabytes in memory.items()),
        "",
        "| goal | measured | |",
        "|---|---:|---|",
    ]
    goals = [(f"at least {least} × {name}", ratio(seconds, ours, name), ratio(seconds, ours, name) >= least) for name, least in GOALS.items()]
    stored = "Trainyard, stored"
    goals += [(f"stored: at least {least} × {name}", ratio(seconds, stored, name), ratio(seconds, stored, name) >= least) for name, least in GOALS.items()]
    goals.append((f"memory with four times the rows: at most {MAX_GROWTH} ×", growth, growth <= MAX_GROWTH))
    lines += [f"| {what} | {value:.2f} | {'met' if met else '**NOT met**'} |" for what, value, met in goals]
    return "\n".join(lines) + "\n", all(met for _, _, met in goals)


def main():
    parser = argparse.ArgumentParser(description="Measures an upload with its profile, beside pandas and polars.")
    parser.add_argument("--binary", default="target/dist/trainyard", help="the trainyard binary")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--report", type=pathlib.Path, help="also write the report to this file")
    arguments = parser.parse_args()
    load = os.getloadavg()[0]
    folder = pathlib.Path("target/bench-tables")
    folder.mkdir(parents=True, exist_ok=True)
    files = {rows: folder / f"{rows}.csv" for rows in (SMALL_ROWS, ROWS)}
    for rows, path in files.items():
        generate(path, rows)
    seconds, peak = measure_speed(arguments.binary, files[ROWS], arguments.rounds)
    memory = {rows: measure_memory(arguments.binary, path) for rows, path in files.items()}
    text, met = report(files[ROWS], seconds, peak, memory, load)
    print(text)
    if arguments.report:
        arguments.report.write_text(text, encoding="utf-8")
    sys.exit(0 if met else 1)


if __name__ == "__main__":
    main()
