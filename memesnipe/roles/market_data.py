"""Market data: reads the feed, and publishes its events and the commands of users in one order."""

from math import inf
from typing import Final

from sqlalchemy import Connection

from memesnipe.feeds.base import Feed, FeedStatus
from memesnipe.protocol.arena_messages import PlacedAllocation
from memesnipe.protocol.messages import AllocationMessage
from memesnipe.protocol.streams import ALLOCATIONS, COMMANDS, EVENTS, KEEP_MESSAGES, MAX_IN_FLIGHT, PLACED
from memesnipe.roles.activity import WORKING
from memesnipe.roles.context import Context
from memesnipe.roles.event_publisher import EventPublisher
from memesnipe.roles.feed_clock import FeedClock
from memesnipe.roles.feed_health import feed_state
from memesnipe.roles.halt_watch import HaltWatch
from memesnipe.roles.intake import MAX_WAIT_S, Intake
from memesnipe.roles.role_metrics import record_feed
from memesnipe.storage.commands import PendingCommand, assign_seq, pending_commands
from memesnipe.storage.placement import pending_allocations
from memesnipe.storage.runs import Cursor, read_offsets
from memesnipe.telemetry.metrics import ActorMetrics

PROGRESS_WAIT_S: Final = 0.05  # for readers; they announce their progress, but an announcement may be lost
# Asking the database for commands and readers takes about 3 ms. Where the time of events passes by a clock, it is asked
# no more often; a command takes effect this much later.
ASK_EVERY_S: Final = 0.05
GENERATION_CHECK_S: Final = 5.0  # of waiting for the same thing, before checking whether a generation is the reason


