"""Soak: run the system on the synthetic market for an hour, and check that memory and lag do not grow.

`make soak`, or with another duration: `SOAK_MINUTES=5 make soak`. The table goes to standard error, JSON to standard
output. The exit code is 1 when memory or the lag grows faster than the limits here, when the system stops working, or
when `memesnipe verify` finds a difference afterwards.
A short run is still filling its windows, so its memory is shown but not assessed, with a notice.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

import orjson
import psutil
import redis
import sqlalchemy as sa
from rich.console import Console
from soak_trend import MIN_MINUTES, Sample, show, trends_of, verdict_on

from memesnipe.config.home import Home
from memesnipe.config.settings import read_resolved
from memesnipe.protocol.heartbeat import HEARTBEAT_KEY
from memesnipe.protocol.streams import ACTORS
from memesnipe.storage.database import connect
from memesnipe.storage.views import latest_run, report

COMMAND: Final = Path(sys.executable).with_name("memesnipe")
SAMPLE_EVERY_S: Final = 10.0
START_S: Final = 180.0  # until the first event is published
SILENCE_S: Final = 120.0  # without a sample: the system has stopped working
STOP_S: Final = 90.0

MB: Final = 1024 * 1024
_errors = Console(stderr=True, highlight=False)


def role_of(process: psutil.Process, actors: dict[int, str]) -> str:
    """Return the role of a process. Backtest workers come and go, so they count as one role."""
    if process.pid in actors:
        return actors[process.pid]
    command = process.cmdline() or [process.name()]
    title = command[0].split(" ")[0]
    if title.startswith("ray::"):
        name = title.removeprefix("ray::").split(".")[0]
        # Idle workers are the same processes between two chunks, or kept for the next one.
        return "backtest workers" if name in ("IDLE", "backtest") else name
    if title.startswith("postgres") or Path(title).name == "postgres":
        return "postgres"
    if Path(title).name.startswith("python"):
        script = next((Path(part).name for part in command[1:] if part.endswith((".py", "memesnipe"))), "python")
        return "up" if script == "memesnipe" else script
    return Path(title).name


class Soak:
    """A running installation in a separate folder."""

    def __init__(self, folder: Path) -> None:
        self.samples: list[Sample] = []
        self._folder, self._home = folder, folder / ".memesnipe"
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("RAY_", "MEMESNIPE_"))}
        for name in ("REDIS_URL", "DATABASE_URL"):
            kept.pop(name, None)  # embedded servers: external ones must not be filled
        with (folder / "stdout").open("wb") as out, (folder / "stderr").open("wb") as err:
            self._process = subprocess.Popen(
                [str(COMMAND), "up", "--json"],
                cwd=folder,
                env=kept | {"MEMESNIPE_HOME": str(self._home)},
                stdout=out,
                stderr=err,
                start_new_session=True,
            )
        self._began = time.monotonic()
        self._database: sa.Engine | None = None

    def run(self, seconds: float) -> None:
        """Take samples for ``seconds`` from the first event on.

        Raises:
            SystemExit: the system does not respond, or has ended.
        """
        timeout, last = START_S, time.monotonic()
        end = None
        while end is None or time.monotonic() < end:
            sample = self._sample()
            if sample is not None:
                end = end or time.monotonic() + seconds
                timeout, last = SILENCE_S, time.monotonic()
                self.samples.append(sample)
                self._print(sample)
            elif time.monotonic() - last > timeout:
                raise SystemExit(f"soak: no response for {timeout:.0f} s: {self._last_line()}")
            try:
                code = self._process.wait(SAMPLE_EVERY_S)
            except subprocess.TimeoutExpired:
                continue
            raise SystemExit(f"soak: `memesnipe up` ended with {code}: {self._last_line()}")

    def _sample(self) -> Sample | None:
        """Return the current figures; None when a server does not respond."""
        try:
            settings = read_resolved(Home(self._home).settings) if Home(self._home).settings.is_file() else None
            if settings is None or settings.servers.redis_url is None or settings.servers.database_url is None:
                return None
            if self._database is None:
                self._database = connect(settings.servers.database_url.get_secret_value())
            with self._database.connect() as connection:
                run_id = latest_run(connection)
                events = report(connection, run_id)["events"] if run_id else {"published": 0}
                postgres = connection.scalar(sa.text("SELECT pg_database_size(current_database())"))
            if not events["published"]:
                return None
            with redis.Redis.from_url(settings.servers.redis_url.get_secret_value(), socket_timeout=5) as client:
                info: Any = client.info("memory")
                beats: Any = client.mget([HEARTBEAT_KEY.format(actor) for actor in ACTORS])
        except (sa.exc.OperationalError, redis.RedisError, OSError):
            return None
        pids = {orjson.loads(beat)["pid"]: actor for actor, beat in zip(ACTORS, beats, strict=True) if beat}
        return Sample(
            at_s=round(time.monotonic() - self._began, 1),
            events=events["published"],
            lag=events["published"] - events["consumed"],
            redis_mb=info["used_memory"] / MB,
            postgres_mb=int(postgres or 0) / MB,
            memory_mb=self._memory(pids),
        )

    def _memory(self, actors: dict[int, str]) -> dict[str, float]:
        """Return the unshared memory of each role in MB: shared memory would count once per process."""
        found: Counter[str] = Counter()
        up = psutil.Process(self._process.pid)
        for process in (up, *up.children(recursive=True)):
            try:
                memory = process.memory_info()
                found["up" if process == up else role_of(process, actors)] += memory.rss - memory.shared
            except psutil.Error:
                continue  # it has ended meanwhile
        return {role: size / MB for role, size in found.items()}

    def _print(self, sample: Sample) -> None:
        _errors.print(
            f"{sample.at_s:7.0f} s  {sample.events:9,} events  lag {sample.lag:5,}  "
            f"memory {sum(sample.memory_mb.values()):6.0f} MB  redis {sample.redis_mb:5.0f} MB  "
            f"postgres {sample.postgres_mb:5.0f} MB",
            soft_wrap=True,
        )

    def _last_line(self) -> str:
        lines = (self._folder / "stderr").read_text(errors="replace").strip().splitlines()
        return lines[-1] if lines else "no output"

    def largest_tables(self) -> dict[str, tuple[float, int, int]]:
        """Return the largest tables with their size with indexes in MB, and approximate live and dead rows."""
        assert self._database is not None  # noqa: S101 - connected by the first sample
        query = sa.text(
            "SELECT relname, pg_total_relation_size(relid), n_live_tup, n_dead_tup FROM pg_stat_user_tables "
            "ORDER BY 2 DESC LIMIT 6"
        )
        with self._database.connect() as connection:
            return {name: (round(size / MB, 1), rows, dead) for name, size, rows, dead in connection.execute(query)}

    @property
    def recoveries(self) -> dict[str, int]:
        """Return how often each actor recovered from an error; without kills, every recovery is a fault."""
        logs = Home(self._home).logs
        counts = {
            a: sum(1 for f in logs.glob(f"{a}.jsonl*") for line in f.open() if '"recovering"' in line) for a in ACTORS
        }
        return {actor: count for actor, count in counts.items() if count}

    def stop(self) -> int:
        """Send Ctrl-C; return the exit code."""
        if self._database is not None:
            self._database.dispose()
        if self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGINT)
            try:
                self._process.wait(STOP_S)
            except subprocess.TimeoutExpired:
                self._process.kill()
        return self._process.wait()

    def differences(self) -> list[str]:
        """Return the differences between the run's records and those re-derived from its events."""
        command = [str(COMMAND), "verify", "--json"]
        environment = os.environ | {"MEMESNIPE_HOME": str(self._home)}
        done = subprocess.run(command, cwd=self._folder, env=environment, capture_output=True, text=True, check=False)
        if not done.stdout:
            return [f"verify: {done.stderr.strip().splitlines()[-1] if done.stderr.strip() else 'no output'}"]
        return [f"verify: {difference}" for difference in json.loads(done.stdout)["differences"]]


