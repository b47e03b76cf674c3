"""Market data: reads the feed, numbers its events, writes them down, and publishes them."""

import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any, Final

from sqlalchemy import update

from memesnipe.feeds.base import open_feed
from memesnipe.market.events import DECISION, REBALANCE, STALE, Events
from memesnipe.market.plausible import LAST_TS
from memesnipe.market.sequencer import Rejected, Sequencer, time_of
from memesnipe.protocol.events import to_payloads
from memesnipe.protocol.payload import encode
from memesnipe.protocol.streams import (
    ALLOCATIONS,
    COMMANDS,
    EVENT_READERS,
    EVENT_STREAMS,
    EVENTS,
    KEEP_EVENTS,
    MAX_IN_FLIGHT,
    READERS,
)
from memesnipe.roles.activity import WORKING
from memesnipe.roles.context import Context
from memesnipe.roles.feed_clock import FeedClock
from memesnipe.storage.commands import PendingCommand, assign_seq, pending_commands
from memesnipe.storage.event_log import EventLog
from memesnipe.storage.journal import Journal
from memesnipe.storage.runs import Cursor, read_cursor, read_mints, read_positions
from memesnipe.storage.schema import FeedCursorRow, RejectedEventRow, TokenRow
from memesnipe.telemetry.log_throttle import LogThrottle
from memesnipe.telemetry.metrics import ActorMetrics

