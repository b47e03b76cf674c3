"""What is known of coins and pools from the events seen so far; bounded by forgetting those without events."""

from collections import OrderedDict
from itertools import islice
from typing import Final, Generic, TypeVar

import msgspec
from solders.pubkey import Pubkey

from memesnipe.market.events import NS_PER_S
from memesnipe.market.pump import wallet_hash

# Longer than a token lives in the engine without an event. At 100 trades/s of a thousand coins an hour, some 100 MB.
FORGET_AFTER_NS: Final = 3 * 3600 * NS_PER_S
MAX_ENTRIES: Final = 100_000  # coins, and pools; the market launches about 30,000 coins a day
MAX_BALANCE: Final = 2**63 - 1  # raw tokens; bought, moved elsewhere and bought again, the sum exceeds any supply
MAX_WALLETS: Final = 20_000  # of one coin; with more holders their number is a lower bound


def base58(key: bytes) -> str:
    """Return a key of 32 bytes as text."""
    return str(Pubkey.from_bytes(key))


class Coin(msgspec.Struct, array_like=True):
    """A coin as far as its events are known."""

    mint: str
    developers: frozenset[bytes] = frozenset()  # the wallets of its creator
    supply_raw: int = 0  # 0: unknown
    is_seen_from_creation: bool = False  # so that the holders are all of them
    is_complete: bool = False  # the curve is sold out
    pool: bytes = b""  # the PumpSwap pool that is its market
    opens_with: tuple[int, int] | None = None  # lamports and raw tokens that the last buy left to the future pool
    reported_holders: int = 0
    reported_ts: int = 0
    last_slot: int = 0  # of its last trade or change of liquidity
    _balances: dict[int, int] = {}  # raw tokens by hash of the wallet

    @property
    def holders(self) -> int:
        """The number of wallets that hold tokens by the trades seen."""
        return len(self._balances)

    def advance(self, slot: int) -> bool:
        """Advance to the slot of an event; return False if it is older than the last event.

        What it says of the reserves is then not what they are now.
        """
        if slot < self.last_slot:
            return False
        self.last_slot = slot
        return True

    def trade(self, user: bytes, token_raw: int) -> int:
        """Record that a wallet bought tokens (negative: sold); return its hash.

        A wallet that sells more than it bought had received tokens otherwise; it counts as having none left.
        """
        trader = wallet_hash(base58(user))
        balance = self._balances.get(trader, 0) + token_raw
        if balance <= 0:
            self._balances.pop(trader, None)
        elif trader in self._balances or len(self._balances) < MAX_WALLETS:
            self._balances[trader] = min(balance, MAX_BALANCE)
        return trader


class KnownPool(msgspec.Struct, array_like=True):
    """A PumpSwap pool: its coin, or the reason for which its trades are put aside."""

    mint: bytes
    aside: str = ""


V = TypeVar("V")


class Recent(Generic[V]):
    """Values by key, forgotten a time after their last use, or earlier if there are too many."""

    def __init__(self, forget_after_ns: int = FORGET_AFTER_NS, max_entries: int = MAX_ENTRIES) -> None:
        self._forget_after_ns, self._max_entries = forget_after_ns, max_entries
        self._values: OrderedDict[bytes, tuple[int, V]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._values)

    def __contains__(self, key: bytes) -> bool:
        return key in self._values

    def newest_keys(self) -> list[bytes]:
        """Return the keys, the last used first."""
        return list(reversed(self._values))

    def latest(self, count: int) -> list[tuple[bytes, int, V]]:
        """Return up to so many keys with the time of their last use and their values, the last used first."""
        return [(key, ts, value) for key, (ts, value) in islice(reversed(self._values.items()), count)]

    def get(self, key: bytes, ts: int) -> V | None:
        """Return a value, used now; None if there is none."""
        found = self._values.get(key)
        if found is None:
            return None
        self.put(key, found[1], ts)
        return found[1]

    def put(self, key: bytes, value: V, ts: int) -> None:
        """Set a value, used now."""
        self._values[key] = (ts, value)
        self._values.move_to_end(key)
        self._forget(ts)

    def _forget(self, ts: int) -> None:
        while self._values:
            used_ts, _ = next(iter(self._values.values()))
            if ts - used_ts <= self._forget_after_ns and len(self._values) <= self._max_entries:
                return
            self._values.popitem(last=False)


class Coins:
    """The coins and pools of the market."""

    def __init__(self) -> None:
        self.coins: Recent[Coin] = Recent()
        self.pools: Recent[KnownPool] = Recent()

    def coin(self, mint: bytes, ts: int) -> Coin:
        """Return a coin, new if it was not known."""
        found = self.coins.get(mint, ts)
        if found is None:
            found = Coin(base58(mint))
            self.coins.put(mint, found, ts)
        return found
