"""The times of the launches, more frequent in Korean hours and in a good mood."""

import numpy as np
from numpy.typing import NDArray

from memesnipe.feeds.synth_market.life import SLOT_NS, STEP_S, Environment
from memesnipe.market.events import NS_PER_S


def launch_times(seed: int, tokens: int, environment: Environment) -> NDArray[np.int64]:
    """Return the time of each launch in ns, ascending, at the start of a slot; shape (tokens,).

    The market begins with a launch. The others are independent, with a density that follows the number of buyers.
    """
    steps = int((environment.end_ts - environment.start_ts) / NS_PER_S / STEP_S)
    weights = environment.mood[: max(steps, 1)]
    shares = np.concatenate([[0.0], np.cumsum(weights / np.sum(weights))])
    draws = np.sort(np.random.default_rng([seed, 1]).random(tokens))
    draws[:1] = 0.0
    length = environment.end_ts - environment.start_ts
    at = np.interp(draws, shares, np.linspace(0.0, length * (1.0 - 1e-9), len(shares))).astype(np.int64)
    return environment.start_ts + at // SLOT_NS * SLOT_NS
