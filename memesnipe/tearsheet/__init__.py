"""A tear sheet: the performance of a run or a backtest as one self-contained page, or as pictures."""
