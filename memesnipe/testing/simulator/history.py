"""One simulated run: built from a seed, and run to its end under faults."""

import random
from collections.abc import Callable
from pathlib import Path
from typing import Final

from sqlalchemy import select

from memesnipe.config.home import Home
from memesnipe.protocol.commands import CommandName
from memesnipe.protocol.heartbeat import ARENAS
from memesnipe.protocol.streams import EVENT_READERS, STREAMS
from memesnipe.storage.commands import enqueue
from memesnipe.storage.event_log import offset_after
from memesnipe.storage.flattening import read_held
from memesnipe.storage.runs import ARENA_SHARDS, begin_run, finish_run, is_complete, read_cursor
from memesnipe.storage.schema import StrategyRow
from memesnipe.testing.simulator.database import Database
from memesnipe.testing.simulator.faults import Fault, plan_faults
from memesnipe.testing.simulator.invariants import InvariantError, Invariants
from memesnipe.testing.simulator.machine import Machine
from memesnipe.testing.simulator.market import MARKETS, write_history
from memesnipe.testing.simulator.redis_server import RedisServer, Stream
from memesnipe.testing.simulator.role_process import ROLES, RoleProcess
from memesnipe.testing.simulator.scheduler import Process, Scheduler
from memesnipe.testing.simulator.settings import simulated_settings

MAX_STEPS: Final = 20_000  # a run without an end is a defect
_FAULTS_UNTIL: Final = 1_200  # steps; about as many as a run without faults takes
_COPY_EVERY: Final = 100  # steps between two copies of the Redis data, one of which a restart restores
_RESTART_S: Final = 2.0  # the longest time until another process takes the place of a killed one
_COMMANDS: Final = tuple(name for name in CommandName if name is not CommandName.CLOSE)  # which needs a position
_WITH_ARENAS: Final = 5  # one of so many runs has arenas with processes of their own
_MAX_ARENAS: Final = 3
_CLOSED: Final = 0.4  # share of the commands that close a position instead, where one is held


