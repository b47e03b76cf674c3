"""What an actor is given to work with, made from two plain values so that no secret travels as an argument."""

from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from sqlalchemy import Engine, event

from memesnipe.bus.redis_bus import Bus
from memesnipe.config.home import Home, installation_of
from memesnipe.config.policies import fill_model_of
from memesnipe.config.settings import Settings, read_resolved
from memesnipe.engine.fills import FillModel
from memesnipe.errors import SettingsError
from memesnipe.feeds.choice import FeedChoice
from memesnipe.roles.activity import COMMITTING, ActivityTracker
from memesnipe.sdk.registry import Families, discover
from memesnipe.storage.database import OF_ACTORS, connect
from memesnipe.storage.runs import read_stream_key, run_options
from memesnipe.telemetry.logs import Logger, open_log


@dataclass
class Context:
    """The home folder of the installation and the run, and everything that follows from them."""

    home: Path
    run_id: int
    activity: ActivityTracker = field(default_factory=ActivityTracker)

    @cached_property
    def settings(self) -> Settings:
        """What `memesnipe up` decided."""
        return read_resolved(Home(self.home).settings)

    @cached_property
    def database(self) -> Engine:
        """PostgreSQL."""
        if self.settings.servers.database_url is None:
            raise SettingsError("DATABASE_URL is not set, and there is no embedded PostgreSQL on this node")
        engine = connect(self.settings.servers.database_url.get_secret_value(), OF_ACTORS)
        # Whoever commits, it shows; what only reads never gets as far.
        event.listen(engine, "commit", lambda _: self.activity.at(COMMITTING))
        event.listen(engine, "checkin", lambda *_: self.activity.committed())
        return engine

    @cached_property
    def bus(self) -> Bus:
        """Redis."""
        if self.settings.servers.redis_url is None:
            raise SettingsError("REDIS_URL is not set, and there is no embedded Redis on this node")
        return Bus(self.settings.servers.redis_url.get_secret_value())

    @property
    def stream_key(self) -> bytes:
        """What seals the entries of the run: whoever has not got it writes nothing that is believed."""
        return read_stream_key(self.database, self.run_id)

    @cached_property
    def families(self) -> Families:
        """The strategies that were found: the bundled ones and the user's."""
        return discover(*self.settings.simulation.strategy_folders)

    @cached_property
    def choice(self) -> FeedChoice:
        """The feed, as the last start chose it."""
        return FeedChoice(**run_options(self.database, self.run_id))

    @property
    def installation(self) -> str:
        """A name for this folder, so that two of them notice each other on a shared server."""
        return installation_of(self.home)

    @property
    def fill_model(self) -> FillModel:
        """How orders get onto the chain."""
        return fill_model_of(self.settings)

    @property
    def event_log(self) -> Path:
        """The file of the run's events."""
        return Home(self.home).run(self.run_id).event_log

    @property
    def feed_checkpoints(self) -> Path:
        """Where a feed that is generated keeps its state."""
        return Home(self.home).run(self.run_id).feed_checkpoints

    def snapshot_file(self, actor: str) -> Path:
        """Where an actor keeps a state that can be derived again."""
        return Home(self.home).run(self.run_id).snapshot(actor)

    def log(self, actor: str) -> Logger:
        """The actor's log."""
        return open_log(Home(self.home).logs, actor, self.settings.telemetry.log_level)

    def close(self) -> None:
        """Close what was opened."""
        if "bus" in vars(self):
            self.bus.close()
        if "database" in vars(self):
            self.database.dispose()