_BATCH = 512
_MAX_SLEEP_S = 0.2
_MAX_WAIT_S = 0.05  # for readers, who say when they have come further; a word of theirs may be lost
_LOOK_S = 5.0  # of waiting for the same thing, until it is looked whether a generation is the reason
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
        self._feed = open_feed(self._choice, context.feed_checkpoints)
        self._event_log: EventLog | None = None
        max_age_s = context.settings.risk.max_data_age_ms / 1000
        self._pace = FeedClock(self._choice.speed, max_age_s, live=self._feed.live, lockstep=self._choice.lockstep)
        self._journal = Journal(context.database, context.run_id, self.name, (COMMANDS,))
        self._rejections = LogThrottle()
        self._batches = 0
        self._waits_for_decision = False  # in lockstep
        self._slowest = 0  # the last event that every reader has taken in, as far as we know
        self._waiting: Any = _NOTHING  # read from the feed, not yet due

    @property
    def seq(self) -> int:
        """The last event that was published."""
        return self._cursor.seq

    def open(self) -> None:
        """Take the feed up where the last commit left it."""
        settings = self.context.settings
        # The lease first: then one that was replaced can commit nothing, its mark in Redis is gone, and it lets the
        # event log go as soon as it notices.
        self._journal.open()
        self.context.bus.begin(self.context.installation, self.context.run_id, self.name, self.context.stream_key)
        self._event_log = EventLog(self.context.event_log)
        with self.context.database.connect() as connection:
            self._cursor = read_cursor(connection, self.context.run_id)
            mints = read_mints(connection, self.context.run_id)
            self._see_readers(*read_positions(connection, self.context.run_id, EVENTS))
        self._event_log.cut(self._cursor.seq)
        self._sequencer = Sequencer(
            settings.trading.rebalance_interval_secs,
            settings.evolution.generation_interval_secs,
            self._cursor.seq,
            self._cursor.ts,
            mints,
        )
        self._messages: Iterator[Any] = self._feed.messages(self._cursor.position)
        self._waiting = _NOTHING
        self._pace.begin(time.monotonic())
        self._republish(self._event_log)
        self.log.info("opened", run=self.context.run_id, seq=self.seq, position=self._cursor.position)

    def step(self) -> None:
        """Publish what is due, once the readers have caught up far enough."""
        self.context.bus.assert_whole()  # while we wait for readers they may wait for what Redis has lost
        if not self._may_go_on():
            self._journal.renew()
            stream = ALLOCATIONS if self._waits_for_decision else EVENTS
            self.context.bus.wait_for_progress(stream, _MAX_SLEEP_S if self._cursor.ended else _MAX_WAIT_S)
            return
        raw = self._take_due()
        if raw or self._peek() is _NOTHING:
            self._publish(raw)

    def _may_go_on(self) -> bool:
        """Place the commands that wait; whether readers have kept up, and in lockstep carried out the last decision."""
        with self.context.database.connect() as connection:
            commands = pending_commands(connection, self.context.run_id)
            events, decided = read_positions(connection, self.context.run_id, EVENTS, ALLOCATIONS)
        self._see_readers(events)
        if commands:
            self._place(commands)
        _, answered = decided.get("executor", (0, 0))
        self._waits_for_decision = self._choice.lockstep and answered < self._cursor.decision_seq
        self._look_at_readers(events, answered)
        if self._cursor.ended or self._waits_for_decision:
            return False
        return self._cursor.seq - self._slowest < MAX_IN_FLIGHT

    def _look_at_readers(self, events: dict[str, tuple[int, int]], answered: int) -> None:
        """Tell what the run waits for, where somebody is behind and does not move on."""
        last = {reader: events.get(reader, (0, 0))[1] for reader in EVENT_READERS}
        reader = min(last, key=lambda reader: last[reader])
        awaited = ""
        if last[reader] < self._cursor.seq:
            awaited = f"{reader} to take in event {last[reader] + 1:,}"
        elif answered < self._cursor.decision_seq:
            awaited = f"the decision that comes after that of event {answered:,}"
        activity = self.context.activity
        activity.awaits(awaited)
        # A generation may take its time: as long as one is bred, everybody may wait for it.
        if activity.awaited_s() > _LOOK_S and self.context.bus.is_any("breeding"):
            activity.awaits("")

    def _place(self, commands: list[PendingCommand]) -> None:
        """Give the commands that wait their place: behind the last event that was published."""
        work = self._journal.unit_of_work()
        for command in commands:
            work.send(command.at(self.seq))
            work.change(assign_seq(command.command_id, self.seq))
        self.context.bus.publish(self._journal.commit(work, {}))
        self.log.info("commands", seq=self.seq, names=[command.name for command in commands])

    def _see_readers(self, positions: dict[str, tuple[int, int]]) -> None:
        self._pace.taken_in(positions.get("executor", (0, 0))[1])
        self._slowest = min(positions.get(reader, (0, 0))[1] for reader in EVENT_READERS)

    def _peek(self) -> Any:
        """What the feed says next, which is still to be taken; nothing where it has ended."""
        if self._waiting is _NOTHING:
            self._waiting = next(self._messages, _NOTHING)
        return self._waiting

    def _take(self) -> Any:
        message, self._waiting = self._peek(), _NOTHING
        return message

    def _take_due(self) -> list[Any]:
        """Feed events that are due, at most one batch, up to the first decision."""
        raw: list[Any] = []
        while len(raw) < _BATCH and self._peek() is not _NOTHING and self._is_due(self._waiting, wait=not raw):
            raw.append(self._take())
            if self._choice.lockstep and self._sequencer.decides(raw):
                break
        return raw

    def _is_due(self, message: Any, *, wait: bool) -> bool:
        """Whether an event's time has come; sleeps a little towards it when there is nothing else to do."""
        ts = time_of(message)
        if not 0 < ts <= LAST_TS:
            return True  # what has no time or an impossible one is put aside at once
        early_s = self._pace.due_in_s(ts, time.monotonic())
        if early_s > 0 and wait:
            time.sleep(min(early_s, _MAX_SLEEP_S))
        return early_s <= 0

    def _stamp(self, raw: list[Any]) -> tuple[Events, list[Rejected]]:
        """Number the events, and mark the late ones and the last one of the feed; ``raw`` grows by what is no event."""
        now_ns = time.time_ns()
        events, rejected = self._sequencer.stamp(raw, now_ns=now_ns if self._feed.live else None)
        # The end of a feed is a decision too. Whether this is it shows behind what will be put aside, if anything is.
        # A live feed may say such things for ever, and its events must not wait for it to stop.
        while not self._feed.live and self._peek() is not _NOTHING:
            flawed = self._sequencer.rejection(self._waiting, len(raw))
            if flawed is None:
                break
            rejected.append(flawed)
            raw.append(self._take())
        events["flags"][self._pace.are_late(events["ts"], time.monotonic(), now_ns)] |= STALE
        if len(events) and self._peek() is _NOTHING:
            events["flags"][-1] |= REBALANCE
        return events, rejected

    def _publish(self, raw: list[Any]) -> None:
        assert self._event_log is not None  # noqa: S101 - it is open
        self.context.activity.at(WORKING)
        known = len(self._sequencer.mints)
        events, rejected = self._stamp(raw)
        self._event_log.append(events)
        decisions = events["seq"][events["flags"] & DECISION > 0]
        cursor = Cursor(
            position=self._cursor.position + len(raw),
            seq=self._sequencer.last_seq,
            ts=self._sequencer.last_ts,
            rejected=self._cursor.rejected + len(rejected),
            decision_seq=int(decisions[-1]) if len(decisions) else self._cursor.decision_seq,
            ended=self._peek() is _NOTHING,
            rejected_because=dict(Counter(self._cursor.rejected_because) + Counter(r.category for r in rejected)),
        )
        self._commit(cursor, rejected, known)
        self._cursor = cursor
        self._send(events)
        self._pace.published(cursor.seq, time.monotonic())
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
                "category": r.category,
                "reason": r.reason,
                "raw": r.text,
            }
            for r in rejected
        ]
        work = self._journal.unit_of_work()
        work.change(update(FeedCursorRow).where(FeedCursorRow.run_id == run_id).values(**asdict(cursor)))
        work.add(TokenRow, tokens)
        work.add(RejectedEventRow, aside)
        self._journal.commit(work, {})
        for r in rejected:
            self.metrics.add_rejection(r.category)
            count = self._rejections.count(r.category, time.monotonic())
            if count:
                self.log.warning("events put aside", category=r.category, count=count, reason=r.reason)

    def _send(self, events: Events) -> None:
        payloads = to_payloads(events, self._sequencer.mints)
        self.context.bus.publish((payload.stream, payload.seq, payload.seq, encode(payload)) for payload in payloads)
        self.metrics.add_entries("feed", len(events))

    def _republish(self, log: EventLog) -> None:
        """Publish from the log what Redis lacks; after a loss all that a reader may look for, and in empty streams."""
        bus = self.context.bus
        # Commands first: nobody must go past the event behind which one has its place.
        unpublished = self._journal.unpublished({COMMANDS: bus.held(COMMANDS)}, READERS)
        bus.publish(unpublished.messages, unpublished.rebuild)
        held = bus.held_events(self._first_kept())
        if not held or held.stop > self._cursor.seq + 1:  # beyond the cursor nothing was ever committed
            bus.publish((), EVENT_STREAMS)
            held = range(held.start, held.start)
        for start in range(held.stop, self._cursor.seq + 1, _BATCH):
            self._send(log.read(start, min(start + _BATCH - 1, self._cursor.seq)))

    def _first_kept(self) -> int:
        """The first event that must stay in Redis: no reader is behind it, nor looks back further when it recovers."""
        return max(1, min(self._slowest + 1, self._cursor.seq - KEEP_EVENTS))

    def _trim(self) -> None:
        for stream in EVENT_STREAMS:
            self.context.bus.trim(stream, self._first_kept())

    def close(self) -> None:
        """Let go of the log and the connections."""
        if self._event_log is not None:
            self._event_log.close()
        self.context.close()
