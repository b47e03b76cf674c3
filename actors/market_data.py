"""Market data: reads the feed, numbers its events, writes them down, and publishes them."""

import time
from collections import deque
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any, Final

import orjson
from sqlalchemy import update

from actors.context import Context
from memesnipe.bus.streams import (
    ALLOCATIONS,
    COMMANDS,
    EVENT_READERS,
    EVENT_STREAMS,
    EVENTS,
    KEEP_EVENTS,
    MAX_IN_FLIGHT,
    READERS,
)
from memesnipe.feeds.base import open_feed
from memesnipe.market.codec import STREAM_OF_KIND, to_messages
from memesnipe.market.events import DECISION, NS_PER_S, STALE, Events
from memesnipe.market.sequencer import LAST_TS, Rejected, Sequencer, time_of
from memesnipe.storage.commands import place, waiting
from memesnipe.storage.event_log import EventLog
from memesnipe.storage.journal import Journal
from memesnipe.storage.runs import Cursor, read_cursor, read_mints, read_positions
from memesnipe.storage.schema import FeedCursor, RejectedEvent, Token
from memesnipe.telemetry.metrics import ActorMetrics
from memesnipe.telemetry.seldom import Seldom

_BATCH = 512
_LONGEST_SLEEP_S = 0.2
_POLL_S = 0.002
_TIDY_EVERY = 100  # batches
_NOTHING: Final = object()  # None may be what a feed says, and is put aside then


