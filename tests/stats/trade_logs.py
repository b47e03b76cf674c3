"""Random logs of trades, and betting accounts written plainly."""

import math
from dataclasses import dataclass, field

import numpy as np
from hypothesis import strategies as st

from memesnipe.stats.betting import BET_SIZES, MAX_OPEN
from memesnipe.stats.trade_log import TradeLog

MAX_LOSS = 1.1
STRATEGIES = 4
TOKENS = 20


@st.composite
def trade_logs(draw: st.DrawFn, max_size: int = 200) -> TradeLog:
    """Each entry opens a token of a strategy or closes it; a loss may be total, and a gain large."""
    open_tokens: list[set[int]] = [set() for _ in range(STRATEGIES)]
    entries = []
    returns = st.one_of(st.just(-MAX_LOSS), st.floats(-MAX_LOSS, 3.0), st.floats(0.0, 50.0))
    steps = st.tuples(st.integers(0, STRATEGIES - 1), st.integers(0, TOKENS - 1), returns)
    for row, token, value in draw(st.lists(steps, max_size=max_size)):
        tokens = open_tokens[row]
        is_opening = token not in tokens
        if is_opening and len(tokens) == MAX_OPEN:
            continue
        tokens ^= {token}
        entries.append((row, token, is_opening, math.nan if is_opening else value))
    return log_of(entries)


def log_of(entries: list[tuple[int, int, bool, float]]) -> TradeLog:
    rows, tokens, is_opening, returns = zip(*entries, strict=True) if entries else ((), (), (), ())
    return TradeLog.of(rows, tokens, is_opening, returns)


def part_of(log: TradeLog, chosen: slice) -> TradeLog:
    return TradeLog.of(log.rows[chosen], log.tokens[chosen], log.is_opening[chosen], log.returns[chosen])


def closed_one_by_one(row: int, returns: list[float]) -> TradeLog:
    entries = [(row, 0, is_opening, value) for value in returns for is_opening in (True, False)]
    return log_of(entries)


@dataclass
class PlainAccount:
    """One strategy at one bet size: W = 1 + sum of stake times return, and the stakes of open positions."""

    share: float
    max_loss: float = MAX_LOSS
    wealth: float = 1.0
    stakes: dict[int, float] = field(default_factory=dict)

    @property
    def if_all_is_lost(self) -> float:
        return self.wealth - self.max_loss * sum(self.stakes.values())

    def open(self, token: int) -> None:
        self.stakes[token] = min(self.share * self.wealth, self.if_all_is_lost) / self.max_loss

    def close(self, token: int, value: float) -> None:
        self.wealth += self.stakes.pop(token) * value


def plain_e_values(log: TradeLog) -> np.ndarray:
    accounts = [[PlainAccount(share) for share in BET_SIZES] for _ in range(STRATEGIES)]
    for row, token, is_opening, value in zip(log.rows, log.tokens, log.is_opening, log.returns, strict=True):
        for account in accounts[row]:
            account.open(token) if is_opening else account.close(token, value)
    return np.array([np.mean([account.if_all_is_lost for account in own]) for own in accounts])
