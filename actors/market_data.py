"""Market data: reads the feed, numbers its events, writes them down, and publishes them."""

import time
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

import orjson
from sqlalchemy import update
from sqlalchemy.dialects.postgresql import insert

from actors.context import Context
from memesnipe.bus.streams import (
    ALLOCATIONS,
    EVENT_READERS,
    EVENT_STREAMS,
    EVENTS,
    KEEP_EVENTS,
    MAX_IN_FLIGHT,
)
from memesnipe.feeds.base import open_feed
from memesnipe.market.codec import STREAM_OF_KIND, to_messages
from memesnipe.market.events import NS_PER_S, Events
from memesnipe.market.sequencer import Rejected, Sequencer
from memesnipe.storage.event_log import EventLog
from memesnipe.storage.runs import Cursor, read_cursor, read_mints, read_positions
from memesnipe.storage.schema import FeedCursor, RejectedEvent, Token
from memesnipe.telemetry.metrics import ActorMetrics

_BATCH = 512
_LONGEST_SLEEP_S = 0.2
_POLL_S = 0.002
_TIDY_EVERY = 100  # batches


class MarketData:
    """The only writer of `events:*`, and so the clock of the run: it marks where decisions are due.

    The order of writing is what makes a crash harmless: first the event log, then the cursor in PostgreSQL, then
    Redis. What the log has beyond the cursor is cut off and read again from the feed; what Redis lacks is
    published again from the log.
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
        self._batches = 0
        self._waiting: dict[str, Any] | None = None  # read from the feed, not yet due

    @property
    def seq(self) -> int:
        """The last event that was published."""
        return self._cursor.seq

    def open(self) -> None:
        """Take the feed up where the last commit left it."""
        settings = self.context.settings
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
        self._messages: Iterator[dict[str, Any]] = self._feed.messages(self._cursor.position)
        self._waiting = None
        self._started = time.monotonic()
        self._first_ts: int | None = None
        self._republish()
        self.log.info("opened", run=self.context.run_id, seq=self.seq, position=self._cursor.position)

    def step(self) -> None:
        """Publish what is due, once the readers have caught up far enough."""
        if self._cursor.ended or not self._may_go_on():
            time.sleep(_LONGEST_SLEEP_S if self._cursor.ended else _POLL_S)
            return
        raw, ended = self._take_due()
        if raw or ended:
            self._publish(raw, ended=ended)

    def _may_go_on(self) -> bool:
        """Whether readers have kept up, and in lockstep whether the last decision has been carried out."""
        with self.context.database.connect() as connection:
            if self._choice.lockstep and self._cursor.decision_seq:
                _, answered = read_positions(connection, self.context.run_id, ALLOCATIONS).get("executor", (0, 0))
                return answered >= self._cursor.decision_seq
            readers = read_positions(connection, self.context.run_id, EVENTS)
        slowest = min(readers.get(reader, (0, 0))[1] for reader in EVENT_READERS)
        return self._cursor.seq - slowest < MAX_IN_FLIGHT

    def _take_due(self) -> tuple[list[dict[str, Any]], bool]:
        """Feed events that are due, at most one batch, up to the first decision; and whether the feed ended."""
        raw: list[dict[str, Any]] = []
        while len(raw) < _BATCH:
            if self._waiting is None:
                self._waiting = next(self._messages, None)
            if self._waiting is None:
                return raw, True
            if not self._is_due(self._waiting, wait=not raw):
                break
            raw.append(self._waiting)
            self._waiting = None
            if self._choice.lockstep and self._sequencer.decides(raw):
                break
        # Looking one ahead tells the last event from the others, so that the end of a tape is a decision too.
        if self._waiting is None:
            self._waiting = next(self._messages, None)
        return raw, self._waiting is None

    def _is_due(self, message: dict[str, Any], *, wait: bool) -> bool:
        """Whether an event's time has come; sleeps a little towards it when there is nothing else to do."""
        if self._choice.lockstep or not isinstance(message.get("ts"), int):
            return True
        if self._first_ts is None:
            self._first_ts = message["ts"]
        due: float = self._started + (message["ts"] - self._first_ts) / NS_PER_S / self._choice.speed
        early = due - time.monotonic()
        if early > 0 and wait:
            time.sleep(min(early, _LONGEST_SLEEP_S))
        return early <= 0

    def _publish(self, raw: list[dict[str, Any]], *, ended: bool) -> None:
        known = len(self._sequencer.mints)
        events, rejected = self._sequencer.stamp(raw, is_last=ended)
        self._event_log.append(events)
        decisions = events["seq"][events["flags"] > 0]
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
                "raw": repr(r.raw)[:2000],
            }
            for r in rejected
        ]
        with self.context.database.begin() as connection:
            connection.execute(update(FeedCursor).where(FeedCursor.run_id == run_id).values(**asdict(cursor)))
            if tokens:
                connection.execute(insert(Token).values(tokens))
            if aside:
                connection.execute(insert(RejectedEvent).values(aside))
        for r in rejected:
            self.log.warning("event put aside", reason=r.reason)

    def _send(self, events: Events) -> None:
        self.context.bus.publish(
            (STREAM_OF_KIND[int(kind)], message["seq"], message["seq"], orjson.dumps(message))
            for kind, message in zip(events["kind"], to_messages(events, self._sequencer.mints), strict=True)
        )
        self.metrics.took_in("feed", len(events))

    def _republish(self) -> None:
        """Publish from the log what Redis lacks; after a loss, as far back as any reader may look."""
        bus = self.context.bus
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
