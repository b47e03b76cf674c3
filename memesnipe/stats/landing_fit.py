"""The landing curve of the market model, fitted to orders that landed or did not.

The curve is ``p(bid) = maximum * bid / (bid + half)``: the fill model's (`docs/market-model.md`), and a logistic
regression on ln(bid) with slope 1 and an upper asymptote, because bid / (bid + half) = logistic(ln(bid) - ln(half)).

Both parameters get a normal prior around the values that the simulation assumes, with standard deviation 1/2 for
logit(maximum) and for ln(half): a few orders move the fit little, and against hundreds the prior means little. The
posterior is computed on a grid, so that it is exact where all orders have bid the same, and only a combination of both
parameters is known.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
PRIOR_DEVIATION: Final = 0.5
_WIDE: Final = 1.5  # deviation with which the search for the posterior begins
_CELLS: Final = 61  # of the grid, in each direction
_REACH: Final = 5.0  # deviations on each side
_ZOOMS: Final = 4
_STEP: Final = 0.05  # of ln(bid): bids that differ by less count as equal
_EDGE: Final = 1e-4  # of a maximum, from 0 and from 1


@dataclass(frozen=True, slots=True)
class LandingCurve:
    """The probability that an order lands, depending on its bid: priority fee plus tip, in lamports."""

    maximum: float
    half: float  # bid in lamports at which half of the maximum lands

    def rate(self, bids: Floats) -> Floats:
        """Return the probability at each bid, shape (n,)."""
        return self.maximum * bids / np.maximum(bids + self.half, 1.0)


@dataclass(frozen=True, slots=True)
class Estimate:
    """A figure with its central interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class LandingFit:
    """The posterior of the curve, as weighted curves."""

    curve: LandingCurve  # its mean, in the logit of the maximum and the logarithm of the half
    maxima: Floats  # shape (cells,)
    halves: Floats  # shape (cells,)
    weights: Floats  # shape (cells,), with the sum 1

    def maximum(self, confidence: float = 0.95) -> Estimate:
        """Return the maximum of the curve."""
        return self._estimate(self.curve.maximum, self.maxima, confidence)

    def half(self, confidence: float = 0.95) -> Estimate:
        """Return the bid at which half of the maximum lands, in lamports."""
        return self._estimate(self.curve.half, self.halves, confidence)

    def rate(self, bid: float, confidence: float = 0.95) -> Estimate:
        """Return the probability that an order with this bid lands."""
        rates = self.maxima * bid / np.maximum(bid + self.halves, 1.0)
        return self._estimate(float(self.weights @ rates), rates, confidence)

    def _estimate(self, value: float, values: Floats, confidence: float) -> Estimate:
        order = np.argsort(values)
        shares = np.cumsum(self.weights[order])
        edges = np.array([(1 - confidence) / 2, (1 + confidence) / 2])
        low, high = values[order][np.minimum(np.searchsorted(shares, edges), len(values) - 1)]
        return Estimate(value, float(low), float(high))


def fit_landing(bids: NDArray[np.int64], landed: NDArray[np.bool_], assumed: LandingCurve) -> LandingFit:
    """Return the curve that follows from orders.

    Args:
        bids: of each order, in lamports, shape (n,).
        landed: whether it landed, shape (n,).
        assumed: the curve without any order.
    """
    rounded = np.rint(np.log(np.maximum(bids, 1).astype(np.float64)) / _STEP)
    levels, index = np.unique(rounded, return_inverse=True)
    trials = np.bincount(index, minlength=len(levels)).astype(np.float64)
    hits = np.bincount(index, landed.astype(np.float64), minlength=len(levels)).astype(np.float64)
    prior = np.array([_logit(min(max(assumed.maximum, _EDGE), 1 - _EDGE)), np.log(max(assumed.half, 1.0))])
    centre, deviation = prior, np.full(2, _WIDE)
    for _ in range(_ZOOMS):
        steps = np.linspace(-_REACH, _REACH, _CELLS)
        grid = np.meshgrid(*(centre[:, None] + deviation[:, None] * steps), indexing="ij")
        points = np.stack(grid, axis=-1).reshape(-1, 2)
        weights = _posterior(points, prior, levels * _STEP, trials, hits)
        centre = weights @ points
        deviation = np.sqrt(weights @ (points - centre) ** 2 + 1e-12)
    curve = LandingCurve(float(_logistic(centre[0])), float(np.exp(centre[1])))
    return LandingFit(curve, _logistic(points[:, 0]), np.exp(points[:, 1]), weights)


def _posterior(points: Floats, prior: Floats, levels: Floats, trials: Floats, hits: Floats) -> Floats:
    """Return the weights of points (logit of the maximum, logarithm of the half), shape (cells, 2), with the sum 1.

    ``levels`` are logarithms of bids, with the number of orders and of those that landed at each, shape (levels,).
    """
    logs = -0.5 * np.sum(((points - prior) / PRIOR_DEVIATION) ** 2, axis=1)
    for level, tried, hit in zip(levels, trials, hits, strict=True):
        rate = np.clip(_logistic(points[:, 0]) * _logistic(level - points[:, 1]), 1e-12, 1 - 1e-12)
        logs += hit * np.log(rate) + (tried - hit) * np.log1p(-rate)
    weights = np.exp(logs - logs.max())
    shares: Floats = weights / weights.sum()
    return shares


def _logit(value: float) -> float:
    return float(np.log(value / (1 - value)))


def _logistic(values: Floats) -> Floats:
    found: Floats = 1 / (1 + np.exp(-values))
    return found
