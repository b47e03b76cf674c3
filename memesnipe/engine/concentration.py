"""Whether a profit rests on one token or one trade: then it says little about the next."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from memesnipe.engine.engine import Engine
from memesnipe.engine.kernel import equities
from memesnipe.engine.orders import ENTRIES, Fill

MOST: Final = 0.5  # a larger share than that is most of the profit


@dataclass(frozen=True, slots=True)
class Concentration:
    """The token that earned most, its share of what all tokens that gained did, and the share of the best trade."""

    top_token: int
    top_token_share: float
    top_trade_share: float


def held_values(engine: Engine, spec_id: str) -> dict[int, int]:
    """What each token that a strategy holds would pay now, in lamports."""
    row = engine.population.row_of[spec_id]
    exposures = engine.population.exposures[row]
    held = np.flatnonzero(exposures["used"] != 0)
    accounts = np.repeat(engine.population.accounts[row : row + 1], len(held))
    accounts["cash_lamports"] = 0
    alone = np.repeat(exposures[np.newaxis], len(held), axis=0)  # each exposure in an account of its own
    for i, place in enumerate(held):
        alone["used"][i, np.arange(alone.shape[1]) != place] = 0
    worth = np.zeros(len(held), np.int64)
    equities(accounts, alone, worth)
    values: dict[int, int] = defaultdict(int)
    for place, value in zip(held, worth.tolist(), strict=True):
        values[int(exposures["token"][place])] += value
    return {token: value for token, value in values.items() if value}


def concentration_of(fills: Iterable[Fill], held: Mapping[int, int]) -> Concentration | None:
    """How concentrated a profit is; None where there is none.

    Args:
        fills: of one strategy, in order, failed ones included.
        held: what each token held at the end would pay, in lamports.
    """
    trades: list[int] = []
    of_token: dict[int, int] = defaultdict(int)
    running: dict[int, int] = defaultdict(int)  # what the trade in each token has paid and brought so far
    for fill in fills:
        token = fill.order.token
        of_token[token] += fill.cash_change_lamports
        running[token] += fill.cash_change_lamports
        if not fill.failure and fill.order.side not in ENTRIES:
            trades.append(running.pop(token))
    for token, value in held.items():
        of_token[token] += value
        trades.append(running.pop(token, 0) + value)
    if sum(of_token.values()) <= 0:
        return None
    gains = {token: gain for token, gain in of_token.items() if gain > 0}
    top = max(gains, key=lambda token: gains[token])
    best, gained = max(trades, default=0), sum(trade for trade in trades if trade > 0)
    return Concentration(top, gains[top] / sum(gains.values()), best / gained if gained > 0 else 0.0)
