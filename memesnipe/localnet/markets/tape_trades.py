"""What the local chain can make of a tape: which trades, of which coins, and what is left out, by kind."""

from collections import Counter
from collections.abc import Iterator
from functools import cached_property
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from memesnipe.errors import InputError
from memesnipe.market.events import (
    AMM,
    BUY_SIDE,
    CURVE_COMPLETE,
    KIND_NAMES,
    LAMPORTS_PER_SOL,
    MIGRATION,
    NS_PER_S,
    ONCHAIN,
    PRICE,
    PUMP_CURVE,
    SOL_PRICE,
    Event,
    rows,
    take,
)
from memesnipe.market.pools import Pool, fees_of, pool_after
from memesnipe.market.pump import CURVE_START_SOL_LAMPORTS, CURVE_START_TOKEN_RAW
from memesnipe.market.wide import mul_div_up
from memesnipe.tapes.tape import Tape

_CHUNK: Final = 10_000  # events that are Python objects at a time
_BPS: Final = 10_000
# What a trade costs besides its amount: fees of at most 1.25 % and their rounding, rent of three accounts, base fees.
_COST_SHARE: Final = 0.03
_COST_LAMPORTS: Final = LAMPORTS_PER_SOL // 100


class Reserves(NamedTuple):
    """The reserves of a coin before a trade: those for pricing, and those that can be withdrawn."""

    sol_lamports: int
    token_raw: int
    real_sol_lamports: int
    real_token_raw: int

    @property
    def is_launch(self) -> bool:
        """Whether they are those with which a curve starts."""
        return (self.sol_lamports, self.token_raw) == (CURVE_START_SOL_LAMPORTS, CURVE_START_TOKEN_RAW)

    @property
    def are_possible(self) -> bool:
        """Whether a curve or a pool can have them."""
        return self.sol_lamports > 0 and self.token_raw > 0 and self.real_sol_lamports >= 0 and self.real_token_raw > 0


def reserves_before(trade: Event) -> Reserves:
    """Return the reserves before a trade of a tape."""
    sign = 1 if trade.side == BUY_SIDE else -1
    sol = trade.sol_lamports
    if trade.venue != PUMP_CURVE:  # the fee of liquidity providers stays in the pool
        lp_fee = mul_div_up(sol, _lp_bps(trade), _BPS)
        sol = sol + lp_fee if sign > 0 else sol - min(lp_fee, sol)
    return Reserves(
        trade.pool_sol_lamports - sign * sol,
        trade.pool_token_raw + sign * trade.token_raw,
        trade.real_sol_lamports - sign * sol,
        trade.real_token_raw + sign * trade.token_raw,
    )


def _lp_bps(trade: Event) -> int:
    pool: Pool = pool_after(trade)
    return fees_of(pool).lp


class TapeTrades:
    """The events of a tape in order, and which of them the local chain can trade.

    Args:
        tape: with at least one trade on a curve of pump.fun or in a pool of PumpSwap.

    Raises:
        InputError: it has none.
    """

    def __init__(self, tape: Tape) -> None:
        events = tape.events
        self.mints = tape.mints
        is_trade = (events["kind"] == PRICE) & (events["venue"] != AMM)
        for name in ("sol_lamports", "token_raw", "pool_sol_lamports", "pool_token_raw"):
            is_trade &= events[name] > 0
        if not is_trade.any():
            raise InputError("--tape: it has no trade of pump.fun or PumpSwap, so there is nothing to trade")
        self.left_out = _left_out(events, is_trade)
        kept = np.flatnonzero(is_trade | (events["kind"] == SOL_PRICE))
        self._events = take(events, kept)
        self._is_trade = is_trade[kept]
        self.trades = int(is_trade.sum())
        self.first_ts, self.last_ts = int(self._events["ts"][0]), int(self._events["ts"][-1])
        known = events["sol_usd"][events["sol_usd"] > 0]
        self.first_sol_usd = float(known[0])

    def __iter__(self) -> Iterator[Event]:
        """Yield the trades and the prices of SOL."""
        for start in range(0, len(self._events), _CHUNK):
            yield from rows(self._events[start : start + _CHUNK])

    @cached_property
    def starts(self) -> dict[int, Event]:
        """The first trade of each coin, by its index in the tape."""
        trades = take(self._events, self._is_trade)
        _, first = np.unique(trades["token"], return_index=True)
        return {event.token: event for event in rows(take(trades, np.sort(first)))}

    @cached_property
    def midlife(self) -> int:
        """The number of coins that the tape does not show from their launch."""
        return sum(not reserves_before(trade).is_launch for trade in self.starts.values())

    @cached_property
    def funds(self) -> dict[int, int]:
        """The lamports that each trader needs to buy as much as in the tape, without selling anything."""
        trades = take(self._events, self._is_trade)
        traders, of = np.unique(trades["trader"], return_inverse=True)
        bought = np.bincount(of, np.where(trades["side"] == BUY_SIDE, trades["sol_lamports"], 0))
        counts = np.bincount(of)
        needed = bought * (1 + _COST_SHARE) + (counts + 1) * _COST_LAMPORTS
        return dict(zip(traders.tolist(), needed.astype(np.int64).tolist(), strict=True))

    def summary(self) -> str:
        """Return in one line what is traded and what is left out."""
        span_s = (self.last_ts - self.first_ts) / NS_PER_S
        text = f"{self.trades:,} trades of {len(self.starts):,} coins over {span_s:,.0f} s"
        if self.midlife:
            text += f"; {self.midlife:,} coins begin with the reserves that the tape shows first, not with their launch"
        if self.left_out:
            text += "; left out: " + ", ".join(f"{count:,} {kind}" for kind, count in self.left_out.items())
        return text


def _left_out(events: NDArray[Any], is_trade: NDArray[np.bool_]) -> dict[str, int]:
    """Return the numbers of events that the chain cannot have, by kind.

    The price of SOL is that of the local price route, and the completion of a curve and its migration follow from the
    trades; these are not left out.
    """
    found: Counter[str] = Counter()
    rest = events[~is_trade]
    follows = (rest["kind"] == ONCHAIN) & np.isin(rest["action"], (CURVE_COMPLETE, MIGRATION))
    for kind, name in KIND_NAMES.items():
        chosen = (rest["kind"] == kind) & ~follows
        if kind == PRICE:
            found["trades at other venues"] = int((chosen & (rest["venue"] == AMM)).sum())
            found["trades without amounts or reserves"] = int((chosen & (rest["venue"] != AMM)).sum())
        elif kind != SOL_PRICE:
            found[f"{name} events"] = int(chosen.sum())
    return {name: count for name, count in found.items() if count}
