"""The weights of strategies in the selection: shares of a budget of 1 that lasts for ever.

A strategy gets its weight at admission, before its first fresh round trip, in proportion to its prior mass, for example
the probability of skill that its backtest shows. The budget spent after a total mass M is 1 - 1 / sqrt(1 + M / scale):
it never reaches 1, however many strategies come. Who leaves returns what is left of the weight. The guarantees are in
`docs/statistics.md`.
"""

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

DEFAULT_SCALE: Final = 50.0  # half of the budget goes to the first mass of three times this
MIN_MASS: Final = 0.05  # a strategy without any evidence from its backtest
_MAX_SPENT: Final = 1.0 - 1e-9  # beyond it the differences between budgets are rounding errors


@dataclass(slots=True)
class EvidenceBudget:
    """The budget of one selection; its state is the number ``spent``."""

    scale: float = DEFAULT_SCALE
    spent: float = 0.0

    def __post_init__(self) -> None:
        if not (self.scale > 0.0 and 0.0 <= self.spent <= 1.0):
            raise ValueError(f"a scale of {self.scale} and {self.spent} spent: need a positive one, and 0 to 1")

    def weigh(self, masses: ArrayLike) -> NDArray[np.float64]:
        """Spend weights on strategies that are admitted together; return them, shape (admitted,).

        Args:
            masses: prior mass of each, shape (admitted,), positive; a result of `prior_mass`. Only their ratios to each
                other and to ``scale`` matter. They may depend on everything known at admission, but not on the fresh
                round trips of the strategy, which come later.

        Raises:
            ValueError: a mass is not positive and finite.
        """
        mass = np.array(masses, np.float64, ndmin=1)
        if not ((mass > 0.0) & np.isfinite(mass)).all():
            raise ValueError(f"prior masses from {mass.min()} to {mass.max()}: must be positive and finite")
        total = float(mass.sum())
        if total == 0.0:
            return np.zeros(0)
        # The mass at which the curve has the present budget, then the curve at that mass plus the new.
        left = 1.0 - min(self.spent, _MAX_SPENT)
        after = 1.0 - 1.0 / math.sqrt(1.0 / (left * left) + total / self.scale)
        cost = max(after - self.spent, 0.0)
        self.spent += cost
        weights: NDArray[np.float64] = cost * mass / total
        return weights

    def refund(self, weights: ArrayLike, e_values: ArrayLike) -> None:
        """Take back what strategies leave behind, at most their weight: the minimum of w and w E of each.

        They must not be selected any more: one that is admitted again gets a new weight and starts without evidence.

        Raises:
            ValueError: a value is negative, or more is returned than was spent.
        """
        weight, evidence = np.array(weights, np.float64), np.array(e_values, np.float64)
        if not ((weight >= 0.0).all() and (evidence >= 0.0).all()):
            raise ValueError("a weight or the evidence of a strategy that leaves is negative")
        returned = float((weight * np.minimum(evidence, 1.0)).sum())
        if returned > self.spent + 1e-9:
            raise ValueError(f"{returned} returned of {self.spent} spent: weights of another budget, or twice the same")
        self.spent = max(self.spent - returned, 0.0)


def prior_mass(deflated_sharpe: ArrayLike) -> NDArray[np.float64]:
    """Return the prior mass of strategies: their probability of skill in the backtest, at least MIN_MASS.

    The expected number of strategies accepted is nearly greatest if weights are in proportion to the probabilities that
    they have an edge (each factor of e in a weight saves the same number of round trips).

    Args:
        deflated_sharpe: deflated Sharpe ratios from validation, shape (strategies,), probabilities.

    Raises:
        ValueError: a value is not a probability.
    """
    probability = np.array(deflated_sharpe, np.float64, ndmin=1)
    if not ((probability >= 0.0) & (probability <= 1.0)).all():
        raise ValueError("a deflated Sharpe ratio is not between 0 and 1")
    return np.maximum(probability, MIN_MASS)
