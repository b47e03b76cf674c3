"""What has been signed and which requests were used, in a SQLite file that survives crashes and restarts."""

import sqlite3
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Final

from memesnipe.errors import InputError
from memesnipe.signer.policy import Spend
from memesnipe.signer.refusal import Reason, RefusedError
from memesnipe.solana.request_mac import MacError

_HOUR_MS: Final = 3_600_000
_DAY_MS: Final = 24 * _HOUR_MS
_MAX_NONCES: Final = 100_000
_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS signed (
    message_hash TEXT PRIMARY KEY, order_id TEXT NOT NULL UNIQUE, at_ms INTEGER NOT NULL,
    lamports INTEGER NOT NULL, is_exit INTEGER NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS signed_by_time ON signed (at_ms, is_exit, lamports);
CREATE TABLE IF NOT EXISTS nonces (nonce TEXT PRIMARY KEY, timestamp_ms INTEGER NOT NULL) STRICT;
CREATE INDEX IF NOT EXISTS nonces_by_time ON nonces (timestamp_ms);
"""


@dataclass(frozen=True)
class Spending:
    """What one transaction costs at most.

    Args:
        message_hash: identifies the transaction.
        order_id: an order has at most one transaction.
        lamports: everything that leaves the wallet.
        is_exit: whether it is a sale, which has a limit of its own.
    """

    message_hash: str
    order_id: str
    lamports: int
    is_exit: bool


class SpendingBook:
    """The file; every change is on the disk before the method returns.

    Args:
        path: of the file, which is created if needed.

    Raises:
        InputError: the file cannot be used.
    """

    def __init__(self, path: Path) -> None:
        self._lock = Lock()
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        try:
            self._db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
            self._db.execute("PRAGMA synchronous = EXTRA")
            self._db.executescript(_SCHEMA)
            path.chmod(0o600)
        except (sqlite3.Error, OSError) as error:
            raise InputError(f"the signer's spending {path} cannot be used: {error}") from None

    def find(self, message_hash: str, order_id: str) -> Spending | None:
        """Return what was counted for this transaction; None if it has not been signed.

        Raises:
            RefusedError: another transaction was signed for the order, or this one for another order.
        """
        with self._lock:
            rows = self._db.execute(
                "SELECT message_hash, order_id, lamports, is_exit FROM signed WHERE message_hash = ? OR order_id = ?",
                (message_hash, order_id),
            ).fetchall()
        if any(row[:2] != (message_hash, order_id) for row in rows):
            raise RefusedError(Reason.ORDER_SIGNED, "another transaction of this order, or this one of another order")
        return next((Spending(row[0], row[1], row[2], bool(row[3])) for row in rows), None)

    def spend(self, spending: Spending, limits: Spend, now_ms: int) -> None:
        """Count a transaction, once, before its signature is released.

        Raises:
            RefusedError: a limit would be exceeded, or the order has another transaction; nothing is counted.
        """
        with self._lock, self._db:
            self._db.execute("BEGIN IMMEDIATE")
            if spending.is_exit:
                self._check(spending, limits.exit_costs_per_day, now_ms - _DAY_MS, Reason.EXIT_COSTS)
            else:
                if spending.lamports > limits.per_transaction:
                    raise _exceeds(Reason.SPEND_TRANSACTION, spending.lamports, 0, limits.per_transaction)
                self._check(spending, limits.per_hour, now_ms - _HOUR_MS, Reason.SPEND_HOUR)
                self._check(spending, limits.per_day, now_ms - _DAY_MS, Reason.SPEND_DAY)
            row = (spending.message_hash, spending.order_id, now_ms, spending.lamports, spending.is_exit)
            try:
                self._db.execute("INSERT INTO signed VALUES (?, ?, ?, ?, ?)", row)
            except sqlite3.IntegrityError:
                raise RefusedError(Reason.ORDER_SIGNED, "the order has a transaction already") from None

    def spent(self, *, is_exit: bool, since_ms: int) -> int:
        """Return what was counted after a time, in lamports."""
        with self._lock:
            return self._sum(is_exit, since_ms)

    def remember(self, nonce: str, timestamp_ms: int, forget_before_ms: int) -> bool:
        """Store a nonce and forget those of requests before a time; return False if it is stored already."""
        with self._lock, self._db:
            self._db.execute("BEGIN IMMEDIATE")
            self._db.execute("DELETE FROM nonces WHERE timestamp_ms < ?", (forget_before_ms,))
            if self._db.execute("SELECT count(*) FROM nonces").fetchone()[0] >= _MAX_NONCES:
                raise MacError("too many requests")
            try:
                self._db.execute("INSERT INTO nonces VALUES (?, ?)", (nonce, timestamp_ms))
            except sqlite3.IntegrityError:
                return False
        return True

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    def _sum(self, is_exit: bool, since_ms: int) -> int:
        # A clock that was set back makes entries of the future, which count.
        row = self._db.execute(
            "SELECT coalesce(sum(lamports), 0) FROM signed WHERE at_ms > ? AND is_exit = ?", (since_ms, is_exit)
        ).fetchone()
        return int(row[0])

    def _check(self, spending: Spending, limit: int, since_ms: int, reason: Reason) -> None:
        spent = self._sum(spending.is_exit, since_ms)
        if spent + spending.lamports > limit:
            raise _exceeds(reason, spending.lamports, spent, limit)


def _exceeds(reason: Reason, lamports: int, spent: int, limit: int) -> RefusedError:
    return RefusedError(reason, f"{lamports} lamports after {spent}; {limit} at most")
