"""The transactions of the chain by signature and by account."""

from collections import defaultdict, deque

from solders.pubkey import Pubkey
from solders.signature import Signature

from memesnipe.localnet.records import TransactionRecord


class History:
    """The newest transactions.

    Args:
        limit: number of transactions kept; the oldest are forgotten.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._records: dict[Signature, TransactionRecord] = {}
        self._by_address: defaultdict[Pubkey, deque[Signature]] = defaultdict(deque)

    def __len__(self) -> int:
        return len(self._records)

    def get(self, signature: Signature) -> TransactionRecord | None:
        """Return a transaction; None if it is unknown."""
        return self._records.get(signature)

    def of_address(self, address: Pubkey) -> list[TransactionRecord]:
        """Return the transactions that name an account, the newest first."""
        return [self._records[signature] for signature in reversed(self._by_address.get(address, ()))]

    def add(self, record: TransactionRecord) -> None:
        """Add the newest transaction."""
        self._records[record.signature] = record
        for address in set(record.keys.all):
            self._by_address[address].append(record.signature)
        if len(self._records) > self._limit:
            oldest = next(iter(self._records.values()))
            del self._records[oldest.signature]
            for address in set(oldest.keys.all):
                self._by_address[address].popleft()

    def remove_newest(self, record: TransactionRecord) -> None:
        """Remove the newest transaction, whose block was rolled back."""
        if self._records.pop(record.signature, None) is None:
            return  # forgotten already
        for address in set(record.keys.all):
            self._by_address[address].pop()
