"""The figures of a market that measured ones are compared with, computed from its events (docs/synthetic-market.md)."""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from memesnipe.market.events import BUY_SIDE, LAMPORTS_PER_SOL, NS_PER_S, PRICE, PUMP_CURVE, Events, take

Array = NDArray[Any]

SAMPLE_TRADES: Final = 500  # of a token on the recorded tape
WHOLE_MARKET_S: Final = 76
SEEN_S: Final = 30.0  # age at which a launch of the large count is assumed to be last seen, which is not recorded
_COMPLETE_SOL: Final = 115.0
_MIN_SOL: Final = 0.05


@dataclass(frozen=True, slots=True)
class MarketTrades:
    """The trades of a market, ordered by token and then by time; arrays of shape (trades,)."""

    token: Array
    ts: Array
    age_s: Array  # since the launch
    is_curve: Array
    is_buy: Array
    sol: Array
    pool_sol: Array
    log_price: Array  # in SOL
    trader: Array
    slot: Array
    starts: Array  # index of the first trade of each token
    counts: Array
    launches: int

    @classmethod
    def of(cls, events: Events, launches: NDArray[np.int64]) -> "MarketTrades":
        """Return the trades of the tokens that were launched at these times; token i is ``launches[i]``."""
        trades = take(events, (events["kind"] == PRICE) & (events["token"] < len(launches)))
        trades = take(trades, np.argsort(trades["token"], kind="stable"))
        token = trades["token"].astype(np.int64)
        _, starts, counts = np.unique(token, return_index=True, return_counts=True)
        return cls(
            token=token,
            ts=trades["ts"].copy(),
            age_s=(trades["ts"] - launches[token]) / NS_PER_S,
            is_curve=trades["venue"] == PUMP_CURVE,
            is_buy=trades["side"] == BUY_SIDE,
            sol=trades["sol_lamports"] / LAMPORTS_PER_SOL,
            pool_sol=trades["pool_sol_lamports"] / LAMPORTS_PER_SOL,
            log_price=np.log(trades["price_usd"] / trades["sol_usd"]),
            trader=trades["trader"].copy(),
            slot=trades["slot"].copy(),
            starts=starts,
            counts=counts,
            launches=len(launches),
        )

    def top_sol(self) -> Array:
        """Return the largest curve reserve of each token; a graduate has 115 SOL."""
        return np.maximum.reduceat(np.where(self.is_curve, self.pool_sol, _COMPLETE_SOL), self.starts)

    def last_before(self, age_s: float) -> Array:
        """Return the index of the last trade of each token before an age."""
        early = np.flatnonzero(self.age_s < age_s)
        return early[np.r_[np.diff(self.token[early]) != 0, True]]

    def sampled_tokens(self) -> list[Array]:
        """Return the first trades of each token with many on the curve, like those of the recorded tape."""
        on_curve = np.add.reduceat(self.is_curve.astype(np.int64), self.starts)
        rich = np.flatnonzero((on_curve >= SAMPLE_TRADES) & (self.top_sol() < _COMPLETE_SOL))
        return [np.arange(self.starts[t], self.starts[t] + SAMPLE_TRADES) for t in rich]

    def graduates(self) -> list[Array]:
        """Return the trades of each graduate on PumpSwap."""
        found = np.flatnonzero(self.top_sol() >= _COMPLETE_SOL)
        ranges = [np.arange(self.starts[t], self.starts[t] + self.counts[t]) for t in found]
        pumpswap = [indices[~self.is_curve[indices]] for indices in ranges]
        return [indices for indices in pumpswap if len(indices) > 1]


Figures = dict[str, float]


def all_figures(trades: MarketTrades) -> Figures:
    """Return every figure of the calibration table by its key."""
    return {
        **curve_figures(trades),
        **launch_figures(trades),
        **whole_market_figures(trades),
        **graduate_figures(trades),
        **wallet_figures(trades),
    }


def impacts(trades: MarketTrades, chosen: Array) -> Array:
    """Return the absolute log price moves that trades cause in their pools."""
    before = trades.pool_sol[chosen] - np.where(trades.is_buy[chosen], 1.0, -1.0) * trades.sol[chosen]
    return np.asarray(np.abs(2.0 * np.log(trades.pool_sol[chosen] / before)))


def curve_figures(trades: MarketTrades) -> Figures:
    """Return the figures of the recorded tape: sizes, impact, slots, reserves and peaks of tokens with many trades."""
    tokens = trades.sampled_tokens()
    if not tokens:
        return {}
    chosen = np.concatenate(tokens)
    peaks_s = [trades.age_s[i[np.argmax(trades.pool_sol[i])]] for i in tokens]
    wallets = [len(np.unique(trades.trader[i])) for i in tokens]
    in_slot = [np.bincount(trades.slot[i] - trades.slot[i[0]]).max() for i in tokens]
    return {
        **quantiles("size", trades.sol[chosen], (50, 90, 99)),
        **quantiles("impact", 100 * impacts(trades, chosen), (50, 75, 90, 99)),
        **quantiles("peak_s", peaks_s, (50,)),
        **quantiles("peak_sol", [trades.pool_sol[i].max() for i in tokens], (50,)),
        **quantiles("tape_wallets", wallets, (50,)),
        **quantiles("in_slot", in_slot, (50,)),
        "tape_below_180": 100 * float(np.mean(np.asarray(peaks_s) <= 180)),
    }


