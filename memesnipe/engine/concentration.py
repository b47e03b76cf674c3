"""How much of a profit comes from one token or one trade: a concentrated profit is weak evidence of the next one."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from memesnipe.engine.engine import Engine
from memesnipe.engine.kernel import equities
from memesnipe.engine.orders import ENTRIES, Fill

MAX_SHARE: Final = 0.5  # of the profit; above it the profit counts as concentrated


@dataclass(frozen=True, slots=True)
class Concentration:
    """The token with the largest gain, its share of all tokens' gains, and the best trade's share of all trades'."""

    top_token: int
    top_token_share: float
    top_trade_share: float


def held_values(engine: Engine, spec_id: str) -> dict[int, int]:
    """Return the value in lamports of each token that a strategy holds: the proceeds of selling it now."""
    row = engine.population.row_of[spec_id]
    exposures = engine.population.exposures[row]
    held = np.flatnonzero(exposures["used"] != 0)
    accounts = np.repeat(engine.population.accounts[row : row + 1], len(held))
    accounts["cash_lamports"] = 0
    alone = np.repeat(exposures[np.newaxis], len(held), axis=0)  # one account per exposure
    for i, index in enumerate(held):
        alone["used"][i, np.arange(alone.shape[1]) != index] = 0
    lamports = np.zeros(len(held), np.int64)
    equities(accounts, alone, lamports)
    values: dict[int, int] = defaultdict(int)
    for index, value in zip(held, lamports.tolist(), strict=True):
        values[int(exposures["market"]["token"][index])] += value
    return {token: value for token, value in values.items() if value}


def concentration_of(fills: Iterable[Fill], held: Mapping[int, int]) -> Concentration | None:
    """Return how concentrated a profit is, or None without a profit.

    Args:
        fills: all fills of one strategy in order, failed ones included.
        held: value of each token held at the end, in lamports.
    """
    trades: list[int] = []
    of_token: dict[int, int] = defaultdict(int)
    running: dict[int, int] = defaultdict(int)  # cash flow so far of the open trade in each token
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
