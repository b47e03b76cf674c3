"""A small run of the real roles, one step at a time in one process: everything except Ray."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
import redis
import sqlalchemy as sa

import memesnipe.roles.consumer
import memesnipe.roles.position
import memesnipe.roles.sharded_executor
from memesnipe.bus.merge import ForeignEntryError
from memesnipe.bus.redis_bus import Bus
from memesnipe.config.home import Home, installation_of
from memesnipe.config.settings import settings_from, write_resolved
from memesnipe.engine.genome import Genome
from memesnipe.evolution.evaluation import Evaluation, evaluate
from memesnipe.evolution.samples import Sample
from memesnipe.feeds.choice import AS_FAST_AS_POSSIBLE, FeedChoice, make_feed
from memesnipe.feeds.synthetic.feed import SyntheticFeed
from memesnipe.market.sequencer import Sequencer
from memesnipe.protocol.commands import CommandName
from memesnipe.protocol.streams import EVENT_READERS
from memesnipe.roles.arena import ArenaRole
from memesnipe.roles.context import Context
from memesnipe.roles.executor import Executor
from memesnipe.roles.market_data import MarketData
from memesnipe.roles.sharded_executor import ShardedExecutor
from memesnipe.roles.strategy_factory import StrategyFactory
from memesnipe.sdk.registry import Families, discover
from memesnipe.storage.command_submission import submit
from memesnipe.storage.commands import enqueue
from memesnipe.storage.flattening import read_held
from memesnipe.storage.runs import ARENA_SHARDS, LIVE_CAPITAL, begin_run, finish_run, is_complete
from memesnipe.storage.schema import StrategyRow
from memesnipe.tapes.tape import Tape, write_tape
from memesnipe.telemetry.metrics import ActorMetrics
from memesnipe.testing.simulator.role_process import ROLES, Role
from memesnipe.testing.simulator.settings import LENIENT
from tests.execution.scripted_chain import ScriptedChain

TAPE_EVENTS = 4_000
LIVE_LAMPORTS = 33_000_000  # of the live account, where there is one

_SETTINGS = {
    **LENIENT,
    "min_sharpe_to_stay": -1000,
    "population_size": 30,
    "first_population_size": 30,
    "specs_per_generation": 15,
    "rebalance_interval_secs": 20,
    "generation_interval_secs": 60,
    "training_hours": 0.15,
}
# Manual commands: the fraction of the tape at which each is submitted, and the mode of its strategy, of a close the
# account of its position.
_COMMANDS = {
    0.4: (CommandName.PROMOTE, "simulating"),
    0.6: (CommandName.DEMOTE, "paper"),
    0.65: (CommandName.CLOSE, "paper"),
    0.77: (CommandName.HALT, ""),
    0.9: (CommandName.RISK_RESET, ""),
}

_KINDS = tuple(ROLES.values())


@cache
def families_in(*folders: Path) -> Families:
    """Return the strategies, bundled or in ``folders``: read and checked once for all roles, runs and audits."""
    return discover(*folders)


class SmallRuns:
    """Runs of one tape in one folder."""

    def __init__(
        self,
        home: Path,
        database: sa.Engine,
        redis_url: str,
        chain: ScriptedChain | None = None,
        commands: Mapping[float, tuple[CommandName, str]] = _COMMANDS,
        settings: Mapping[str, Any] | None = None,
        market: Tape | None = None,
        arenas: int = 0,
    ) -> None:
        """Prepare runs of a ``market``, or of a synthetic one.

        With a ``chain`` they have a live account, whose orders it executes. So many ``arenas`` have roles of their own;
        with 0 the executor has the only arena.
        """
        self.home, self.database, self.redis_url = home, database, redis_url
        self.chain, self._commands, self.arenas = chain, commands, arenas
        self.failures = 0  # of roles that were opened again
        self.settings = settings_from(
            {
                **_SETTINGS,
                **(settings or {}),
                "memesnipe_home": home,
                "redis_url": redis_url,
                "database_url": database.url.render_as_string(hide_password=False),
            },
            env_file=None,
        )
        write_resolved(self.settings, Home(home).settings)
        tape = home / "small.tape"
        write_tape(tape, market or synthetic_tape())
        self.choice = FeedChoice("replay", AS_FAST_AS_POSSIBLE, str(tape))

    def event_log(self, run_id: int) -> Path:
        return Context(self.home, run_id).event_log

    def run(self, feed: str, on_command: Callable[[int], None], faults: Sequence[Callable[[], object]] = ()) -> int:
        """Run to the end, and submit the manual commands; after each, call ``on_command`` with the number of the run.

        The faults are injected at even fractions of the tape; a role that fails is opened again.
        """
        own: dict[str, Any] = {LIVE_CAPITAL: LIVE_LAMPORTS} if self.chain is not None else {}
        own |= {ARENA_SHARDS: self.arenas} if self.arenas else {}
        run_id = begin_run(self.database, feed, self.choice.to_dict(), self.settings.deciding | own).run_id
        bus = Bus(self.redis_url)
        bus.take_over(installation_of(self.home), run_id)
        bus.close()
        self.roles = roles = self.open(run_id)
        commands = dict(self._commands)
        due = {(i + 1) / (len(faults) + 1): fault for i, fault in enumerate(faults)}
        while not self._is_complete(run_id):
            for part in [part for part in due if roles[0].seq >= part * TAPE_EVENTS]:
                due.pop(part)()
            for i, role in enumerate(roles):
                if self.chain is not None:
                    self.chain.now = roles[1].seq
                try:
                    role.step()
                except (redis.ConnectionError, ForeignEntryError):
                    if not faults:
                        raise
                    self._open_again(run_id, roles, i)
            for part in [part for part in commands if roles[0].seq >= part * TAPE_EVENTS]:
                if self._submit(run_id, *commands[part]):
                    commands.pop(part)
                    on_command(run_id)
        assert not commands, "not all commands were submitted"
        assert not due, "not all faults were injected"
        for role in roles:
            role.close()
        finish_run(self.database, run_id)
        return run_id

    def open(self, run_id: int) -> list[Role]:
        made = [self._make(run_id, i) for i in range(len(_KINDS) + self.arenas)]
        for role in made:
            role.open()
        return made

    def kill(self, i: int) -> None:
        """Drop a role as if its process had died, and open another one in its place."""
        run_id = self.roles[i].context.run_id
        self.roles[i].context.close()
        self.roles[i] = self._make(run_id, i)
        self.roles[i].open()

    def _make(self, run_id: int, i: int) -> Role:
        """Make a role: those of every run, then the arenas."""
        context = Context(self.home, run_id)
        vars(context)["families"] = families_in(*self.settings.simulation.strategy_folders)
        if i >= len(_KINDS):
            arena = i - len(_KINDS)
            return ArenaRole(context, ActorMetrics("executor"), arena)
        kind = ShardedExecutor if self.arenas and _KINDS[i] is Executor else _KINDS[i]
        parts: dict[type[Any], Callable[[], Any]] = {
            StrategyFactory: lambda: _evaluator(context),
            MarketData: lambda: make_feed(context.choice, context.feed_checkpoints),
            Executor: lambda: None if self.chain is None else lambda _: self.chain,
        }
        given = [parts[_KINDS[i]]()] if _KINDS[i] in parts else []
        made: Role = kind(context, ActorMetrics(kind.name), *given)
        return made

    def _open_again(self, run_id: int, roles: list[Role], failed: int) -> None:
        """Open a failed role again, after market_data, for whose events it may wait."""
        self.failures += 1
        for i in sorted({0, failed}):
            for attempt in range(5):
                roles[i].close()
                roles[i] = self._make(run_id, i)
                try:
                    roles[i].open()
                    break
                except (redis.ConnectionError, ForeignEntryError):
                    assert attempt < 4, "it does not recover"

    def _is_complete(self, run_id: int) -> bool:
        with self.database.connect() as connection:
            return is_complete(connection, run_id, EVENT_READERS)

    def _submit(self, run_id: int, name: CommandName, mode: str) -> bool:
        """Submit a command; return False where nothing is held that could be closed."""
        if name is CommandName.CLOSE:
            return self._submit_close(run_id, mode)
        first = sa.select(sa.func.min(StrategyRow.spec_id)).where(
            StrategyRow.run_id == run_id, StrategyRow.mode == mode
        )
        with self.database.begin() as connection:
            enqueue(connection, run_id, name, spec_id=connection.scalar(first) or "")
        return True

    def _submit_close(self, run_id: int, account: str) -> bool:
        with self.database.connect() as connection:
            held = read_held(connection, run_id, account)
        if not held:
            return False
        (_, spec_id, _), position = next(iter(held.items()))
        asked = {"spec_id": spec_id, "account": account, "mint": position.mint, "reason": ""}
        submit(self.database, CommandName.CLOSE, **asked, deadline=time.monotonic() + 60)
        return True


def synthetic_tape() -> Tape:
    """Return the synthetic market."""
    sequencer = Sequencer(60, 600)
    events, _ = sequencer.stamp(list(islice(SyntheticFeed(7).messages(0), TAPE_EVENTS)))
    return Tape(events, sequencer.mints)


def _evaluator(context: Context) -> "memesnipe.roles.strategy_factory.Evaluate":
    def on_sample(_generation: int, sample: Sample, genomes: list[Genome]) -> list[Evaluation]:
        train, validation = sample.segments()
        capital_usd = context.settings.simulation.shadow_capital_usd
        return evaluate(train, validation, genomes, context.families, context.fill_model, capital_usd)

    return on_sample


@contextmanager
def small_runs(home: Path, database: sa.Engine, redis_url: str, **given: Any) -> Iterator[SmallRuns]:
    """Yield runs whose roles never block, because each step follows the previous one."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(memesnipe.roles.consumer, "BLOCK_MS", 1)
        patch.setattr(memesnipe.roles.position, "BLOCK_MS", 1)
        patch.setattr(memesnipe.roles.sharded_executor, "BLOCK_MS", 1)
        yield SmallRuns(home, database, redis_url, **given)
