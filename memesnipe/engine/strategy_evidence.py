"""The evidence of one strategy: whether its fresh round trips have a positive mean, and their statistics."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class StrategyEvidence:
    """The evidence of one strategy since it was admitted, or since it started again. Formulas: `docs/statistics.md`."""

    e_value: float  # 1 without evidence; above 1 the more a bet on its round trips would have gained
    round_trips: int  # ended
    mean: float  # return of a round trip relative to its stake, net of all costs
    variance: float  # sample variance of the returns
    restarts: int  # how often it has started again


NO_EVIDENCE = StrategyEvidence(1.0, 0, 0.0, 0.0, 0)
