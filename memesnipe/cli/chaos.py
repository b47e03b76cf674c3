"""`memesnipe chaos`: kill parts of a running system at random, and see that its books are those of a calm run."""

import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from itertools import islice
from pathlib import Path
from typing import Any, Final

import orjson
from rich.console import Console
from rich.progress import Progress

from memesnipe.cli.chaos_targets import TARGETS, Targets
from memesnipe.errors import MemeSnipeError, RefusedError
from memesnipe.feeds.synthetic import SyntheticFeed
from memesnipe.local.servers import LocalServers
from memesnipe.market.sequencer import Sequencer
from memesnipe.market.tape import Tape, TapeFile, write_tape
from memesnipe.settings import load_settings
from memesnipe.storage.audit import compare, read_run
from memesnipe.storage.database import connect
from memesnipe.storage.views import latest_run
from memesnipe.trading.derivation import Books

# Small and quick, and lenient enough that strategies trade on paper from the first minutes of the tape on.
_SETTINGS: Final = {
    "POPULATION_SIZE": "12",
    "SPECS_PER_GENERATION": "4",
    "REBALANCE_INTERVAL_SECS": "20",
    "GENERATION_INTERVAL_SECS": "60",
    "TAPE_WINDOW_EVENTS": "3000",
    "MIN_OBSERVATION_SECS": "0",
    "MIN_TRADES_FOR_PROMOTION": "1",
    "MIN_SHARPE_FOR_PROMOTION": "-1000",
    "MAX_DRAWDOWN_FOR_PROMOTION": "1",
}
_MARKET_SEED: Final = 7  # a market in which those settings make strategies trade from early on
_EVENTS_AT_LEAST: Final = 4_000
_EVENTS_A_KILL: Final = 500
_PATIENCE_S: Final = 180.0  # without any progress the system hangs
_POLL_S: Final = 0.02
_LAST_KILL: Final = 0.97  # of the tape


def chaos(kills: int, seed: int, tape: Path | None, *, keep: bool) -> dict[str, Any]:
    """Replay a tape twice, once in peace and once under fire, and compare.

    Raises:
        RefusedError: servers that are not ours to kill are configured.
    """
    settings = load_settings()
    for name in ("redis_url", "database_url", "ray_address"):
        if getattr(settings, name):
            raise RefusedError(f"{name.upper()} is set: chaos only kills servers of its own; unset it")
    folder = Path(tempfile.mkdtemp(prefix="memesnipe-chaos-"))
    folder.chmod(0o755)  # the embedded PostgreSQL runs as another user where we are root
    try:
        tape = tape or _made_tape(folder / "chaos.tape", max(_EVENTS_AT_LEAST, kills * _EVENTS_A_KILL))
        events = TapeFile(tape).count
        with Progress(console=Console(stderr=True)) as progress:
            calm = _Replay(folder / "calm", tape)
            bar = progress.add_task("in peace", total=events)
            calm.run(lambda seq: progress.update(bar, completed=seq))
            shaken = _Replay(folder / "shaken", tape)
            fire = _Fire(shaken.targets, kills, seed, events)
            bar = progress.add_task(f"under fire, {kills} kills", total=events)

            def shoot(seq: int) -> None:
                fire.look(seq)
                progress.update(
                    bar, completed=seq, description=f"under fire, {sum(fire.hits.values())} of {kills} kills"
                )

            shaken.run(shoot)
        differences = list(compare(shaken.books(), calm.books()))
        verdict = shaken.command("verify", "--json")
        report = shaken.report
        return {
            "kills": sum(fire.hits.values()),
            "by_target": dict(fire.hits),
            "events": report["events"],
            "orders": report["orders"],
            "trades": report["trades"],
            "equity_usd": report["equity_usd"],
            "seconds_in_peace": round(calm.seconds, 1),
            "seconds_under_fire": round(shaken.seconds, 1),
            "same_as_in_peace": not differences,
            "verified": verdict["clean"],
            "differences": differences[:20] + verdict["differences"][:20],
            "clean": not differences and verdict["clean"] and sum(fire.hits.values()) == kills,
        }
    finally:
        if keep:
            Console(stderr=True).print(f"kept: {folder}", soft_wrap=True)
        else:
            shutil.rmtree(folder, ignore_errors=True)


