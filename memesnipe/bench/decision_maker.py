"""The portfolio in the benchmark of the live system: a process of its own, which decides by the executor's results.

The position role is replaced by one that marks an unchanged equity at all results: it would read every event, as
the executor does, and would compete with it for the cores that are measured.
"""

from multiprocessing.synchronize import Event as Flag
from pathlib import Path
from typing import Final

from memesnipe.bus.merge import Entry
from memesnipe.protocol.messages import PositionUpdate
from memesnipe.protocol.streams import SIMULATION_RESULTS
from memesnipe.roles.consumer import Consumer
from memesnipe.roles.context import Context
from memesnipe.roles.portfolio import PortfolioRole
from memesnipe.storage.journal import StreamOffset, UnitOfWork
from memesnipe.telemetry.metrics import ActorMetrics

FIRST_SEQ: Final = 10  # the event after which the strategies join
_EQUITY_USD: Final = 10_000.0
_EQUITY_LAMPORTS: Final = 50_000_000_000


class _Marks(Consumer):
    """Publishes a mark for each message of results."""

    name = "position"

    def __init__(self, context: Context, metrics: ActorMetrics) -> None:
        super().__init__(context, metrics)
        self.reads = (SIMULATION_RESULTS,)

    def publish_first(self) -> None:
        """Publish a mark before any results."""
        work = self.journal.unit_of_work()
        work.send(_mark(FIRST_SEQ, 1, {}))
        self.commit(work, self.offsets)

    def handle(self, entries: list[Entry], work: UnitOfWork) -> None:
        for entry in entries:
            work.send(_mark(entry.seq, entry.payload.flags, {SIMULATION_RESULTS: entry.number}))

    def add_snapshot(self, work: UnitOfWork, offsets: dict[str, StreamOffset]) -> None:
        """Add none: there is no state."""


def _mark(seq: int, flags: int, after: dict[str, int]) -> PositionUpdate:
    return PositionUpdate(
        seq=seq,
        ts=0,
        equity_lamports=_EQUITY_LAMPORTS,
        equity_usd=_EQUITY_USD,
        cash_usd=_EQUITY_USD,
        drawdown=0.0,
        flags=flags,
        risk_level="normal",
        positions=[],
        after=after,
    )


def run_decisions(home: Path, run_id: int, stop: Flag) -> None:
    """Run the portfolio and its marks until ``stop`` is set."""
    roles = [role(Context(home, run_id), ActorMetrics("bench")) for role in (_Marks, PortfolioRole)]
    for role in roles:
        role.open()
    marks = roles[0]
    assert isinstance(marks, _Marks)  # noqa: S101 - made above
    marks.publish_first()
    while not stop.is_set():
        for role in roles:
            role.step()
    for role in roles:
        role.close()
