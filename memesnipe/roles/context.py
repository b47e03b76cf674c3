"""The resources of an actor, derived from two plain values so that no secret is passed as an argument."""

from collections.abc import Callable, Iterable
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import Engine, event

from memesnipe.bus.redis_bus import Bus
from memesnipe.clock import SYSTEM_CLOCK, Clock
from memesnipe.config.home import Home, installation_of
from memesnipe.config.policies import Capital, capital_of, fill_model_of
from memesnipe.config.settings import Settings, read_resolved
from memesnipe.engine.fills import FillModel
from memesnipe.engine.warm import compile_all
from memesnipe.errors import SettingsError
from memesnipe.feeds.choice import FeedChoice
from memesnipe.protocol.account import Account
from memesnipe.protocol.streams import ARENAS, EVENT_READERS, readers_in
from memesnipe.roles.activity import COMMITTING, ActivityTracker
from memesnipe.roles.simulation_snapshot import EVERY_S
from memesnipe.roles.training_window import SLICE_EVENTS
from memesnipe.sdk.registry import Families, discover
from memesnipe.storage.database import ACTOR_OPTIONS, connect, time_statements
from memesnipe.storage.journal import Journal
from memesnipe.storage.lease import EPOCHS_OF_THIS_PROCESS, Epochs
from memesnipe.storage.runs import ARENA_SHARDS, read_live_capital, read_run_settings, read_stream_key, run_options
from memesnipe.tapes.spans import SPAN_S, TapePolicy
from memesnipe.telemetry.logs import Logger, open_log, start_copy

if TYPE_CHECKING:  # OpenTelemetry is off by default
    from memesnipe.telemetry.traces import Traces


