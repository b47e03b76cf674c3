"""backtesting.py: a Strategy that precomputes its signal in init with self.I and trades on it in next."""

import warnings

import backtesting
import numpy as np
import pandas as pd
from backtesting import Backtest, Strategy
from peers_signals import momentum_nb
from peers_tape import CASH_USD, FEE_PER_SIDE, PARAMS, Prepared, Tape

MIN_TRADES = 2  # a Backtest starts at its second row


class Momentum(Strategy):
    """The strategy; its class attributes are the parameters that Backtest.run sets."""

    lookback_s = 300.0
    breakout = 0.05
    vol_mult = 2.0

    def init(self) -> None:
        """Compute the signal of every trade at once."""
        data = self.data
        ts = data.index.as_unit("ns").asi8
        inputs = (ts, *(np.asarray(column) for column in (data.Close, data.Volume, data.Side)))
        sets = (self.lookback_s, self.breakout, self.vol_mult)
        self.signal = self.I(momentum_nb, *inputs, *sets, name="momentum", plot=False, overlay=False)

    def next(self) -> None:
        """Trade on the signal of the current trade; the order fills at the next trade."""
        signal = self.signal[-1]
        if signal > 0 and not self.position:
            self.buy()
        elif signal < 0 and self.position:
            self.position.close()


def prepare(tape: Tape) -> Prepared:
    """Make one Backtest per token."""
    warnings.filterwarnings("ignore")  # of annualised statistics over minutes
    backtests = [_backtest(tape, token) for token in tape.tokens() if token.stop - token.start >= MIN_TRADES]
    sets = [dict(zip(PARAMS, map(float, row), strict=True)) for row in tape.params]

    def count_buys() -> int:
        return sum(int(np.sum(each.run(**sets[0])["_strategy"].signal == 1)) for each in backtests)

    def run() -> int:
        return sum(int(each.run(**chosen)["# Trades"]) for each in backtests for chosen in sets)

    return Prepared(backtesting.__version__, count_buys, run)


def _backtest(tape: Tape, token: slice) -> Backtest:
    price = tape.price[token]
    columns = dict.fromkeys(("Open", "High", "Low", "Close"), price)
    columns |= {"Volume": tape.volume[token], "Side": tape.side[token]}
    data = pd.DataFrame(columns, index=pd.to_datetime(tape.ts[token]))
    return Backtest(data, Momentum, cash=CASH_USD, commission=FEE_PER_SIDE, finalize_trades=True)