def launch_figures(trades: MarketTrades) -> Figures:
    """Return the figures of all launches: trades and reserves when last seen, shares that rise, and what is left."""
    seen = np.bincount(trades.token[trades.age_s < SEEN_S], minlength=trades.launches)
    top = trades.top_sol()
    left = trades.pool_sol[trades.last_before(6000.0)]
    return {
        **quantiles("seen_trades", seen, (50, 75, 90, 99)),
        **quantiles("seen_sol", trades.pool_sol[trades.last_before(SEEN_S)], (50,)),
        **{f"reach_{sol}": 100 * float(np.mean(top >= sol)) for sol in (60, 85, 115)},
        "ends_at_31": 100 * float(np.mean(left <= 31.0)),
    }


def whole_market_figures(trades: MarketTrades) -> Figures:
    """Return the figures of 76 s of the whole market: medians over twelve recordings of its last half."""
    rows = []
    first, last = int(trades.ts.min()), int(trades.ts.max())
    moves = np.abs(np.diff(trades.log_price, prepend=np.nan))
    moves[trades.starts] = np.nan
    for start in np.linspace((first + last) / 2, last - WHOLE_MARKET_S * NS_PER_S, 12):
        chosen = (trades.ts >= start) & (trades.ts < start + WHOLE_MARKET_S * NS_PER_S)
        counts = np.sort(np.bincount(trades.token[chosen]))
        counts = counts[counts > 0]
        if not len(counts):
            continue
        rows.append(
            (
                chosen.sum(), len(counts), len(np.unique(trades.trader[chosen])), np.median(counts),
                np.quantile(counts, 0.9), counts.max(), 100 * counts[-10:].sum() / counts.sum(),
                *(100 * np.nanquantile(moves[chosen], (0.5, 0.9))),
            )
        )  # fmt: skip
    names = ("trades", "tokens", "wallets", "median", "p90", "max", "top10", "move_50", "move_90")
    return {f"market_{name}": float(value) for name, value in zip(names, np.median(rows, axis=0), strict=True)}


def graduate_figures(trades: MarketTrades) -> Figures:
    """Return the figures of graduates: their first 300 s on PumpSwap, and the rest of their lives."""
    rows, moves = [], []
    for indices in trades.graduates():
        first = indices[trades.ts[indices] - trades.ts[indices[0]] < 300 * NS_PER_S]
        price = np.exp(trades.log_price[first] - trades.log_price[first[0]])
        large = first[trades.sol[first] >= _MIN_SOL]
        moves.append(np.abs(np.expm1(np.diff(trades.log_price[large]))))
        of_token = np.flatnonzero(trades.token == trades.token[indices[0]])
        whole = np.exp(trades.log_price[of_token])
        rows.append(
            (
                len(first), len(np.unique(trades.trader[first])), price[-1] < 0.1, price[-1] < price.max() / 2,
                whole[-1] / whole.max(), trades.age_s[of_token[np.argmax(whole)]] < 7200,
            )
        )  # fmt: skip
    if not rows:
        return {}
    count, wallets, lost, half, left, early = (np.array(column, float) for column in zip(*rows, strict=True))
    return {
        **quantiles("grad_trades", count, (50,)),
        **quantiles("grad_wallets", wallets, (50,)),
        **quantiles("grad_move", 100 * np.concatenate(moves), (50, 90, 99)),
        "grad_lost_90": 100 * lost.mean(),
        "grad_half": 100 * half.mean(),
        "grad_left": 100 * float(np.median(left)),
        "grad_below_10": 100 * float(np.mean(left < 0.1)),
        "grad_below_1": 100 * float(np.mean(left < 0.01)),
        "grad_early": 100 * early.mean(),
    }


def holds_s(trades: MarketTrades) -> Array:
    """Return the seconds from the first buy to the last sale of each wallet that traded a token and sold last."""
    key = (trades.token << 32) | trades.trader
    order = np.argsort(key, kind="stable")
    ends = np.flatnonzero(np.r_[np.diff(key[order]) != 0, True])
    first, last = order[np.r_[0, ends[:-1] + 1]], order[ends]
    is_round_trip = trades.is_buy[first] & ~trades.is_buy[last]
    return np.asarray((trades.ts[last] - trades.ts[first])[is_round_trip] / NS_PER_S)


def wallet_figures(trades: MarketTrades) -> Figures:
    """Return the holding times."""
    return quantiles("hold_s", holds_s(trades), (25, 50, 75))


def quantiles(name: str, values: Any, percents: tuple[int, ...]) -> Figures:
    """Return percentiles by name."""
    found = np.quantile(np.asarray(values, float), [percent / 100 for percent in percents])
    return {f"{name}_{percent}": float(value) for percent, value in zip(percents, found, strict=True)}
