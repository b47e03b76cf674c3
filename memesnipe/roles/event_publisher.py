"""The publisher of events: numbers a batch, logs it, commits the cursor, publishes and records, in this order."""

from collections import Counter
from dataclasses import asdict
from typing import Final

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, update

from memesnipe.bus.redis_bus import Bus
from memesnipe.feeds.base import OWN_TS, Feed
from memesnipe.market.assumptions import with_feeds
from memesnipe.market.events import DECISION, REBALANCE, STALE, Events
from memesnipe.market.sequencer import Rejected, Sequencer
from memesnipe.protocol.events import to_payloads
from memesnipe.protocol.payload import encode
from memesnipe.protocol.streams import EVENT_STREAMS, KEEP_EVENTS
from memesnipe.roles.context import Context
from memesnipe.roles.feed_clock import FeedClock
from memesnipe.roles.intake import BATCH, Batch, Intake
from memesnipe.storage.event_log import EventLog
from memesnipe.storage.journal import Journal
from memesnipe.storage.runs import Cursor, read_cursor, read_mints
from memesnipe.storage.schema import FeedCursorRow, RejectedEventRow, TokenRow
from memesnipe.tapes.recorder import Recorder
from memesnipe.telemetry.log_throttle import LogThrottle
from memesnipe.telemetry.logs import Logger
from memesnipe.telemetry.metrics import ActorMetrics

TRIM_EVERY: Final = 100  # batches


