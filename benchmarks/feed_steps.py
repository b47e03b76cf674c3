"""Time stamps of the steps of market_data, for `feed_latency.py`: what the time from frame to event is made of."""

import gc
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from benchmarks.frame_player import Key, key_of
from memesnipe.bus.redis_bus import Bus
from memesnipe.roles.event_publisher import EventPublisher
from memesnipe.roles.market_data import MarketData
from memesnipe.storage.event_log import EventLog
from memesnipe.storage.journal import Journal

Span = tuple[int, int]  # first and last moment, in ns since 1970

# Of a batch, in order; a time stamp is taken after each.
BATCH_STEPS: Final = ("stamped", "logged (fsync)", "committed", "published")
# What the thread that publishes did between the frame of a trade and its batch, besides reading and decoding frames.
BATCH, CHECK = "waits for the batch before", "waits for questions to the servers"
STEPS: Final = (BATCH, CHECK, "received, decoded and taken", *BATCH_STEPS, "read")
_NAMES: Final = ("mint", "slot", "pool_sol_lamports", "token_raw")


@dataclass
class StepTimes:
    """The times of every trade and of the thread that publishes, in ns since 1970.

    Attributes:
        times: of each trade: when its batch was taken, and when each of `BATCH_STEPS` was done.
        spans: what else the thread did, by the names above.
        pauses: of the collection of garbage.
    """

    times: dict[Key, list[int]] = field(default_factory=dict)
    spans: dict[str, list[Span]] = field(default_factory=lambda: {BATCH: [], CHECK: []})
    pauses: list[Span] = field(default_factory=list)
    _batch: list[int] = field(default_factory=list)
    _collecting_ns: int = 0

    def record(self) -> None:
        """Have market_data note when each of its steps is done."""
        append = EventLog.append

        def noted_append(log: EventLog, events: Any) -> None:
            self._batch.append(time.time_ns())
            append(log, events)
            self._batch.append(time.time_ns())

        EventLog.append = noted_append  # type: ignore[method-assign]
        for name in ("_commit", "_publish"):
            setattr(EventPublisher, name, self._noting(getattr(EventPublisher, name)))
        EventPublisher.publish = self._taking(EventPublisher.publish)  # type: ignore[method-assign]
        for owner, name in (
            (Bus, "assert_complete"),
            (Journal, "renew"),
            (MarketData, "_check_commands_and_readers"),
            (MarketData, "_report_feed"),
        ):
            setattr(owner, name, self._spanning(getattr(owner, name)))
        gc.callbacks.append(self._note_garbage)

    def _noting(self, step: Callable[..., Any]) -> Callable[..., Any]:
        def noted(*arguments: Any, **options: Any) -> Any:
            result = step(*arguments, **options)
            self._batch.append(time.time_ns())
            return result

        return noted

    def _taking(self, publish: Callable[..., Any]) -> Callable[..., Any]:
        def noted(publisher: EventPublisher, batch: Any, *arguments: Any, **options: Any) -> None:
            times = self._batch = [time.time_ns()]
            for message in batch.messages:
                if message["kind"] == "price":
                    self.times[key_of(*(message[name] for name in _NAMES))] = times
            publish(publisher, batch, *arguments, **options)
            self.spans[BATCH].append((times[0], time.time_ns()))

        return noted

    def _spanning(self, step: Callable[..., Any]) -> Callable[..., Any]:
        def noted(*arguments: Any, **options: Any) -> Any:
            began_ns = time.time_ns()
            result = step(*arguments, **options)
            self.spans[CHECK].append((began_ns, time.time_ns()))
            return result

        return noted

    def _note_garbage(self, phase: str, _info: Mapping[str, int]) -> None:
        if phase == "start":
            self._collecting_ns = time.time_ns()
        else:
            self.pauses.append((self._collecting_ns, time.time_ns()))


def overlap_ns(spans: Sequence[Span], begin_ns: NDArray[np.int64], end_ns: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return how much of each interval lies in the spans.

    Args:
        spans: in order, without overlaps.
        begin_ns: of the intervals, shape (n,).
        end_ns: of the intervals, shape (n,).
    """
    edges = np.array(spans, np.int64).reshape(-1)
    lengths = np.where(np.arange(len(edges)) % 2, np.diff(edges, prepend=0), 0)  # that end at each edge
    covered = np.cumsum(lengths)

    def until(moment_ns: NDArray[np.int64]) -> NDArray[np.int64]:
        """Return how much of the spans is before a moment."""
        at = np.searchsorted(edges, moment_ns, side="right")
        before = np.where(at > 0, covered[at - 1], 0)
        return before + np.where(at % 2, moment_ns - edges[at - 1], 0)

    return until(end_ns) - until(begin_ns) if len(edges) else np.zeros(len(begin_ns), np.int64)


def describe(sent: Mapping[Key, int], steps: StepTimes, arrived: Mapping[Key, int]) -> list[str]:
    """Return a line for each step with the time that trades spent in it; one for the batches, and one for garbage.

    Args:
        sent: time of the frame of each trade that counts.
        steps: of market_data; a trade that was published at a start has none.
        arrived: time at which each was read from its stream.
    """
    stamps_of = steps.times
    trades = [trade for trade in sent if len(stamps_of.get(trade, ())) == len(BATCH_STEPS) + 1]
    rows = [[sent[trade], *stamps_of[trade], arrived[trade]] for trade in trades]
    stamps = np.array(rows, np.int64).reshape(-1, len(BATCH_STEPS) + 3)
    waits = [overlap_ns(steps.spans[name], stamps[:, 0], stamps[:, 1]) for name in (BATCH, CHECK)]
    taken, *others = np.diff(stamps, axis=1).T
    spent_ms = np.array([*waits, taken - sum(waits), *others]) / 1e6
    total_ms = spent_ms.sum(axis=0)
    is_slow = total_ms >= np.percentile(total_ms, 99)
    lines = [f"  {'':<34}       all                        slowest 1 %"]
    for name, one in zip(STEPS, spent_ms, strict=True):
        p50, p99 = np.percentile(one, [50, 99])
        lines.append(
            f"  {name:<34} p50 {p50:6.2f} ms, p99 {p99:6.2f} ms   mean {one[is_slow].mean():6.2f} ms, "
            f"{one[is_slow].sum() / total_ms[is_slow].sum():5.1%}"
        )
    pauses_ms = [(end - begin) / 1e6 for begin, end in steps.pauses if begin >= min(sent.values())]
    return [
        *lines,
        f"  {len(trades) / max(len(np.unique(stamps[:, 1])), 1):.1f} trades in a batch; garbage was collected "
        f"{len(pauses_ms)} times, {sum(pauses_ms):.1f} ms in all, at most {max(pauses_ms, default=0.0):.1f} ms",
    ]
