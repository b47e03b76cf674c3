"""A replay of a tape in its own home, started like by a user, with commands at planned events."""

import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import orjson
from sqlalchemy import Engine, text

from memesnipe.config.home import Home
from memesnipe.errors import MemeSnipeError
from memesnipe.protocol.commands import CommandName
from memesnipe.protocol.streams import ALLOCATIONS
from memesnipe.runtime.database import migrated
from memesnipe.runtime.up_process import UpProcess, last_line
from memesnipe.servers.servers import LocalServers
from memesnipe.testing.chaos.targets import Targets

# A small population and lenient promotion, so that strategies trade on paper from the first minutes of the tape; and
# nobody looks at Ray's dashboard.
QUICK: Final = {
    "POPULATION_SIZE": "12",
    "FIRST_POPULATION_SIZE": "12",
    "SPECS_PER_GENERATION": "4",
    "REBALANCE_INTERVAL_SECS": "20",
    "GENERATION_INTERVAL_SECS": "60",
    "SYNTHETIC_PAST_HOURS": "0",
    "TRAINING_HOURS": "0.15",
    "MIN_DEFLATED_SHARPE_FOR_ARENA": "0",
    "MIN_OBSERVATION_SECS": "0",
    "MIN_TRADES_FOR_PROMOTION": "1",
    "MIN_SHARPE_FOR_PROMOTION": "-1000",
    "MIN_SHARPE_TO_STAY": "-1000",
    "MAX_DRAWDOWN_FOR_PROMOTION": "1",
    "MIN_EXPECTED_RETURN": "-1000",
    "DEMOTION_EVIDENCE": "1e9",
    "PROBATION_CAPITAL_USD": "150",
    "MAX_PROBATION_STRATEGIES": "100",
    "RAY_DASHBOARD": "false",
}
# When a Ray has died, its processes end after 2 s instead of a minute. And they get as much of the processor as others:
# by default Ray's workers leave it to every other program.
RAY_ENVIRONMENT: Final = {"RAY_gcs_rpc_server_reconnect_timeout_s": "2", "RAY_worker_niceness": "0"}
_STALL_TIMEOUT_S: Final = 400.0  # without progress for so long the system hangs
_START_TIMEOUT_S: Final = 1_200.0  # until the first event, for a very busy machine
AIM_POLL_S: Final = 0.001  # short, to aim at activities
_SEQ_POLL_S: Final = 0.02
_PROGRESS_POLL_S: Final = 0.1

# A command takes effect after the last published event, before or after the allocations that follow from that event,
# whichever the executor receives first. To take effect at the same point in every replay, it must be enqueued while the
# feed waits at the same decision, and once the executor has applied that decision. A database trigger does so in the
# transaction in which the executor applies it.
_PLAN: Final = (
    "CREATE TABLE chaos_plan (after_seq bigint NOT NULL, name text NOT NULL)",
    """
    CREATE FUNCTION enqueue_planned() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        WITH due AS (DELETE FROM chaos_plan WHERE after_seq <= NEW.seq RETURNING after_seq, name)
        INSERT INTO commands (run_id, name, spec_id, reason)
        SELECT NEW.run_id, name, '', 'chaos' FROM due ORDER BY after_seq;
        RETURN NULL;
    END $$
    """,
    f"""
    CREATE TRIGGER enqueue_planned AFTER INSERT OR UPDATE ON stream_offsets FOR EACH ROW
    WHEN (NEW.actor = 'executor' AND NEW.stream = '{ALLOCATIONS}') EXECUTE FUNCTION enqueue_planned()
    """,
)

Plan = Mapping[int, CommandName]


def home_of(folder: Path) -> Path:
    """Return the home of the installation in a replay's folder."""
    return folder / ".memesnipe"


class Replay:
    """A replay at full speed."""

    def __init__(self, folder: Path, tape: Path, plan: Plan, arenas: int = 1) -> None:
        folder.mkdir(mode=0o755)
        self.home = home_of(folder)
        self.targets = Targets(self.home)
        self.report: dict[str, Any] = {}
        self.seconds = 0.0
        self._tape, self._plan = tape.resolve(), plan
        kept = {name: value for name, value in os.environ.items() if not name.startswith("RAY_")}
        own = {"MEMESNIPE_HOME": str(self.home), "ARENA_SHARDS": str(arenas)}
        self._up = UpProcess(folder, kept | QUICK | RAY_ENVIRONMENT | own)

    def run(self, on_progress: Callable[[int], None], poll_s: float = _PROGRESS_POLL_S) -> None:
        """Replay to the end, and call ``on_progress`` with the executor's last event every ``poll_s`` seconds.

        Raises:
            MemeSnipeError: the replay failed or hangs.
        """
        self._write_plan()
        started = time.monotonic()
        self._up.start("--feed", "replay", "--tape", str(self._tape), "--speed", "max", "--until-end")
        try:
            last_seq = self._watch(on_progress, poll_s)
        finally:
            self._up.stop()
        self.seconds = time.monotonic() - started
        if code := self._up.exit_code:
            raise MemeSnipeError(f"`memesnipe up` exited with {code} after event {last_seq}: {self._up.last_message()}")
        self.report = self._up.report()

    def _write_plan(self) -> None:
        with self.database() as engine, engine.begin() as connection:
            for statement in _PLAN:
                connection.execute(text(statement))
            for after_seq, name in self._plan.items():
                values = {"after_seq": after_seq, "name": name.value}
                connection.execute(text("INSERT INTO chaos_plan VALUES (:after_seq, :name)"), values)

    def _watch(self, on_progress: Callable[[int], None], poll_s: float) -> int:
        last_seq, moved_at, read_at = 0, time.monotonic(), 0.0
        while self._up.exit_code is None:
            now = time.monotonic()
            if now - read_at > _SEQ_POLL_S:
                seq, read_at = self.targets.seq(), now
                if seq > last_seq:
                    last_seq, moved_at = seq, now
                elif now - moved_at > (timeout_s := _STALL_TIMEOUT_S if last_seq else _START_TIMEOUT_S):
                    raise MemeSnipeError(f"the replay hangs: no progress for {timeout_s:.0f} s after event {last_seq}")
            on_progress(last_seq)
            time.sleep(poll_s)
        return last_seq

    def command(self, *arguments: str) -> dict[str, Any]:
        """Run a command in this installation; return its JSON output."""
        done = self._up.command(*arguments)
        if not done.stdout:
            message = last_line(done.stderr)
            raise MemeSnipeError(f"`memesnipe {arguments[0]}` exited with {done.returncode}: {message}")
        return dict(orjson.loads(done.stdout))

    @contextmanager
    def database(self) -> Iterator[Engine]:
        """Open the installation's database; nothing else of it may run."""
        with LocalServers(*Home(self.home).server_folders) as servers:
            engine = migrated(servers.start(need_redis=False).database_url or "")
            try:
                yield engine
            finally:
                engine.dispose()