def _made_tape(path: Path, events: int) -> Path:
    """A tape of the synthetic market."""
    sequencer = Sequencer(60, 600)
    stamped, _ = sequencer.stamp(list(islice(SyntheticFeed(_MARKET_SEED).messages(0), events)))
    write_tape(path, Tape(stamped, sequencer.mints))
    return path


class _Fire:
    """Which target is killed when; both are drawn from the seed."""

    def __init__(self, targets: Targets, kills: int, seed: int, events: int) -> None:
        self.hits: Counter[str] = Counter()
        self._targets = targets
        rng = random.Random(seed)  # noqa: S311 - reproducible on purpose
        drawn = [*TARGETS, *rng.choices(TARGETS, k=max(0, kills - len(TARGETS)))][:kills]
        rng.shuffle(drawn)
        gap = _LAST_KILL * events / max(kills, 1)
        self._moments = [(i + rng.random()) * gap for i in range(kills)][::-1]
        self._waiting = drawn

    def look(self, seq: int) -> None:
        """Kill what is due at this event. What is not there to be killed is killed as soon as it is."""
        while self._moments and seq >= self._moments[-1] and self._waiting:
            target = next((t for t in self._waiting if self._targets.kill(t)), None)
            if target is None:
                return
            self._waiting.remove(target)
            self._moments.pop()
            self.hits[target] += 1


class _Replay:
    """One replay of the tape at full speed, in a home of its own, as a user would start it."""

    def __init__(self, folder: Path, tape: Path) -> None:
        folder.mkdir(mode=0o755)
        self.home = folder / ".memesnipe"
        self.targets = Targets(self.home)
        self.report: dict[str, Any] = {}
        self.seconds = 0.0
        self._folder, self._tape = folder, tape.resolve()
        kept = {name: value for name, value in os.environ.items() if not name.startswith("RAY_")}
        self._environment = kept | _SETTINGS | {"MEMESNIPE_HOME": str(self.home)}

    def run(self, look: Callable[[int], None]) -> None:
        """Replay to the end, and call ``look`` with the executor's last event all the time.

        Raises:
            MemeSnipeError: it ended in another way than by itself, or hangs.
        """
        command = [sys.executable, "-m", "memesnipe", "up", "--feed", "replay", "--tape", str(self._tape)]
        command += ["--speed", "max", "--until-end", "--json"]
        started = time.monotonic()
        with (self._folder / "stdout").open("wb") as out, (self._folder / "stderr").open("wb") as err:
            process = subprocess.Popen(  # noqa: S603 - our own command
                command, cwd=self._folder, env=self._environment, stdout=out, stderr=err, start_new_session=True
            )
        try:
            self._watch(process, look)
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGINT)
                process.wait(_PATIENCE_S)
        self.seconds = time.monotonic() - started
        if process.returncode != 0:
            said = (self._folder / "stderr").read_text(errors="replace").strip().splitlines()
            raise MemeSnipeError(f"`memesnipe up` ended with {process.returncode}: {said[-1] if said else ''}")
        self.report = orjson.loads((self._folder / "stdout").read_bytes())

    def _watch(self, process: "subprocess.Popen[bytes]", look: Callable[[int], None]) -> None:
        furthest, moved_at = 0, time.monotonic()
        while process.poll() is None:
            seq = self.targets.seq()
            if seq > furthest:
                furthest, moved_at = seq, time.monotonic()
            elif time.monotonic() - moved_at > _PATIENCE_S:
                raise MemeSnipeError(f"nothing has moved for {_PATIENCE_S:.0f} s after event {furthest}: it hangs")
            look(furthest)
            time.sleep(_POLL_S)

    def command(self, *arguments: str) -> dict[str, Any]:
        """What a command in this installation says as JSON."""
        done = subprocess.run(  # noqa: S603 - our own command
            [sys.executable, "-m", "memesnipe", *arguments],
            cwd=self._folder,
            env=self._environment,
            capture_output=True,
            check=False,
        )
        if not done.stdout:
            raise MemeSnipeError(f"`memesnipe {arguments[0]}` said nothing: {done.stderr.decode().strip()}")
        return dict(orjson.loads(done.stdout))

    def books(self) -> Books:
        """The books as they were recorded."""
        with LocalServers(self.home) as servers:
            engine = connect(servers.start(need_redis=False).database_url or "")
            with engine.connect() as connection:
                return read_run(connection, latest_run(connection) or 0).books
