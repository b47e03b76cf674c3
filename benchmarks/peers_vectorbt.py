"""vectorbt: a compiled indicator over a parameter grid, then Portfolio.from_signals; one column per token and set.

Columns of one table have the same number of rows, so tokens of similar length share a table, and a row is the
token's n-th trade: vectorbt does not need rows aligned by time (its author, issue 155 of polakowo/vectorbt).
"""

import numpy as np
import pandas as pd
import vectorbt as vbt
from numba import njit
from peers_signals import momentum_nb
from peers_tape import CASH_USD, FEE_PER_SIDE, PARAMS, Array, Prepared, Tape

SETS_PER_CALL = 128  # bounds the memory of one call; 32 and 512 are slower
SHORTEST_IN_TABLE = 0.7  # of the table's longest token

Table = tuple[pd.DataFrame, ...]  # ts, price, volume, side, and the close to trade at


@njit(nogil=True)
def _entries_and_exits(
    ts: Array, price: Array, volume: Array, side: Array, lookback_s: float, breakout: float, vol_mult: float
) -> tuple[Array, Array]:
    """Return the signals shifted by one row, so that they trade at the next price, as vectorbt's manual requires."""
    entries = np.zeros(price.shape, np.bool_)
    exits = np.zeros(price.shape, np.bool_)
    for column in range(price.shape[1]):
        inputs = (ts[:, column], price[:, column], volume[:, column], side[:, column])
        signals = momentum_nb(*inputs, lookback_s, breakout, vol_mult)
        for row in range(price.shape[0] - 1):
            entries[row + 1, column] = signals[row] == 1
            exits[row + 1, column] = signals[row] == -1
    return entries, exits


MOMENTUM = vbt.IndicatorFactory(
    class_name="Momentum",
    short_name="momentum",
    input_names=["ts", "price", "volume", "side"],
    param_names=list(PARAMS),
    output_names=["entries", "exits"],
).from_apply_func(_entries_and_exits)


def prepare(tape: Tape) -> Prepared:
    """Arrange the tape in tables."""
    tables = [_table(tape, group) for group in _groups(tape)]

    def count_buys() -> int:
        return sum(int(_signals(table, tape.params[:1]).entries.to_numpy().sum()) for table in tables)

    def run() -> int:
        return sum(_simulate(table, sets) for table in tables for sets in _split(tape.params))

    return Prepared(vbt.__version__, count_buys, run)


def _groups(tape: Tape) -> list[list[slice]]:
    groups: list[list[slice]] = []
    for token in sorted(tape.tokens(), key=lambda rows: rows.start - rows.stop):
        longest = groups[-1][0] if groups else None
        if longest is None or token.stop - token.start < SHORTEST_IN_TABLE * (longest.stop - longest.start):
            groups.append([])
        groups[-1].append(token)
    return groups


def _table(tape: Tape, group: list[slice]) -> Table:
    rows = max(token.stop - token.start for token in group) + 1  # a last row for the signal of the last trade
    columns = pd.Index([token.start for token in group], name="token")

    def frame(values: Array, padding: float) -> pd.DataFrame:
        cells = np.full((rows, len(group)), padding, values.dtype)
        for column, token in enumerate(group):
            cells[: token.stop - token.start, column] = values[token]
        return pd.DataFrame(cells, columns=columns)

    price = frame(tape.price, np.nan)
    return frame(tape.ts, 0), price, frame(tape.volume, np.nan), frame(tape.side, 0), price.ffill()


def _split(params: Array) -> list[Array]:
    return [params[first : first + SETS_PER_CALL] for first in range(0, len(params), SETS_PER_CALL)]


def _signals(table: Table, params: Array) -> "MOMENTUM":
    return MOMENTUM.run(*table[:4], **dict(zip(PARAMS, params.T, strict=True)))


def _simulate(table: Table, params: Array) -> int:
    signals = _signals(table, params)
    portfolio = vbt.Portfolio.from_signals(
        table[4], signals.entries, signals.exits, fees=FEE_PER_SIDE, init_cash=CASH_USD, freq="1s"
    )
    portfolio.total_return()  # computed lazily
    return len(portfolio.orders.values)
