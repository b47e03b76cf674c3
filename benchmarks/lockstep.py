"""Lockstep: decisions per second of a replay at full speed, and the share of each stage.

    .venv/bin/python benchmarks/lockstep.py                     # a day of decisions: 1,440 rebalances, 144 generations
    .venv/bin/python benchmarks/lockstep.py --repeats 3
    .venv/bin/python benchmarks/lockstep.py --hours 2 --no-generations

Each repetition is a separate installation in a temporary folder, with the default settings. The split comes from the
files to which actors write their activity (`memesnipe/roles/activity.py`), sampled a few hundred times per second: at
most moments one actor works and the others wait for it. `nobody` is the time in which all of them waited: the
transport between them. The digest covers the records that equal replays have in common; more than one digest ends the
program with exit code 1.
"""

import argparse
import json
import os
import platform
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from hashlib import blake2b
from pathlib import Path
from typing import Any, Final

import numpy as np
import psutil
import sqlalchemy as sa
from rich.console import Console
from rich.table import Table

from memesnipe.bench.market import make_market
from memesnipe.config.home import Home
from memesnipe.protocol.streams import ACTORS
from memesnipe.roles.activity import WAITING, read_activity
from memesnipe.servers.servers import LocalServers
from memesnipe.storage import schema
from memesnipe.storage.database import connect
from memesnipe.storage.views import latest_run
from memesnipe.tapes.tape import Tape, write_tape
from memesnipe.verification.audit import read_run
from memesnipe.verification.decisions import read_decisions

COMMAND: Final = Path(sys.executable).with_name("memesnipe")
TOKENS: Final = 20
SEED: Final = 24
SAMPLE_S: Final = 0.003
POLL_S: Final = 0.5
START_S: Final = 600.0  # until the first event is published
TIMEOUT_S: Final = 3_600.0
PRUNED: Final = "simulation_results"  # old ones are deleted, so their number depends on the machine
_errors = Console(stderr=True, highlight=False)


def make_tape(path: Path, hours: float, events_per_minute: float) -> int:
    """Write a tape of trades in twenty pools, spread evenly over ``hours``; return their number."""
    count = int(hours * 60 * events_per_minute)
    events = make_market(count, TOKENS, SEED)
    first = events["ts"][0]
    stretch = hours * 3600e9 / (events["ts"][-1] - first)
    events["ts"] = first + ((events["ts"] - first) * stretch).astype(np.int64)
    alphabet = list("123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz")
    rng = np.random.default_rng(SEED)
    mints = ["".join(rng.choice(alphabet, 39)) + "bench" for _ in range(int(events["token"].max()) + 1)]
    write_tape(path, Tape(events, mints))
    return count


