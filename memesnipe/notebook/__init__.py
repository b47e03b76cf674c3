"""The Python API for notebooks and scripts, which `import memesnipe as ms` has as `ms.backtest` and so on."""

from memesnipe.notebook.backtests import Backtest, backtest
from memesnipe.notebook.markets import Market, read_tape
from memesnipe.notebook.reports import report
from memesnipe.notebook.searches import Search, evolve

__all__ = ["Backtest", "Market", "Search", "backtest", "evolve", "read_tape", "report"]
