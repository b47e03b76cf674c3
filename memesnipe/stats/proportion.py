"""The confidence interval of a proportion."""

from statistics import NormalDist


def wilson_interval(hits: int, trials: int, confidence: float = 0.95) -> tuple[float, float]:
    """Return Wilson's score interval of a proportion (Wilson 1927); from 0 to 1 without trials.

    It is the set of proportions p with (hits / trials - p)^2 <= z^2 p (1 - p) / trials.

    Raises:
        ValueError: there are more hits than trials, or fewer than none.
    """
    if not 0 <= hits <= trials:
        raise ValueError(f"{hits} of {trials} is no proportion")
    if trials == 0:
        return 0.0, 1.0
    z = NormalDist().inv_cdf((1 + confidence) / 2)
    centre = (hits + z * z / 2) / (trials + z * z)
    half = z * (hits * (trials - hits) / trials + z * z / 4) ** 0.5 / (trials + z * z)
    return max(centre - half, 0.0), min(centre + half, 1.0)
