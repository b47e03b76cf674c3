"""The transactions of a market that were sent, and what became of them."""

from collections import Counter
from typing import Any, Final

from solders.signature import Signature

from memesnipe.localnet.records import Block

_FORGOTTEN_BLOCKS: Final = 32  # after which a transaction that has not landed is given up


class SentTransactions:
    """Counts what was sent and what has landed, in the order of the blocks."""

    def __init__(self) -> None:
        self.sent = self.landed = 0
        self.failed: Counter[str] = Counter()  # landed with an error, by error
        self.last_signature = ""  # of the last one that has landed
        self._waiting: dict[Signature, int] = {}  # with the height of the newest block when it was sent
        self._last_height = 0  # of the last block with one of them

    def add(self, signature: Signature, height: int) -> None:
        """Count a transaction that was sent when the newest block had a height."""
        self.sent += 1
        self._waiting[signature] = height

    def note(self, block: Block) -> None:
        """Count those that have landed in a new block."""
        for record in block.transactions:
            if self._waiting.pop(record.signature, None) is None:
                continue
            self.landed += 1
            self.last_signature, self._last_height = str(record.signature), block.height
            if record.execution.err is not None:
                self.failed[str(record.execution.err)] += 1
        for signature, height in list(self._waiting.items()):
            if height >= block.height - _FORGOTTEN_BLOCKS:
                break
            del self._waiting[signature]

    def are_settled(self, confirmed_height: int) -> bool:
        """Return whether none is waited for and the last that landed is confirmed."""
        return not self._waiting and confirmed_height >= self._last_height

    def status(self) -> dict[str, Any]:
        """Return the counts as JSON."""
        return {
            "sent": self.sent,
            "landed": self.landed,
            "failed": dict(self.failed),
            "last_signature": self.last_signature,
        }
