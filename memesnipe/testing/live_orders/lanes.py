"""Lanes that note what they accepted and when, and fees whose tip goes to the lanes in turn."""

from collections import Counter
from collections.abc import Awaitable, Callable
from itertools import count

from solders.transaction import VersionedTransaction

from memesnipe.localnet.sender import TIP_ACCOUNTS as SENDER_TIP_ACCOUNTS
from memesnipe.solana.addresses import JITO_TIP_ACCOUNTS
from memesnipe.solana.sender import MIN_TIP_LAMPORTS
from memesnipe.solana.service_errors import ServiceError
from memesnipe.solana.submission.ports import Lane
from memesnipe.solana.transaction import FeePlan

TIP_ACCOUNTS = (JITO_TIP_ACCOUNTS[0], SENDER_TIP_ACCOUNTS[0])
_JITO_TIP_LAMPORTS = 10_000
_PRICE, _MAX_PRIORITY_LAMPORTS = 50_000, 100_000


class LaneRecord:
    """What the lanes did over all lives of the client.

    Args:
        slot: returns the chain's slot now.
    """

    def __init__(self, slot: Callable[[], int]) -> None:
        self.slot = slot
        self.accepted: Counter[str] = Counter()  # requests, by lane
        self.refused: Counter[str] = Counter()
        self.first_slots: dict[str, dict[str, int]] = {}  # by lane and signature, when first accepted


class RecordedLane:
    """A lane with a record."""

    def __init__(self, lane: Lane, record: LaneRecord) -> None:
        self.name = lane.name
        self._lane, self._record = lane, record

    async def send(self, transaction: bytes) -> None:
        """Send a transaction, and note the answer."""
        slot = self._record.slot()
        try:
            await self._lane.send(transaction)
        except ServiceError:
            self._record.refused[self.name] += 1
            raise
        self._record.accepted[self.name] += 1
        signature = str(VersionedTransaction.from_bytes(transaction).signatures[0])
        self._record.first_slots.setdefault(self.name, {}).setdefault(signature, slot)


def alternating_fees() -> Callable[[], Awaitable[FeePlan]]:
    """Return fees whose tip goes to Jito and to the Sender in turn, as each takes what tips it alone."""
    numbers = count()

    async def fees() -> FeePlan:
        is_jito = next(numbers) % 2 == 0
        tip = _JITO_TIP_LAMPORTS if is_jito else MIN_TIP_LAMPORTS
        return FeePlan(_PRICE, _MAX_PRIORITY_LAMPORTS, tip, TIP_ACCOUNTS[not is_jito])

    return fees


def constant_fees(plan: FeePlan) -> Callable[[], Awaitable[FeePlan]]:
    """Return fees that are the same for each transaction."""

    async def fees() -> FeePlan:
        return plan

    return fees
