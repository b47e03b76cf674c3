"""Fitness: one number for how a genome did on the tape, in which what came later counts too."""

from dataclasses import dataclass

from memesnipe.engine.results import StrategyResult
from memesnipe.market.events import Events

TRAIN_SHARE = 0.7  # of the window's events
LEAST_TRADES = 3


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What a genome did on the two parts of the window, and its fitness."""

    train: StrategyResult
    validation: StrategyResult
    fitness: float


def split(window: Events) -> tuple[Events, Events]:
    """The earlier part of the window to train on, and the later part to validate on."""
    cut = int(len(window) * TRAIN_SHARE)
    return window[:cut], window[cut:]


def evaluate(train: StrategyResult, validation: StrategyResult) -> Evaluation:
    """The fitness of two results.

    It is the worse of the two returns, costs and failed landings included: what only worked early is worth no
    more than what it did later. Fewer than `LEAST_TRADES` round trips in all cannot win: that is worse than losing
    everything, and the fewer the worse, so that the search is led to those that trade.
    """
    missing = LEAST_TRADES - train.trades - validation.trades
    if missing > 0:
        return Evaluation(train, validation, -1.0 - missing)
    return Evaluation(train, validation, min(train.total_return, validation.total_return))