@dataclass
class Context:
    """The home folder of the installation and the run, and the resources that follow from them."""

    home: Path
    run_id: int
    activity: ActivityTracker = field(default_factory=ActivityTracker)
    clock: Clock = SYSTEM_CLOCK
    snapshot_every_s: float = EVERY_S
    tape_span_s: int = SPAN_S
    slice_events: int = SLICE_EVENTS  # of the window of a generation
    epochs: Epochs = field(default_factory=lambda: EPOCHS_OF_THIS_PROCESS)
    on_statement: Callable[[float], None] | None = None  # called with the seconds of each statement

    @cached_property
    def settings(self) -> Settings:
        """The settings, as `memesnipe up` resolved them."""
        return read_resolved(Home(self.home).settings)

    @cached_property
    def database(self) -> Engine:
        """The connections to PostgreSQL.

        Raises:
            SettingsError: no database is set, and none is embedded on this node.
        """
        if self.settings.servers.database_url is None:
            raise SettingsError("DATABASE_URL is not set, and there is no embedded PostgreSQL on this node")
        # Unchecked: an actor recovers from every error, and events wait for each of its requests.
        engine = connect(self.settings.servers.database_url.get_secret_value(), ACTOR_OPTIONS, checked=False)
        # Every commit sets the activity; a connection that only reads commits nothing.
        event.listen(engine, "commit", lambda _: self.activity.set(COMMITTING))
        event.listen(engine, "checkin", lambda *_: self.activity.end_commit())
        if self.on_statement is not None:
            time_statements(engine, self.on_statement)
        return engine

    @cached_property
    def bus(self) -> Bus:
        """The streams in Redis.

        Raises:
            SettingsError: no Redis is set, and none is embedded on this node.
        """
        if self.settings.servers.redis_url is None:
            raise SettingsError("REDIS_URL is not set, and there is no embedded Redis on this node")
        return Bus(self.settings.servers.redis_url.get_secret_value(), self.clock)

    @property
    def stream_key(self) -> bytes:
        """The key of the MACs of the run's entries; readers reject entries with another MAC."""
        return read_stream_key(self.database, self.run_id)

    @cached_property
    def families(self) -> Families:
        """The strategy families: the bundled ones and the user's."""
        return discover(*self.settings.simulation.strategy_folders)

    @cached_property
    def choice(self) -> FeedChoice:
        """The feed that the last start of the run selected."""
        return FeedChoice(**run_options(self.database, self.run_id))

    @cached_property
    def capital(self) -> dict[Account, Capital]:
        """The accounts of the run, each with its starting capital."""
        return capital_of(self.settings, read_live_capital(self.database, self.run_id))

    @cached_property
    def arenas(self) -> int:
        """The number of the run's arenas that have processes of their own; 0 where the executor has the only arena."""
        with self.database.connect() as connection:
            return int(read_run_settings(connection, self.run_id).get(ARENA_SHARDS, 0))

    @cached_property
    def readers(self) -> dict[str, tuple[str, ...]]:
        """The readers of each stream of the run, except those of the events."""
        return readers_in(self.arenas)

    @cached_property
    def event_readers(self) -> tuple[str, ...]:
        """The readers of the run's events."""
        return (*EVENT_READERS, *ARENAS[: self.arenas])

    @property
    def installation(self) -> str:
        """The name of this installation, which distinguishes installations that share a server."""
        return installation_of(self.home)

    @property
    def fill_model(self) -> FillModel:
        """The fees, latency and landing of orders."""
        return fill_model_of(self.settings)

    @property
    def halt_file(self) -> Path:
        """The path of the kill file."""
        return Home(self.home).signer_halt

    @property
    def event_log(self) -> Path:
        """The path of the run's event log."""
        return Home(self.home).run(self.run_id).event_log

    @property
    def tapes(self) -> Path:
        """The path of the folder of the run's tapes."""
        return Home(self.home).tapes(self.run_id)

    @property
    def tape_policy(self) -> TapePolicy:
        """The event time of each tape, and how long the tapes are kept."""
        return TapePolicy(self.settings.evolution.tape_retention_days * 86_400, self.tape_span_s)

    @property
    def past_tape(self) -> Path:
        """The path of the tape with the past of the generated market."""
        return Home(self.home).past_tape(self.choice.generated, self.choice.seed, self.choice.past_hours)

    @property
    def feed_checkpoints(self) -> Path:
        """The path of the checkpoints of a feed."""
        return Home(self.home).run(self.run_id).feed_checkpoints

    def journal(self, actor: str, writes: Iterable[str]) -> Journal:
        """Return the actor's journal, not open yet; ``writes`` are the streams that it writes."""
        return Journal(self.database, self.run_id, actor, writes, self.clock, self.epochs)

    def snapshot_file(self, actor: str) -> Path:
        """Return the path of an actor's snapshot, a state that can also be derived again."""
        return Home(self.home).run(self.run_id).snapshot(actor)

    def compile_strategies(self) -> None:
        """Compile the engine and all strategy families in this process."""
        compile_all(self.families)

    def background_writer(self) -> Executor:
        """Return a thread that writes files while the actor works."""
        return ThreadPoolExecutor(1, "files")

    def log(self, actor: str) -> Logger:
        """Open the actor's log, whose lines have the number of the run."""
        log = open_log(Home(self.home).logs, actor, self.settings.telemetry.log_level).bind(run=self.run_id)
        start_copy(self.settings.telemetry.log_copy, log)
        return log

    def traces(self, actor: str) -> "Traces | None":
        """Return where an actor's spans go; None if tracing is off."""
        endpoint = self.settings.telemetry.otlp_endpoint
        if endpoint is None:
            return None
        from memesnipe.telemetry.traces import Traces  # noqa: PLC0415 - slow to load

        return Traces(endpoint, actor, self.run_id)

    def take_over(self, changes: dict[str, Any]) -> None:
        """Take over new values of reloadable settings; whoever reads the settings next finds them."""
        self.settings = self.settings.changed(**changes)

    def close(self) -> None:
        """Close the connections that were opened."""
        if "bus" in vars(self):
            self.bus.close()
        if "database" in vars(self):
            self.database.dispose()