class EventPublisher:
    """The only writer of `events:*`, of the event log and of the cursor.

    A crash between two of the writes is harmless. Events in the log beyond the cursor are cut off and read again from
    the feed; events that Redis lacks are published again from the log; tapes are made from the log.

    Args:
        feed: the source of the events; those of a live one are compared with this machine's clock.
    """

    def __init__(
        self, context: Context, metrics: ActorMetrics, journal: Journal, clock: FeedClock, log: Logger, feed: Feed
    ) -> None:
        self._context, self._metrics, self._journal, self._clock, self._log = context, metrics, journal, clock, log
        self._feed, self._live = feed, feed.live
        self.cursor = Cursor(0, 0, 0, 0, 0, ended=False)
        self._event_log: EventLog | None = None
        self._recorder: Recorder | None = None
        self._rejections = LogThrottle()
        self._batches = 0

    @property
    def _bus(self) -> Bus:
        return self._context.bus

    def open(self, connection: Connection) -> None:
        """Lock the event log and continue after the last commit.

        Raises:
            OSError: another process writes the event log.
        """
        settings, run_id = self._context.settings, self._context.run_id
        self._event_log = EventLog(self._context.event_log)
        self.cursor = read_cursor(connection, run_id)
        self._event_log.truncate(self.cursor.seq)
        self.sequencer = Sequencer(
            settings.trading.rebalance_interval_secs,
            settings.evolution.generation_interval_secs,
            self.cursor.seq,
            self.cursor.ts,
            read_mints(connection, run_id),
        )
        self._recorder = Recorder(
            self._context.tapes,
            self._event_log,
            self.sequencer.mints,
            self._context.tape_policy,
            with_feeds(self._feed.assumptions, self._context.choice.name),
            self._context.background_writer(),
            lambda reason: self._log.error("no tape was written", reason=reason),
        )
        self._record()

    def _record(self) -> None:
        """Have the tapes written that are due after the last commit."""
        assert self._recorder is not None  # noqa: S101 - it is open
        self._recorder.advance(self.cursor.seq, self.cursor.ts)
        if self.cursor.ended:
            self._recorder.finish(self.cursor.seq)

    def publish(self, batch: Batch, intake: Intake, slowest: int, *, is_untrusted: bool = False) -> None:
        """Publish a batch; an empty one records only that the feed has ended.

        Args:
            batch: the messages, and the token that is committed with them.
            intake: the source of the batch.
            slowest: the last event that every reader has consumed; older ones may be trimmed.
            is_untrusted: whether a live feed is, so that nothing is bought on these events.
        """
        assert self._event_log is not None  # noqa: S101 - it is open
        known_mints = len(self.sequencer.mints)
        events, rejected = self._stamp(batch, intake, is_untrusted=is_untrusted)
        self._event_log.append(events)
        decisions = events["seq"][events["flags"] & DECISION > 0]
        cursor = Cursor(
            position=self.cursor.position + len(batch.messages),
            seq=self.sequencer.last_seq,
            ts=self.sequencer.last_ts,
            rejected=self.cursor.rejected + len(rejected),
            decision_seq=int(decisions[-1]) if len(decisions) else self.cursor.decision_seq,
            ended=intake.has_ended,
            rejected_because=dict(Counter(self.cursor.rejected_because) + Counter(r.category for r in rejected)),
            token=batch.token,
        )
        self._commit(cursor, rejected, known_mints)
        self.cursor = cursor
        self._publish(events)
        self._record()
        self._clock.published(cursor.seq, self._context.clock.monotonic_s())
        self._batches += 1
        if self._batches % TRIM_EVERY == 0:
            self._bus.trim(EVENT_STREAMS, self._first_kept(slowest))

    def _stamp(self, batch: Batch, intake: Intake, *, is_untrusted: bool) -> tuple[Events, list[Rejected]]:
        """Number the events, and flag those that are late or of an untrusted feed, and the last one of the feed."""
        now_ns = self._context.clock.now_ns()
        events, rejected = self.sequencer.stamp(batch.messages, now_ns=now_ns if self._live else None)

        def is_rejected(message: object) -> bool:
            error = self.sequencer.rejection(message, len(batch.messages))
            if error is not None:
                rejected.append(error)
            return error is not None

        # A decision is due at the end of a feed too. Rejected messages after the last event are thus taken with it.
        # Live feeds are excepted: they may send invalid messages without end.
        intake.take_while(batch, is_rejected)
        own_ts = self._own_times(batch, events, rejected)
        events["flags"][self._clock.are_late(own_ts, self._context.clock.monotonic_s(), now_ns)] |= STALE
        if is_untrusted:
            events["flags"] |= STALE
        if len(events) and intake.has_ended:
            events["flags"][-1] |= REBALANCE
        return events, rejected

    def _own_times(self, batch: Batch, events: Events, rejected: list[Rejected]) -> NDArray[np.int64]:
        """Return the time from which the age of each event is measured: of a live one its own, shape (n,)."""
        times: NDArray[np.int64] = events["ts"]
        if not self._live:
            return times
        left_out = {one.index for one in rejected}
        accepted = [message for index, message in enumerate(batch.messages) if index not in left_out]
        own = [message.get(OWN_TS) for message in accepted]
        known = [
            ts if isinstance(own_ts, bool) or not isinstance(own_ts, int) else min(own_ts, ts)
            for own_ts, ts in zip(own, times.tolist(), strict=True)
        ]
        return np.array(known, np.int64)

    def _commit(self, cursor: Cursor, rejected: list[Rejected], known_mints: int) -> None:
        run_id = self._context.run_id
        mints = self.sequencer.mints[known_mints:]
        tokens = [{"run_id": run_id, "token": known_mints + i, "mint": mint} for i, mint in enumerate(mints)]
        rows = [
            {
                "run_id": run_id,
                "position": self.cursor.position + r.index,
                "category": r.category,
                "reason": r.reason,
                "raw": r.text,
            }
            for r in rejected
        ]
        if not tokens and not rows:
            self._journal.advance(asdict(cursor))
            return
        work = self._journal.unit_of_work()
        work.change(update(FeedCursorRow).where(FeedCursorRow.run_id == run_id).values(**asdict(cursor)))
        work.add(TokenRow, tokens)
        work.add(RejectedEventRow, rows)
        self._journal.commit(work, {})
        for r in rejected:
            self._metrics.add("events_put_aside", category=r.category)
            count = self._rejections.count(r.category, self._context.clock.monotonic_s())
            if count:
                self._log.warning("events rejected", category=r.category, count=count, reason=r.reason)

    def _publish(self, events: Events) -> None:
        payloads = to_payloads(events, self.sequencer.mints)
        self._bus.publish((payload.stream, payload.seq, payload.seq, encode(payload)) for payload in payloads)
        self._metrics.add("entries", len(events), stream="feed")

    def republish(self, slowest: int) -> None:
        """Publish from the log the events that Redis lacks; after a loss, rebuild the streams from empty."""
        assert self._event_log is not None  # noqa: S101 - it is open
        stored = self._bus.stored_events(self._first_kept(slowest))
        if not stored or stored.stop > self.cursor.seq + 1:  # no event beyond the cursor was ever committed
            self._bus.publish((), EVENT_STREAMS)
            stored = range(stored.start, stored.start)
        for start in range(stored.stop, self.cursor.seq + 1, BATCH):
            self._publish(self._event_log.read(start, min(start + BATCH - 1, self.cursor.seq)))

    def _first_kept(self, slowest: int) -> int:
        """Return the first event that must stay in Redis: no reader needs an earlier one, not even to recover."""
        return max(1, min(slowest + 1, self.cursor.seq - KEEP_EVENTS))

    def close(self) -> None:
        """Wait for the tape that is being written, and release the event log."""
        if self._recorder is not None:
            self._recorder.close()
        if self._event_log is not None:
            self._event_log.close()