class History:
    """A run in a folder, its processes and what happens to them.

    Attributes:
        database: of the run.
        home: the folder.
        commands: whether users request commands.
        arenas: how many arenas have processes of their own; 0 where the executor has the only one.
        machine: the servers and files.
        scheduler: the order of the steps.
        invariants: the checks of each step.
    """

    def __init__(self, seed: int, database: Database, home: Path, *, disturbed: bool = True) -> None:
        rng = random.Random(seed)  # noqa: S311 - repeatable on purpose
        self._rng, self.database, self.home = rng, database, home
        live = rng.random() < 0.3 and disturbed
        self.commands = rng.random() < 0.5 and disturbed
        number = MARKETS[seed % len(MARKETS)]
        plan = plan_faults(rng, 8, _FAULTS_UNTIL, commands=self.commands) if disturbed else []
        self.scheduler = Scheduler(rng, plan, self._inject)
        database.reset()
        database.now_s = lambda: self.scheduler.now_s
        database.on_statement = self._on_statement
        self.arenas = arenas_of(seed) if disturbed else 0
        own = {ARENA_SHARDS: self.arenas} if self.arenas else {}
        run_id = begin_run(database.engine, "simulated", {}, simulated_settings().deciding | own).run_id
        server = RedisServer(rng)
        self.machine = Machine(home, database, server, rng, number, run_id, live, self.arenas)
        if number % 2:
            write_history(number, home / "history.tape")
        self._copies = [server.copy()]
        self.invariants = Invariants(self.machine)
        for name in (*ROLES, *ARENAS[: self.arenas]):
            self._start(name, 0.0)

    def _on_statement(self) -> None:
        if self.scheduler.current is not None:
            self.scheduler.current.step_in_transaction()

    def _start(self, name: str, after_s: float) -> None:
        process = RoleProcess(name, self.scheduler, self.machine, self.invariants.check_money)
        process.wake_s = self.scheduler.now_s + after_s
        self.scheduler.processes.append(process)

    def run(self) -> None:
        """Run to the end.

        Raises:
            InvariantError: an invariant does not hold, or the run does not end.
        """
        scheduler = self.scheduler
        while not self._is_complete():
            process = scheduler.run_one()
            if process.has_ended:
                self._replace_killed(process)
            self.invariants.check()
            if scheduler.steps // _COPY_EVERY >= len(self._copies):
                self._copies.append(self.machine.server.copy())
            if scheduler.steps > MAX_STEPS:
                raise InvariantError(f"the run has not ended after {MAX_STEPS:,} steps")
        self.stop()
        finish_run(self.database.engine, self.machine.run_id)

    def stop(self) -> None:
        """Kill all processes."""
        for process in self.scheduler.processes:
            process.kill()
        self.scheduler.processes.clear()
        self.database.on_statement = lambda: None

    def _replace_killed(self, process: Process) -> None:
        self.scheduler.processes.remove(process)
        if process.name == "market_data":
            self._tear_event_log()
        if all(other.name != process.name for other in self.scheduler.processes):
            self._start(process.name, self._rng.random() * _RESTART_S)

    def _is_complete(self) -> bool:
        if not self.invariants.may_be_complete:
            return False
        self.invariants.may_be_complete = False
        with self.database.engine.connect() as connection:
            return is_complete(connection, self.machine.run_id, EVENT_READERS)

    def _inject(self, fault: Fault, process: Process) -> None:
        inject: Callable[[Fault, Process], None] = getattr(self, f"_inject_{fault.kind}")
        inject(fault, process)

    def _inject_replace(self, _fault: Fault, process: Process) -> None:
        if sum(other.name == process.name for other in self.scheduler.processes) == 1:
            self._start(process.name, 0.0)

    def _inject_redis_restart(self, fault: Fault, _process: Process) -> None:
        self.machine.server.restart(self._copies[int(fault.value * len(self._copies))])

    def _inject_redis_flush(self, _fault: Fault, _process: Process) -> None:
        self.machine.server.values.clear()

    def _inject_redis_foreign_entry(self, fault: Fault, _process: Process) -> None:
        values = self.machine.server.values
        streams = [value for key, value in values.items() if key in STREAMS and isinstance(value, Stream)]
        if not streams:
            return
        stream = streams[int(fault.value * len(streams))]
        stream.last = (stream.last[0] + 1, self._rng.randrange(2**63))
        stream.ids.append(stream.last)
        stream.fields.append({b"seq": b"1", b"data": b"{}"})

    def _inject_snapshot_lost(self, fault: Fault, _process: Process) -> None:
        """Cut the file of a snapshot: the executor's, or one of an arena."""
        run = Home(self.home).run(self.machine.run_id)
        paths = [run.snapshot(name) for name in ("executor", *ARENAS[: self.arenas])]
        found = [path for path in paths if path.is_file()]
        if not found:
            return
        place = fault.value * len(found)
        path = found[int(place)]
        content = path.read_bytes()
        path.write_bytes(content[: int(place % 1.0 * len(content))])

    def _inject_command(self, fault: Fault, _process: Process) -> None:
        place = fault.value * len(_COMMANDS)
        name, rest = _COMMANDS[int(place)], place % 1.0
        with self.database.engine.begin() as connection:
            held = sorted(read_held(connection, self.machine.run_id, ""))
            if held and rest < _CLOSED:
                account, spec_id, token = held[int(rest / _CLOSED * len(held))]
                run_id = self.machine.run_id
                enqueue(connection, run_id, CommandName.CLOSE, spec_id=spec_id, account=account, token=token)
                return
            known = list(connection.scalars(select(StrategyRow.spec_id).order_by(StrategyRow.spec_id)))
            spec_id = self._rng.choice(known) if known else ""
            enqueue(connection, self.machine.run_id, name, spec_id=spec_id)

    def _tear_event_log(self) -> None:
        """Cut or spoil the bytes of the event log that a killed process had not committed."""
        path = Home(self.home).run(self.machine.run_id).event_log
        if not path.is_file():
            return
        with self.database.engine.connect() as connection:
            committed = offset_after(read_cursor(connection, self.machine.run_id).seq)
        content = bytearray(path.read_bytes())
        if len(content) <= committed:
            return
        cut = self._rng.randint(committed, len(content))
        spoilt = self._rng.random() < 0.5
        path.write_bytes(content[:cut] + self._rng.randbytes(len(content) - cut if spoilt else 0))


def arenas_of(seed: int) -> int:
    """Return how many arenas of a seed's run have processes of their own: 1 to 3 in one of five runs, else 0."""
    return 1 + seed // _WITH_ARENAS % _MAX_ARENAS if seed % _WITH_ARENAS == _WITH_ARENAS // 2 else 0
