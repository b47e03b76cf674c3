"""A store of submissions in which the process is killed now and then, before or after a commit."""

import random
from collections.abc import Sequence

import sqlalchemy as sa

from memesnipe.engine.orders import Order
from memesnipe.execution.submission import Submission
from memesnipe.protocol.messages import ExecutionReport
from memesnipe.storage.submissions import Submissions


class KillError(Exception):
    """The process ends here."""


class MortalStore(Submissions):
    """A store that kills.

    Args:
        database: with the schema.
        run_id: of the submissions.
        draw: decides when.
        one_in: one of so many moments kills; 0 for none.
    """

    def __init__(self, database: sa.Engine, run_id: int, draw: random.Random, one_in: int) -> None:
        super().__init__(database, run_id)
        self._draw, self._one_in = draw, one_in

    def _maybe_die(self) -> None:
        if self._one_in and self._draw.randrange(self._one_in) == 0:
            raise KillError

    def add(self, order_id: str, order: Order, mint: str) -> bool:
        """Store an order, or die before."""
        self._maybe_die()
        return super().add(order_id, order, mint)

    def save(
        self, order_id: str, submission: Submission, reports: Sequence[ExecutionReport]
    ) -> list[tuple[int, ExecutionReport]]:
        """Commit a state, or die before or after it."""
        self._maybe_die()
        saved = super().save(order_id, submission, reports)
        self._maybe_die()
        return saved

    def forget(self, numbers: Sequence[int]) -> None:
        """Delete reports, or die before."""
        self._maybe_die()
        super().forget(numbers)