class MarketData:
    """The only writer of `events:*`, and so the clock of the run: it marks where decisions are due.

    The order of writing is what makes a crash harmless: first the event log, then the cursor in PostgreSQL, then
    Redis. What the log has beyond the cursor is cut off and read again from the feed; what Redis lacks is
    published again from the log.

    It also gives what people ask for (`memesnipe.storage.commands`) its place among the events, so that everyone who
    obeys does so at the same point of the run, and marks the events that were told too late to act on.
    """

    name = "market_data"

    def __init__(self, context: Context, metrics: ActorMetrics) -> None:
        self.context = context
        self.metrics = metrics
        self.log = context.log(self.name)
        self._cursor = Cursor(0, 0, 0, 0, 0, ended=False)
        self._choice = context.choice
        self._feed = open_feed(self._choice)
        self._event_log = EventLog(context.event_log)
        self._journal = Journal(context.database, context.run_id, self.name, (COMMANDS,))
        self._aside = Seldom()
        self._batches = 0
        self._unread: deque[tuple[int, float]] = deque()  # of each batch the last event, and when it was published
        self._waiting: Any = _NOTHING  # read from the feed, not yet due

    @property
    def seq(self) -> int:
        """The last event that was published."""
        return self._cursor.seq

    def open(self) -> None:
        """Take the feed up where the last commit left it."""
        settings = self.context.settings
        self.context.bus.begin(self.context.installation)
        self._journal.open()
        with self.context.database.connect() as connection:
            self._cursor = read_cursor(connection, self.context.run_id)
            mints = read_mints(connection, self.context.run_id)
        self._event_log.cut(self._cursor.seq)
        self._sequencer = Sequencer(
            settings.rebalance_interval_secs,
            settings.generation_interval_secs,
            self._cursor.seq,
            self._cursor.ts,
            mints,
        )
        self._messages: Iterator[Any] = self._feed.messages(self._cursor.position)
        self._waiting = _NOTHING
        self._started = time.monotonic()
        self._first_ts: int | None = None
        self._unread.clear()
        self._republish()
        self.log.info("opened", run=self.context.run_id, seq=self.seq, position=self._cursor.position)

    def step(self) -> None:
        """Publish what is due, once the readers have caught up far enough."""
        self.context.bus.assert_whole()  # while we wait for readers they may wait for what Redis has lost
        self._take_commands()
        if self._cursor.ended or not self._may_go_on():
            time.sleep(_LONGEST_SLEEP_S if self._cursor.ended else _POLL_S)
            return
        raw, ended = self._take_due()
        if raw or ended:
            self._publish(raw, ended=ended)

    def _take_commands(self) -> None:
        """Give the commands that wait their place: behind the last event that was published."""
        with self.context.database.connect() as connection:
            commands = waiting(connection, self.context.run_id)
        if not commands:
            return
        effects = self._journal.effects()
        for command in commands:
            effects.send(COMMANDS, self.seq, asdict(command))
            effects.change(place(command.command_id, self.seq))
        self.context.bus.publish(self._journal.commit(effects, {}))
        self.log.info("commands", seq=self.seq, names=[command.name for command in commands])

    def _may_go_on(self) -> bool:
        """Whether readers have kept up, and in lockstep whether the last decision has been carried out."""
        with self.context.database.connect() as connection:
            if self._choice.lockstep and self._cursor.decision_seq:
                _, answered = read_positions(connection, self.context.run_id, ALLOCATIONS).get("executor", (0, 0))
                return answered >= self._cursor.decision_seq
            readers = read_positions(connection, self.context.run_id, EVENTS)
        done = readers.get("executor", (0, 0))[1]
        while self._unread and self._unread[0][0] <= done:
            self._unread.popleft()
        slowest = min(readers.get(reader, (0, 0))[1] for reader in EVENT_READERS)
        return self._cursor.seq - slowest < MAX_IN_FLIGHT

    def _take_due(self) -> tuple[list[Any], bool]:
        """Feed events that are due, at most one batch, up to the first decision; and whether the feed ended."""
        raw: list[Any] = []
        while len(raw) < _BATCH:
            if self._waiting is _NOTHING:
                self._waiting = next(self._messages, _NOTHING)
            if self._waiting is _NOTHING:
                return raw, True
            if not self._is_due(self._waiting, wait=not raw):
                break
            raw.append(self._waiting)
            self._waiting = _NOTHING
            if self._choice.lockstep and self._sequencer.decides(raw):
                break
        # Looking one ahead tells the last event from the others, so that the end of a tape is a decision too.
        if self._waiting is _NOTHING:
            self._waiting = next(self._messages, _NOTHING)
        return raw, self._waiting is _NOTHING

    def _is_due(self, message: Any, *, wait: bool) -> bool:
        """Whether an event's time has come; sleeps a little towards it when there is nothing else to do."""
        ts = time_of(message)
        # What is told as it happens is due, and what has no time or an impossible one is put aside at once.
        if self._choice.lockstep or self._feed.live or not 0 < ts <= LAST_TS:
            return True
        early = self._due_at(ts) - time.monotonic()
        if early > 0 and wait:
            time.sleep(min(early, _LONGEST_SLEEP_S))
        return early <= 0

    def _due_at(self, ts: int) -> float:
        """When an event of that time is due, by the machine's clock."""
        if self._first_ts is None:
            self._first_ts = ts
        return self._started + (ts - self._first_ts) / NS_PER_S / self._choice.speed

    def _is_late(self, last_ts: int) -> bool:
        """Whether events up to a time come too late to act on: we are late, or the executor has yet to see old ones."""
        if self._choice.lockstep:
            return False
        now = time.monotonic()
        oldest = min(self._due_at(last_ts), self._unread[0][1] if self._unread else now)
        return (now - oldest) * 1000 > self.context.settings.max_data_age_ms

    def _publish(self, raw: list[Any], *, ended: bool) -> None:
        known = len(self._sequencer.mints)
        now_ns = time.time_ns() if self._feed.live else None
        events, rejected = self._sequencer.stamp(raw, is_last=ended, now_ns=now_ns)
        if len(events) and self._is_late(int(events["ts"][-1])):
            events["flags"] |= STALE
        self._event_log.append(events)
        decisions = events["seq"][events["flags"] & DECISION > 0]
        cursor = Cursor(
            position=self._cursor.position + len(raw),
            seq=self._sequencer.last_seq,
            ts=self._sequencer.last_ts,
            rejected=self._cursor.rejected + len(rejected),
            decision_seq=int(decisions[-1]) if len(decisions) else self._cursor.decision_seq,
            ended=ended,
        )
        self._commit(cursor, rejected, known)
        self._cursor = cursor
        self._send(events)
        self._unread.append((cursor.seq, time.monotonic()))
        self._batches += 1
        if self._batches % _TIDY_EVERY == 0:
            self._trim()

    def _commit(self, cursor: Cursor, rejected: list[Rejected], known_mints: int) -> None:
        run_id = self.context.run_id
        mints = self._sequencer.mints[known_mints:]
        tokens = [{"run_id": run_id, "token": known_mints + i, "mint": mint} for i, mint in enumerate(mints)]
        aside = [
            {
                "run_id": run_id,
                "position": self._cursor.position + r.index,
                "reason": r.reason,
                "raw": r.text,
            }
            for r in rejected
        ]
        effects = self._journal.effects()
        effects.change(update(FeedCursor).where(FeedCursor.run_id == run_id).values(**asdict(cursor)))
        effects.add(Token, tokens)
        effects.add(RejectedEvent, aside)
        self._journal.commit(effects, {})
        for r in rejected:
            self.metrics.put_aside(r.sort)
            count = self._aside.count(r.sort, time.monotonic())
            if count:
                self.log.warning("events put aside", sort=r.sort, count=count, reason=r.reason)

    def _send(self, events: Events) -> None:
        self.context.bus.publish(
            (STREAM_OF_KIND[int(kind)], message["seq"], message["seq"], orjson.dumps(message))
            for kind, message in zip(events["kind"], to_messages(events, self._sequencer.mints), strict=True)
        )
        self.metrics.took_in("feed", len(events))

    def _republish(self) -> None:
        """Publish from the log what Redis lacks; after a loss, as far back as any reader may look."""
        bus = self.context.bus
        # Commands first: nobody must go past the event behind which one has its place.
        bus.publish(self._journal.owed({COMMANDS: bus.last_number(COMMANDS)}, READERS))
        last = max(bus.last_number(stream) for stream in EVENT_STREAMS)
        first = last + 1 if last else max(1, self._cursor.seq - KEEP_EVENTS)
        for start in range(first, self._cursor.seq + 1, _BATCH):
            self._send(self._event_log.read(start, min(start + _BATCH - 1, self._cursor.seq)))

    def _trim(self) -> None:
        for stream in EVENT_STREAMS:
            self.context.bus.trim(stream, self._cursor.seq - KEEP_EVENTS)

    def close(self) -> None:
        """Let go of the log and the connections."""
        self._event_log.close()
        self.context.close()
