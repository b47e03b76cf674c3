"""What the venue's client needs from outside."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from memesnipe.engine.orders import Order
from memesnipe.execution.landing_record import LandingRecord
from memesnipe.execution.submission import Submission
from memesnipe.execution.submission_events import Built, Observation
from memesnipe.protocol.messages import ExecutionReport
from memesnipe.solana.fills import PoolTrade
from memesnipe.solana.signer_client import SignedTransaction


class StoredSubmission(Protocol):
    """A submission and what it is made from."""

    @property
    def order_id(self) -> str:
        """Its id."""

    @property
    def order(self) -> Order:
        """The order."""

    @property
    def mint(self) -> str:
        """Of the token."""

    @property
    def submission(self) -> Submission:
        """Its state."""

    @property
    def record(self) -> LandingRecord:
        """What was measured of it."""


@dataclass(frozen=True, slots=True)
class SubmissionStep:
    """What was observed of an order's submission, and its committed states before and after."""

    order_id: str
    order: Order
    mint: str
    observation: Observation
    before: Submission
    after: Submission


class SubmissionStore(Protocol):
    """Where submissions and reports outlive the process; every method may block, and commits before it returns."""

    def add(self, order_id: str, order: Order, mint: str) -> bool:
        """Store an order; return False, without effect, if it is stored already."""

    def save(
        self, order_id: str, submission: Submission, reports: Sequence[ExecutionReport], record: LandingRecord
    ) -> list[tuple[int, ExecutionReport]]:
        """Commit a state, its new reports and what was measured; return the reports with their numbers."""

    def forget(self, numbers: Sequence[int]) -> None:
        """Delete reports."""

    def reports(self) -> list[tuple[int, ExecutionReport]]:
        """Return the reports with their numbers, in order."""

    def open(self) -> Sequence[StoredSubmission]:
        """Return the submissions that have not ended."""


class MessageBuilder(Protocol):
    """Composes and simulates."""

    async def build(self, order: Order, mint: str) -> Built:
        """Return the message of an order.

        Raises:
            NoRouteError: the swap cannot be made, or its simulation failed.
            ServiceError: a service does not answer.
        """


class MessageSigner(Protocol):
    """Signs the message of an order; asked again, it signs the same message again."""

    async def sign(self, message: bytes, order_id: str, order: Order, mint: str) -> SignedTransaction:
        """Return the signed transaction.

        Raises:
            RejectedError: the signer refuses.
            ServiceError: it does not answer; it may have signed.
        """


class Lane(Protocol):
    """A way to the block producers."""

    name: str

    async def send(self, transaction: bytes) -> None:
        """Send a signed transaction; an error says nothing about its landing.

        Raises:
            ServiceError: the lane did not accept it, or did not answer.
        """


TradeReader = Callable[[Sequence[str], str], PoolTrade | None]  # of the logs of a wallet's transaction
