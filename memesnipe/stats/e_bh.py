"""Selection of strategies by their evidence: the e-BH procedure with weights.

Of the weighted evidence w E, sorted in descending order, the first k strategies are accepted, for the largest k whose
k-th value is at least 1 / (alpha k). The weights are fixed at admission (`memesnipe.stats.evidence_budget`), and the
number of strategies does not enter. Wang & Ramdas, False discovery rate control with e-values (2022).
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class Selection:
    """The result of the procedure; arrays of shape (strategies,)."""

    accepted: NDArray[np.bool_]
    thresholds: NDArray[np.float64]  # least E with which it is accepted while all others stay as they are


def select(e_values: NDArray[np.float64], weights: NDArray[np.float64], alpha: float) -> Selection:
    """Select strategies by their present evidence, not by its highest so far.

    Args:
        e_values: E of each strategy, shape (strategies,).
        weights: weight of each, shape (strategies,), not negative, in total at most 1. A weight of 0 is never accepted.
        alpha: bound of the false discovery rate.

    Raises:
        ValueError: the shapes differ, alpha is outside (0, 1), a weight is negative, or they exceed 1 in total.
    """
    if e_values.shape != weights.shape or e_values.ndim != 1:
        raise ValueError(f"{e_values.shape} values with {weights.shape} weights: need one of each per strategy")
    if not 0.0 < alpha < 1.0:
        raise ValueError(f"alpha is {alpha}: must be between 0 and 1")
    if len(weights) and not (weights.min() >= 0.0 and weights.sum() <= 1.0 + 1e-9):
        raise ValueError(f"weights from {weights.min()}, {weights.sum()} in total: need 0 or more, at most 1 in total")
    order = np.argsort(-(weights * e_values), kind="stable")
    ranks = np.arange(1, len(order) + 1)
    ordered = (weights * e_values)[order]
    levels = 1.0 / (alpha * ranks)
    accepted_count = int(ranks[ordered >= levels].max(initial=0))
    # A strategy that is not accepted would be the (j + 1)-th accepted one, if j before it reach the level of j + 1.
    with_one_more = np.maximum.accumulate(np.where(ordered >= 1.0 / (alpha * (ranks + 1)), ranks, 0))
    before = np.concatenate([[0], with_one_more[:-1]]) if len(order) else with_one_more
    positions = ranks - 1
    size = np.where(positions < accepted_count, accepted_count, np.maximum(before, accepted_count) + 1)
    accepted = np.zeros(len(order), np.bool_)
    accepted[order[:accepted_count]] = True
    weighted_thresholds = np.empty(len(order))
    weighted_thresholds[order] = 1.0 / (alpha * size)
    with np.errstate(divide="ignore", over="ignore"):
        thresholds = weighted_thresholds / weights
    return Selection(accepted, thresholds)