class Replay:
    """One replay at full speed, and the activity of its actors."""

    def __init__(self, folder: Path, tape: Path, settings: dict[str, str]) -> None:
        self._folder, self._home, self._tape, self._settings = folder, folder / ".memesnipe", tape, settings
        self._cpu: dict[int, tuple[str, float, float]] = {}  # process -> role, CPU seconds at first and by now

    def run(self) -> dict[str, Any]:
        """Replay to the end; return the figures."""
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("RAY_", "MEMESNIPE_"))}
        for name in ("REDIS_URL", "DATABASE_URL"):
            kept.pop(name, None)
        command = [COMMAND, "up", "--feed", "replay", "--tape", self._tape, "--speed", "max", "--until-end", "--json"]
        with (self._folder / "stdout").open("wb") as out, (self._folder / "stderr").open("wb") as err:
            process = subprocess.Popen(
                command,
                cwd=self._folder,
                env=kept | self._settings | {"MEMESNIPE_HOME": str(self._home)},
                stdout=out,
                stderr=err,
                start_new_session=True,
            )
        try:
            seconds, split = self._watch(process)
            code = process.wait(90.0)
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGINT)
                process.wait(90.0)
        if code:
            raise SystemExit(
                f"lockstep: `memesnipe up` ended with {code}: {(self._folder / 'stderr').read_text()[-500:]}"
            )
        report = json.loads((self._folder / "stdout").read_bytes())
        return {"seconds": round(seconds, 2), **self._figures(split, seconds), "report": report}

    def _watch(self, process: "subprocess.Popen[bytes]") -> tuple[float, Counter[str]]:
        """Return the seconds from the first publication to the end, and the seconds by actor and activity."""
        files = {actor: Home(self._home).run(1).activity(actor) for actor in ACTORS}
        began, first, polled, split = time.monotonic(), 0.0, 0.0, Counter[str]()
        log = Home(self._home).run(1).event_log
        previous = began
        while process.poll() is None and time.monotonic() - began < TIMEOUT_S:
            time.sleep(SAMPLE_S)
            now = time.monotonic()
            if not first:
                if now - began > START_S:
                    raise SystemExit("lockstep: nothing was published")
                if log.is_file() and log.stat().st_size:
                    first = now
                previous = now
                continue
            activities = {actor: read_activity(path)[1] for actor, path in files.items()}
            busy = [f"{actor} {activity}" for actor, activity in activities.items() if activity not in (WAITING, "")]
            for name in busy or ["nobody"]:
                split[name] += (now - previous) / max(len(busy), 1)
            previous = now
            if now - polled > POLL_S:
                polled = now
                self._take_cpu(process.pid, files)
                if self._is_over():
                    return now - first, split
        raise SystemExit(f"lockstep: `memesnipe up` ended early: {(self._folder / 'stderr').read_text()[-500:]}")

    def _take_cpu(self, pid: int, files: dict[str, Path]) -> None:
        """Record the CPU time of every process of the installation."""
        actors = {read_activity(path)[0]: actor for actor, path in files.items()}
        up = psutil.Process(pid)
        for process in (up, *up.children(recursive=True)):
            try:
                times = process.cpu_times()
                role = actors.get(process.pid) or ("up" if process == up else role_of(process))
            except psutil.Error:
                continue  # it has ended meanwhile
            used = times.user + times.system
            self._cpu[process.pid] = (role, self._cpu.get(process.pid, (role, used, used))[1], used)

    def _is_over(self) -> bool:
        return (self._folder / "stdout").stat().st_size > 0 or "Stopping" in (self._folder / "stderr").read_text()

    def _cpu_by_role(self) -> dict[str, float]:
        used: Counter[str] = Counter()
        for role, before, now in self._cpu.values():
            used[role] += now - before
        return {role: round(seconds, 2) for role, seconds in used.most_common()}

    def _figures(self, split: Counter[str], seconds: float) -> dict[str, Any]:
        with LocalServers(*Home(self._home).server_folders) as servers:
            engine = connect(servers.start(need_redis=False).database_url or "")
            with engine.connect() as connection:
                run_id = latest_run(connection) or 0
                count = sa.select(sa.func.count()).where(schema.EquityRow.run_id == run_id)
                decisions = connection.scalar(count) or 0
                bred = sa.select(sa.func.count(), sa.func.sum(schema.GenerationRow.seconds))
                generations, bred_s = connection.execute(bred.where(schema.GenerationRow.run_id == run_id)).one()
                recorded, decided = read_run(connection, run_id), read_decisions(connection, run_id)
            engine.dispose()
        records = recorded.records
        records.messages = {key: payload for key, payload in records.messages.items() if key[0] != PRUNED}
        rest = seconds - float(bred_s or 0.0)
        return {
            "decisions": decisions,
            "generations": generations,
            "generations_s": round(float(bred_s or 0.0), 2),
            "decisions_per_s": round(decisions / seconds, 2),
            "ms_a_decision_without_generations": round(1e3 * rest / max(decisions, 1), 2),
            "cpu_s": self._cpu_by_role(),
            "split_s": {name: round(took, 2) for name, took in split.most_common()},
            "digest": digest_of(records, decided),
        }


