"""RaptorBT: run_tick_backtest per token and parameter set, on signals that are computed beforehand."""

import numpy as np
import raptorbt
from peers_signals import momentum_nb
from peers_tape import CASH_USD, FEE_PER_SIDE, Array, Prepared, Tape

NEVER_PCT = 1e9  # stops that no price reaches
NEVER_S = 10**9

Columns = tuple[Array, ...]


def prepare(tape: Tape) -> Prepared:
    """Split the tape into the ticks of each token."""
    tokens = [_columns(tape, token) for token in tape.tokens()]

    def count_buys() -> int:
        return sum(int((momentum_nb(*token[:4], *tape.params[0]) == 1).sum()) for token in tokens)

    def run() -> int:
        return sum(_backtest(token, row) for token in tokens for row in tape.params)

    return Prepared(raptorbt.__version__, count_buys, run)


def _columns(tape: Tape, token: slice) -> Columns:
    columns = (tape.ts, tape.price, tape.volume, tape.side)
    return tuple(np.ascontiguousarray(column[token]) for column in columns)


def _backtest(token: Columns, params: Array) -> int:
    """Return the number of trades; a signal trades at the price of the next trade."""
    ts, price, volume, side = token
    signals = np.roll(momentum_nb(ts, price, volume, side, *params), 1)
    signals[0] = 0
    nothing = np.zeros(len(ts))
    result = raptorbt.run_tick_backtest(
        ts, price, price, price, nothing, nothing, nothing, signals == 1, signals == -1,
        initial_capital=CASH_USD, fees=FEE_PER_SIDE, stop_loss_pct=NEVER_PCT, take_profit_pct=NEVER_PCT,
        max_hold_seconds=NEVER_S, entry_cooldown_ticks=0, max_trades=len(ts),
    )  # fmt: skip
    return int(result.metrics.total_trades)
