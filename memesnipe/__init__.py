"""MemeSnipe: a live simulation engine for Solana memecoins.

In a notebook, `import memesnipe as ms` and use `ms.read_tape`, `ms.backtest`, `ms.evolve` and `ms.report`
(docs/notebooks.md).
"""

from importlib import import_module
from typing import Any

__version__ = "24.0.0"
_NOTEBOOK = ("Backtest", "Market", "Search", "backtest", "evolve", "read_tape", "report")


def __getattr__(name: str) -> Any:
    """Load the API for notebooks with its first use: it is slow to load, and most processes do not need it."""
    if name in _NOTEBOOK:
        return getattr(import_module("memesnipe.notebook"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    """Return the names that a notebook completes."""
    return sorted([*globals(), *_NOTEBOOK])
