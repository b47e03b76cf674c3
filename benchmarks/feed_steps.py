"""Time stamps of the steps of market_data, for `feed_latency.py`: what the time from frame to event is made of."""

import time
from collections.abc import Callable, Mapping
from typing import Any, Final

import numpy as np

from benchmarks.frame_player import Key, key_of
from memesnipe.roles.event_publisher import EventPublisher
from memesnipe.storage.event_log import EventLog

STEPS: Final = ("received, decoded and taken", "stamped and logged", "committed", "published", "read")


class StepTimes:
    """The times of the steps of every trade, in ns since 1970: taken, logged, committed and published."""

    def __init__(self) -> None:
        self.times: dict[Key, list[int]] = {}
        self._batch: list[int] = []

    def record(self) -> None:
        """Have market_data note when each of its steps is done."""
        EventLog.append = self._noting(EventLog.append)  # type: ignore[method-assign]
        for name in ("_commit", "_publish"):
            setattr(EventPublisher, name, self._noting(getattr(EventPublisher, name)))
        publish = EventPublisher.publish

        def noted(publisher: EventPublisher, batch: Any, *arguments: Any, **options: Any) -> None:
            times = self._batch = [time.time_ns()]
            for message in batch.messages:
                if message["kind"] == "price":
                    names = ("mint", "slot", "pool_sol_lamports", "token_raw")
                    self.times[key_of(*(message[name] for name in names))] = times
            publish(publisher, batch, *arguments, **options)

        EventPublisher.publish = noted  # type: ignore[method-assign]

    def _noting(self, step: Callable[..., Any]) -> Callable[..., Any]:
        def noted(*arguments: Any, **options: Any) -> Any:
            result = step(*arguments, **options)
            self._batch.append(time.time_ns())
            return result

        return noted


def describe(sent: Mapping[Key, int], steps: Mapping[Key, list[int]], arrived: Mapping[Key, int]) -> list[str]:
    """Return a line for each step with the time that trades spent in it; and one for the batches.

    Args:
        sent: time of the frame of each trade that counts.
        steps: of each trade; a trade that was published at a start has none.
        arrived: time at which each was read from its stream.
    """
    trades = [trade for trade in sent if len(steps.get(trade, ())) == len(STEPS) - 1]
    stamps = np.array([[sent[trade], *steps[trade], arrived[trade]] for trade in trades], np.float64).reshape(-1, 6)
    lines = []
    for name, spent_ms in zip(STEPS, np.diff(stamps, axis=1).T / 1e6, strict=True):
        p50, p99 = np.percentile(spent_ms, [50, 99])
        lines.append(f"  {name:<28} p50 {p50:6.2f} ms, p99 {p99:6.2f} ms")
    batches = len(np.unique(stamps[:, 1]))
    return [*lines, f"  {len(trades) / max(batches, 1):.1f} trades in a batch"]