def main() -> int:
    minutes = float(os.environ.get("SOAK_MINUTES", "60"))
    folder = Path(tempfile.mkdtemp(prefix="memesnipe-soak-", dir="/tmp")).resolve()
    folder.chmod(0o755)  # as root, PostgreSQL runs as another user
    try:
        soak = Soak(folder)
        try:
            soak.run(minutes * 60)
            tables = soak.largest_tables()
        finally:
            code = soak.stop()
        recoveries = soak.recoveries
        differences = soak.differences()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    trends = trends_of(soak.samples)
    is_assessed = minutes >= MIN_MINUTES
    wrong = [*verdict_on(trends, code, recoveries, with_memory=is_assessed), *differences]
    show(trends, _errors)
    _errors.print("Largest tables (MB, rows, dead rows):", tables, markup=False)
    if not is_assessed:
        _errors.print(f"Memory was not assessed: that needs {MIN_MINUTES:.0f} minutes.")
    for line in wrong:
        _errors.print(line, markup=False)
    result = {
        "minutes": minutes,
        "samples": len(soak.samples),
        "events": soak.samples[-1].events,
        "trends": {name: {key: round(v, 2) for key, v in asdict(t).items()} for name, t in trends.items()},
        "tables": tables,
        "recoveries": recoveries,
        "memory_judged": is_assessed,
        "wrong": wrong,
        "clean": not wrong,
    }
    print(json.dumps(result))
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