class MarketData:
    """The clock of the run: it publishes events as they are due, and flags those after which decisions are due.

    It also assigns each command of a user (`memesnipe.storage.commands`) a position among the events, so that every
    actor applies it at the same point of the run; a flatten only in lockstep, otherwise the desks do.

    Args:
        feed: the source of events, not open yet.
    """

    name = "market_data"

    def __init__(self, context: Context, metrics: ActorMetrics, feed: Feed) -> None:
        self.context = context
        self.metrics = metrics
        self.log = context.log(self.name)
        self._feed = feed
        choice = context.choice
        self._lockstep = choice.lockstep and not feed.live  # a live market does not wait for decisions
        max_age_s = context.settings.risk.max_data_age_ms / 1000
        self._clock = FeedClock(choice.speed, max_age_s, live=feed.live, lockstep=self._lockstep)
        self._intake = Intake(feed, self._clock, lockstep=self._lockstep, machine_clock=context.clock)
        self._places = context.arenas > 0  # the portfolio's decisions, for arenas in processes of their own
        self._queries = context.database.execution_options(isolation_level="AUTOCOMMIT")  # else two requests more
        self._controls = (COMMANDS, PLACED) if self._places else (COMMANDS,)
        self._journal = context.journal(self.name, self._controls)
        self._publisher = EventPublisher(context, metrics, self._journal, self._clock, self.log, feed)
        self._halt_watch = HaltWatch(context, self.log)
        self._waits_for_decision = False  # in lockstep
        self._asked_at_s = -inf  # when the database was asked for commands and readers, by the monotonic clock
        self._slowest = 0  # the last event that every reader has consumed, as far as known
        self._failures: dict[str, int] = {}  # of each live feed, as far as logged
        self._warnings: dict[str, str] = {}  # of live feeds, as far as logged
        self._untrusted: set[str] = set()  # live feeds, as far as logged

    @property
    def cursor(self) -> Cursor:
        """The committed position in the feed and in the run."""
        return self._publisher.cursor

    @property
    def seq(self) -> int:
        """The number of the last event that was published."""
        return self.cursor.seq

    def open(self) -> None:
        """Open the feed after the last commit, and publish the events and commands that Redis lacks.

        Raises:
            LeaseLostError: this process was replaced, and its successor still renews the lease.
            OSError: another process writes the event log.
        """
        # The lease first. An instance that was replaced can then commit nothing, its mark in Redis is gone, and it
        # releases the event log as soon as it notices.
        self._journal.open()
        bus = self.context.bus
        bus.begin(self.context.installation, self.context.run_id, self.name, self.context.stream_key)
        with self.context.database.connect() as connection:
            self._publisher.open(connection)
            self._update_readers(*read_offsets(connection, self.context.run_id, EVENTS))
        self._intake.open(self.cursor.token)
        self._clock.begin(self.context.clock.monotonic_s())
        # These first: no reader may pass the event after which a command or an allocation takes effect.
        stored = {stream: bus.stored(stream) for stream in self._controls}
        unpublished = self._journal.unpublished(stored, self.context.readers)
        bus.publish(unpublished.messages, unpublished.rebuild)
        self._publisher.republish(self._slowest)
        self.log.info("opened", run=self.context.run_id, seq=self.seq, position=self.cursor.position)

    def step(self) -> None:
        """Publish the events that are due, once the readers have progressed far enough."""
        left_s = self._asked_at_s + ASK_EVERY_S - self.context.clock.monotonic_s()
        if left_s > 0 and not self._lockstep and not self.cursor.ended and self.seq - self._slowest < MAX_IN_FLIGHT:
            self._publish_due(left_s)
            return
        self.context.bus.assert_complete()  # readers may wait for entries that Redis has lost
        self._journal.renew()  # the commit of a batch does not
        may_publish = self._check_commands_and_readers()
        self._report_feed(self._feed.statuses())
        if not may_publish:
            stream = ALLOCATIONS if self._waits_for_decision else EVENTS
            self.context.bus.wait_for_progress(stream, MAX_WAIT_S if self.cursor.ended else PROGRESS_WAIT_S)
            return
        self._publish_due(MAX_WAIT_S if self._lockstep else ASK_EVERY_S)

    def _publish_due(self, wait_s: float) -> None:
        """Publish the events that are due; wait up to ``wait_s`` seconds if there are none."""
        batch = self._intake.take_due(self._publisher.sequencer.is_decision_due, wait_s)
        if batch.messages or self._intake.has_ended:
            self.context.activity.set(WORKING)
            # After the events were taken: reading them may have shown that they are not to be trusted.
            is_untrusted = self._feed.live and any(status.is_untrusted for status in self._feed.statuses())
            started = self.context.clock.monotonic_s()
            self._publisher.publish(batch, self._intake, self._slowest, is_untrusted=is_untrusted)
            self.metrics.set("seq", self.seq)
            self.metrics.observe("publish_seconds", self.context.clock.monotonic_s() - started)

    def _check_commands_and_readers(self) -> bool:
        """Assign pending commands their positions; return whether more events may be published.

        That is so while no reader is too far behind, and in lockstep once the executor has applied the last decision.
        """
        self._asked_at_s = self.context.clock.monotonic_s()
        self._halt_watch.check(self.context.database)
        with self._queries.connect() as connection:
            # The offsets first: a command that was recorded before the last decision was applied takes effect there.
            events, decided = read_offsets(connection, self.context.run_id, EVENTS, ALLOCATIONS)
            commands = pending_commands(
                connection, self.context.run_id, with_flattens=not self.context.choice.has_own_pace
            )
            allocations = self._pending_allocations(connection)
        self._update_readers(events)
        if commands:
            self._assign(commands)
        if allocations:
            self._place(allocations)
        _, decided_seq = decided.get("executor", (0, 0))
        self._waits_for_decision = self._lockstep and decided_seq < self.cursor.decision_seq
        self._report_waiting(events, decided_seq)
        if self.cursor.ended or self._waits_for_decision:
            return False
        return self.seq - self._slowest < MAX_IN_FLIGHT

    def _assign(self, commands: list[PendingCommand]) -> None:
        """Make commands effective after the last event that was published."""
        work = self._journal.unit_of_work()
        for command in commands:
            work.send(command.at(self.seq))
            work.change(assign_seq(command.command_id, self.seq))
        self.context.bus.publish(self._journal.commit(work, {}))
        self.log.info("commands", seq=self.seq, names=[command.name for command in commands])

    def _pending_allocations(self, connection: Connection) -> list[AllocationMessage]:
        if not self._places:
            return []
        placed = self._journal.numbers_after(self._journal.unit_of_work())[PLACED]
        return pending_allocations(connection, self.context.run_id, placed)

    def _place(self, allocations: list[AllocationMessage]) -> None:
        """Make allocations effective after the last event that was published, in every arena and on the desk."""
        work = self._journal.unit_of_work()
        for allocation in allocations:
            work.send(PlacedAllocation(seq=self.seq, allocation=allocation))
        self.context.bus.publish(self._journal.commit(work, {}))
        unread = self._journal.first_unread(PLACED, self.context.readers[PLACED])
        self.context.bus.trim([PLACED], min(unread, self._journal.numbers_after(work)[PLACED] - KEEP_MESSAGES))

    def _update_readers(self, offsets: dict[str, tuple[int, int]]) -> None:
        self._clock.consumed(offsets.get("executor", (0, 0))[1])
        self._slowest = min(offsets.get(reader, (0, 0))[1] for reader in self.context.event_readers)

    def _report_waiting(self, events: dict[str, tuple[int, int]], decided_seq: int) -> None:
        """Report the reader or the decision that the run waits for, if any."""
        last = {reader: events.get(reader, (0, 0))[1] for reader in self.context.event_readers}
        reader = min(last, key=lambda reader: last[reader])
        waiting_for = ""
        if last[reader] < self.seq:
            waiting_for = f"{reader} to consume event {last[reader] + 1:,}"
        elif decided_seq < self.cursor.decision_seq:
            waiting_for = f"the decision after that of event {decided_seq:,}"
        activity = self.context.activity
        activity.set_waiting_for(waiting_for)
        # All actors may wait while a generation is bred, however long that takes.
        if activity.waiting_s() > GENERATION_CHECK_S and self.context.bus.is_any_actor("breeding"):
            activity.set_waiting_for("")

    def _report_feed(self, statuses: list[FeedStatus]) -> None:
        """Report the condition of live feeds: to the heartbeat, the metrics and, for failures, the log."""
        self.context.activity.set_feed_state(
            feed_state(statuses, self.context.settings.telemetry.max_feed_silence_secs)
        )
        for status in statuses:
            record_feed(self.metrics, status)
            if status.failures != self._failures.get(status.name, 0):
                self._failures[status.name] = status.failures
                self.log.warning("feed failed", feed=status.name, failures=status.failures, reason=status.error)
        self._report_warnings({status.name: status.warning for status in statuses if status.warning})
        untrusted = {status.name: status.error for status in statuses if status.is_untrusted}
        for name in untrusted.keys() - self._untrusted:
            self.log.error("feed untrusted; nothing is bought", feed=name, reason=untrusted[name])
        for name in self._untrusted - untrusted.keys():
            self.log.info("feed trusted again", feed=name)
        self._untrusted = set(untrusted)

    def _report_warnings(self, warnings: dict[str, str]) -> None:
        """Log what fails without stopping a feed, once while it lasts."""
        for name, warning in warnings.items():
            if name not in self._warnings:
                self.log.warning("feed is impaired", feed=name, reason=warning)
        self._warnings = warnings

    def close(self) -> None:
        """Release the feed, the event log and the connections."""
        self._feed.close()
        self._publisher.close()
        self.context.close()