def role_of(process: psutil.Process) -> str:
    """Return the role of a process that is not an actor."""
    command = process.cmdline() or [process.name()]
    title = Path(command[0].split(" ")[0]).name
    if title.startswith("ray::"):
        return "workers of Ray" if "Serve" not in title and "Proxy" not in title else "dashboard and API"
    if title.startswith(("postgres", "redis", "valkey")):
        return title.split(":")[0]
    return "Ray itself"


def digest_of(*records: Any) -> str:
    """Return a hash of records: dataclasses of dicts of rows."""
    hashed = blake2b(digest_size=16)
    for record in records:
        for name in record.__dataclass_fields__:
            rows = getattr(record, name)
            pairs = sorted(rows.items()) if isinstance(rows, dict) else list(rows)
            hashed.update(repr((name, pairs)).encode())
    return hashed.hexdigest()


def machine() -> str:
    """Return a description of the machine."""
    model = next(
        (
            line.split(":", 1)[1].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if "model name" in line
        ),
        platform.processor(),
    )
    return f"{model}, {os.cpu_count()} cores, Python {platform.python_version()}"


def show(runs: list[dict[str, Any]], loads: list[float]) -> None:
    """Print the table."""

    def spread(values: list[float]) -> tuple[str, ...]:
        return tuple(f"{value:,.1f}" for value in (min(values), statistics.median(values), max(values)))

    table = Table(title=f"lockstep, {len(runs)} repetitions; {machine()}; load {min(loads):.1f} to {max(loads):.1f}")
    for name in ("", "min", "median", "max"):
        table.add_column(name, justify="left" if not name else "right")
    for name in (
        "seconds",
        "decisions",
        "decisions_per_s",
        "ms_a_decision_without_generations",
        "generations",
        "generations_s",
    ):
        table.add_row(name, *spread([float(run[name]) for run in runs]))
    for name in sorted({name for run in runs for name in run["split_s"]}):
        table.add_row(f"  {name} (s)", *spread([run["split_s"].get(name, 0.0) for run in runs]))
    for name in sorted({name for run in runs for name in run["cpu_s"]}):
        table.add_row(f"  CPU of {name} (s)", *spread([run["cpu_s"].get(name, 0.0) for run in runs]))
    Console(highlight=False).print(table)


def main() -> None:
    """Replay and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--hours", type=float, default=24.0, help="of event time; 60 decisions an hour")
    parser.add_argument("--events-per-minute", type=float, default=20.0)
    parser.add_argument("--repeats", type=int, default=1)
    parser.add_argument("--no-generations", action="store_true", help="breed only the first generation")
    parser.add_argument("--tape", type=Path, help="replay this tape instead of a generated one")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    given = parser.parse_args()
    settings = {"GENERATION_INTERVAL_SECS": str(10**9)} if given.no_generations else {}
    folder = Path(tempfile.mkdtemp(prefix="memesnipe-lockstep-"))
    folder.chmod(0o755)  # as root, the embedded PostgreSQL runs as another user
    runs, loads = [], []
    try:
        tape = given.tape.resolve() if given.tape else folder / "day.tape"
        if not given.tape:
            make_tape(tape, given.hours, given.events_per_minute)
        for number in range(given.repeats):
            own = folder / f"{number}"
            own.mkdir(mode=0o755)
            runs.append(Replay(own, tape, settings).run())
            loads.append(os.getloadavg()[0])
            run = runs[-1]
            _errors.print(f"{number + 1}: {run['decisions']} decisions in {run['seconds']} s, digest {run['digest']}")
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    if given.json:
        print(json.dumps({"machine": machine(), "load": loads, "runs": runs}))
    else:
        show(runs, loads)
    if len({run["digest"] for run in runs}) > 1:
        raise SystemExit("lockstep: equal replays gave different records")


if __name__ == "__main__":
    main()
