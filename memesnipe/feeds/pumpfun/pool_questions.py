"""Which pools are yet to be looked up: first the account of the pool, then that of its mint, for the decimals."""

from collections.abc import Sequence
from math import inf
from typing import Final, NamedTuple

from memesnipe.feeds.pumpfun.accounts import Account, AccountError, MintAccount, PoolAccount, mint_of, pool_of
from memesnipe.feeds.pumpfun.context import Counts
from memesnipe.feeds.pumpfun.quotes import WRAPPED_SOL_KEY, foreign_quote

MAX_KEYS: Final = 100  # of one getMultipleAccounts
MAX_WAITING: Final = 5_000  # pools
# A node may not have an account yet that another one has. Each further wait is four times as long.
MAX_ATTEMPTS: Final = 5
_FIRST_WAIT_S: Final = 1.0
_WAIT_FACTOR: Final = 4.0
PUT_OFF: Final = "pool lookups put off"  # too many wait
NOT_A_POOL: Final = "account is no pool"
NOT_A_MINT: Final = "mint of the pool is no mint"


class FoundPool(NamedTuple):
    """The answer for one pool: what it is, or the reason for which its trades are put aside."""

    pool: bytes
    reason: str  # "" for a pool
    account: PoolAccount | None = None
    mint: MintAccount | None = None  # None also where the pool's quote makes it useless


class _Waiting:
    """A pool that is being looked up."""

    __slots__ = ("account", "attempts", "due_s")

    def __init__(self) -> None:
        self.account: PoolAccount | None = None  # known already; its mint is asked for
        self.attempts, self.due_s = 0, 0.0


class PoolQuestions:
    """The pools that are looked up, oldest first; ``counts`` has what came of them."""

    def __init__(self, counts: Counts) -> None:
        self._counts = counts
        self._waiting: dict[bytes, _Waiting] = {}

    def want(self, pool: bytes) -> bool:
        """Ask for a pool; return False if it is asked for already or too many are."""
        if pool in self._waiting:
            return False
        if len(self._waiting) >= MAX_WAITING:
            self._counts[PUT_OFF] += 1
            return False
        self._waiting[pool] = _Waiting()
        return True

    def due_s(self) -> float:
        """Return the monotonic time at which the next pool is to be asked for; infinity if there is none."""
        return min((waiting.due_s for waiting in self._waiting.values()), default=inf)

    def next_pools(self, now_s: float) -> list[bytes]:
        """Return the pools to ask for now, at most `MAX_KEYS`."""
        return [pool for pool, waiting in self._waiting.items() if waiting.due_s <= now_s][:MAX_KEYS]

    def keys_of(self, pools: Sequence[bytes]) -> list[bytes]:
        """Return the account to ask for, for each pool: its own, or that of its mint."""
        accounts = [self._waiting[pool].account for pool in pools]
        return [pool if account is None else account.base_mint for pool, account in zip(pools, accounts, strict=True)]

    def answer(self, pools: Sequence[bytes], accounts: Sequence[Account | None], now_s: float) -> list[FoundPool]:
        """Take the accounts of `keys_of`; return the pools that are known now."""
        found = []
        for pool, account in zip(pools, accounts, strict=True):
            waiting = self._waiting[pool]
            one = self._answer_one(pool, waiting, account, now_s)
            if one is not None:
                self._counts["pools looked up"] += 1
                del self._waiting[pool]
                found.append(one)
        return found

    def _answer_one(self, pool: bytes, waiting: _Waiting, account: Account | None, now_s: float) -> FoundPool | None:
        if account is None:
            self._put_off(pool, waiting, now_s)
            return None
        if waiting.account is not None:
            try:
                return FoundPool(pool, "", waiting.account, mint_of(account))
            except AccountError:
                return FoundPool(pool, NOT_A_MINT)
        try:
            waiting.account = pool_of(account)
        except AccountError:
            return FoundPool(pool, NOT_A_POOL)
        if foreign_quote(waiting.account.quote_mint) or waiting.account.base_mint == WRAPPED_SOL_KEY:
            return FoundPool(pool, "", waiting.account)
        waiting.attempts = 0
        return None

    def _put_off(self, pool: bytes, waiting: _Waiting, now_s: float) -> None:
        self._counts["pool lookups without an account"] += 1
        waiting.due_s = now_s + _FIRST_WAIT_S * _WAIT_FACTOR**waiting.attempts
        waiting.attempts += 1
        if waiting.attempts == MAX_ATTEMPTS:
            del self._waiting[pool]  # its next trade asks again
