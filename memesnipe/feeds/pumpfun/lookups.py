"""What the logs do not say, asked of a Solana node by a thread: the coins of pools, and the events of cut logs."""

import threading
import time
from collections import Counter, deque
from collections.abc import Callable
from math import inf
from typing import Final, NamedTuple

from memesnipe.errors import first_line
from memesnipe.feeds.pumpfun.accounts import AccountError, accounts_of
from memesnipe.feeds.pumpfun.coins import base58
from memesnipe.feeds.pumpfun.invocations import DataLine
from memesnipe.feeds.pumpfun.pool_questions import FoundPool, PoolQuestions
from memesnipe.feeds.pumpfun.self_calls import TransactionError, lines_of
from memesnipe.feeds.retry import Backoff, SourceError
from memesnipe.feeds.rpc import RpcClient, RpcError
from memesnipe.telemetry.logs import without_secrets

GET_ACCOUNTS: Final = "getMultipleAccounts"
GET_TRANSACTION: Final = "getTransaction"
MAX_TRANSACTIONS: Final = 8  # that wait; at one a second the last is asked for before it is too old
GIVE_UP_S: Final = 8.0  # the translator takes no event more than 10 s older than the last one
_UNAVAILABLE_WAIT_S: Final = 0.5  # a node may not have a transaction yet that another one has
_JOIN_S: Final = 2.0


class FoundTransaction(NamedTuple):
    """All events of a transaction whose logs were cut; None where they cannot be had."""

    signature: str
    lines: list[DataLine] | None


class _Transaction:
    """A transaction that is being looked up."""

    __slots__ = ("due_s", "signature", "wanted_s")

    def __init__(self, signature: str, now_s: float) -> None:
        self.signature, self.wanted_s, self.due_s = signature, now_s, 0.0


class Lookups:
    """Asks a node in a thread of its own.

    A failure is followed by a growing wait, or the one that the server requires, during which nothing is asked.

    Args:
        client: of the node, not open yet.
        clock: returns monotonic seconds.
    """

    def __init__(self, client: RpcClient, clock: Callable[[], float] = time.monotonic) -> None:
        self._client, self._clock = client, clock
        self._changed = threading.Condition()  # guards everything below
        self._counts: Counter[str] = Counter()
        self.error = ""  # of the last request, "" if it succeeded
        self._pools = PoolQuestions(self._counts)
        self._transactions: deque[_Transaction] = deque()
        self._found: list[FoundPool | FoundTransaction] = []
        self._backoff = Backoff("rpc")
        self._blocked_until_s = 0.0
        self._is_closed = False
        self._thread = threading.Thread(target=self._run, name="pumpfun lookups", daemon=True)

    def open(self) -> None:
        """Begin to ask."""
        self._thread.start()

    def want_pool(self, pool: bytes) -> None:
        """Ask for the coin of a pool, unless that is being done."""
        with self._changed:
            if self._pools.want(pool):
                self._changed.notify_all()

    def want_transaction(self, signature: str) -> bool:
        """Ask for the events of a transaction; return False if too many are waiting."""
        with self._changed:
            if len(self._transactions) >= MAX_TRANSACTIONS:
                return False
            self._transactions.append(_Transaction(signature, self._clock()))
            self._changed.notify_all()
            return True

    def take(self) -> list[FoundPool | FoundTransaction]:
        """Return what was found since the last call."""
        with self._changed:
            found, self._found = self._found, []
            return found

    def counts(self) -> Counter[str]:
        """Return how many lookups there were by what came of them."""
        with self._changed:
            return Counter(self._counts)

    def close(self) -> None:
        """End the thread and its request."""
        with self._changed:
            self._is_closed = True
            self._changed.notify_all()
        self._client.close()
        if self._thread.is_alive():
            self._thread.join(_JOIN_S)

    def _run(self) -> None:
        try:
            self._ask()
        except Exception as error:  # noqa: BLE001 - such as an invalid proxy in the environment, which will not change
            self._failed(f"nothing is looked up: {type(error).__name__}: {first_line(error)}")

    def _ask(self) -> None:
        with self._client.opened():
            while (ask := self._next()) is not None:
                try:
                    ask()
                except (SourceError, RpcError, AccountError) as error:
                    self._failed(first_line(error), getattr(error, "wait_s", 0.0))
                except Exception as error:  # noqa: BLE001 - reported, and asked again after it
                    self._failed(f"{type(error).__name__}: {first_line(error)}")
                else:
                    with self._changed:
                        self.error = ""
                        self._backoff.reset()

    def _failed(self, text: str, wait_s: float = 0.0) -> None:
        with self._changed:
            if self._is_closed:
                return
            self.error = without_secrets(text)
            self._counts["failed lookups"] += 1
            self._blocked_until_s = self._clock() + self._backoff.next_s(wait_s)

    def _next(self) -> Callable[[], None] | None:
        """Wait until something can be asked; return what asks it, None once closed."""
        with self._changed:
            while not self._is_closed:
                now_s = self._clock()
                self._give_up(now_s)
                due_s, ask = self._first_due()
                if due_s <= now_s:
                    return ask
                if self._transactions:
                    due_s = min(due_s, self._transactions[0].wanted_s + GIVE_UP_S)
                self._changed.wait(None if due_s == inf else max(due_s - now_s, 0.0))
        return None

    def _first_due(self) -> tuple[float, Callable[[], None]]:
        """Return what is to be asked next, and the monotonic time of it; infinity if there is nothing to ask."""
        transaction_s = min((one.due_s for one in self._transactions), default=inf)
        at = [
            (max(transaction_s, self._client.due_s(GET_TRANSACTION), self._blocked_until_s), self._ask_transaction),
            (max(self._pools.due_s(), self._client.due_s(GET_ACCOUNTS), self._blocked_until_s), self._ask_pools),
        ]
        return min(at, key=lambda one: one[0])

    def _give_up(self, now_s: float) -> None:
        """Forget the transactions that are too old to be used."""
        while self._transactions and now_s - self._transactions[0].wanted_s >= GIVE_UP_S:
            self._ended(self._transactions[0], "not in time")

    def _ended(self, transaction: _Transaction, reason: str) -> None:
        self._transactions.remove(transaction)
        self._counts[f"truncated logs not repaired: {reason}"] += 1
        self._found.append(FoundTransaction(transaction.signature, None))

    def _ask_transaction(self) -> None:
        with self._changed:
            now_s = self._clock()
            transaction = min(self._transactions, key=lambda one: one.due_s)
        options = {"commitment": "confirmed", "encoding": "json", "maxSupportedTransactionVersion": 1}
        try:
            result = self._client.call(GET_TRANSACTION, [transaction.signature, options])
            lines = lines_of(result) if result is not None else None
        except TransactionError as error:
            with self._changed:
                self._ended(transaction, str(error))
            return
        except RpcError:
            with self._changed:
                self._ended(transaction, "refused")
            raise
        with self._changed:
            if lines is None:
                transaction.due_s = now_s + _UNAVAILABLE_WAIT_S
                return
            self._transactions.remove(transaction)
            self._found.append(FoundTransaction(transaction.signature, lines))

    def _ask_pools(self) -> None:
        with self._changed:
            pools = self._pools.next_pools(self._clock())
            keys = self._pools.keys_of(pools)
        options = {"commitment": "confirmed", "encoding": "base64"}
        accounts = accounts_of(self._client.call(GET_ACCOUNTS, [[base58(key) for key in keys], options]), len(keys))
        with self._changed:
            self._found += self._pools.answer(pools, accounts, self._clock())
