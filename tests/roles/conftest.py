"""A separate run on real servers, whose roles a test advances step by step."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import redis
import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert

from memesnipe.bus.merge import Entry
from memesnipe.config.home import Home
from memesnipe.config.settings import settings_from, write_resolved
from memesnipe.feeds.base import Feed
from memesnipe.feeds.choice import FeedChoice
from memesnipe.feeds.live import MAX_QUEUED, LiveFeed
from memesnipe.feeds.positioned import PositionedFeed
from memesnipe.protocol.messages import ExecutorProgress
from memesnipe.protocol.streams import EVENT_STREAMS, PROGRESS
from memesnipe.roles.consumer import Consumer
from memesnipe.roles.context import Context
from memesnipe.roles.market_data import MarketData
from memesnipe.storage.journal import UnitOfWork
from memesnipe.storage.lease import Epochs
from memesnipe.storage.runs import begin_run
from memesnipe.storage.schema import StreamOffsetRow
from memesnipe.telemetry.metrics import ActorMetrics
from memesnipe.testing.live_source import ScriptedSource


class ListFeed(PositionedFeed):
    """A feed of the messages of a list."""

    def __init__(self, raw: list[Any]) -> None:
        self.raw = raw
        self.total = len(raw)

    def messages(self, position: int) -> Iterator[Any]:
        return iter(self.raw[position:])


class Reader(Consumer):
    """Stands in for the executor: records the events that it reads, and publishes its progress."""

    name = "executor"

    def __init__(self, context: Context, metrics: ActorMetrics) -> None:
        super().__init__(context, metrics)
        self.seen: list[int] = []

    def handle(self, entries: list[Entry], work: UnitOfWork) -> None:
        self.seen += [entry.seq for entry in entries if entry.stream in EVENT_STREAMS]
        work.send(ExecutorProgress(seq=entries[-1].seq))

    def dump(self) -> bytes:
        return b"nothing"

    def load(self, state: bytes) -> None:
        assert state == self.dump()


class Listener(Reader):
    """Stands in for the position role: records the progress messages that it reads."""

    name = "position"

    def handle(self, entries: list[Entry], work: UnitOfWork) -> None:
        self.seen += [entry.number for entry in entries if entry.stream == PROGRESS]


@dataclass
class Stage:
    """The run, its servers, and the roles that were created."""

    home: Path
    run_id: int
    database: sa.Engine
    redis: "redis.Redis"
    monkeypatch: pytest.MonkeyPatch
    started: list[Any] = field(default_factory=list)
    epochs: Epochs = field(default_factory=dict)  # of the process in which the roles run

    def context(self) -> Context:
        return Context(self.home, self.run_id, epochs=self.epochs)

    def start(self, role: Callable[..., Any], *arguments: Any, name: str = "test") -> Any:
        """Create a role, not open yet."""
        made = role(self.context(), ActorMetrics(name), *arguments)
        self.started.append(made)
        return made

    def market(self, feed: Feed | list[Any]) -> MarketData:
        """Create market data on a feed, or on a feed of these messages."""
        made: MarketData = self.start(MarketData, ListFeed(feed) if isinstance(feed, list) else feed)
        return made

    def live(self, source: ScriptedSource, capacity: int = MAX_QUEUED) -> MarketData:
        """Create and open market data on a live feed of a source."""
        made = self.market(LiveFeed("test", source, capacity))
        made.open()
        return made

    def has_read(self, actor: str, stream: str, seq: int) -> None:
        """Store the offset of a reader that is not part of the test."""
        row = {"run_id": self.run_id, "actor": actor, "stream": stream, "number": seq, "seq": seq, "consumed": seq}
        statement = insert(StreamOffsetRow).values(row)
        keys = [column.name for column in StreamOffsetRow.__table__.primary_key.columns]
        with self.database.begin() as connection:
            connection.execute(statement.on_conflict_do_update(index_elements=keys, set_=row))


@pytest.fixture
def stage(
    tmp_path: Path,
    database: sa.Engine,
    database_url: str,
    empty_redis: Callable[[], str],
    as_operator: Callable[[str], str],
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Stage]:
    """Yield a run at full speed, in lockstep; a decision is due every 60 s of event time."""
    own = empty_redis()
    values = {"database_url": database_url.replace("+psycopg", ""), "redis_url": own, "memesnipe_home": tmp_path}
    settings = settings_from(values, env_file=None)
    write_resolved(settings, Home(tmp_path).settings)
    (tmp_path / "logs").mkdir()
    run = begin_run(database, f"test:{uuid4().hex}", FeedChoice("list", 0.0).to_dict(), {})
    with redis.Redis.from_url(as_operator(own)) as client:
        made = Stage(tmp_path, run.run_id, database, client, monkeypatch)
        yield made
    for role in made.started:
        role.close()
