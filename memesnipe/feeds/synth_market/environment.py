"""The functions of time that all tokens share: the price of SOL, the market's mood, and Korean hours."""

import numpy as np
from numpy.typing import NDArray

from memesnipe.feeds.synth_market.life import STEP_S, Environment
from memesnipe.market.events import NS_PER_S

_FIRST_SOL_USD = 200.0
_SOL_MOVE = 0.0006 * (STEP_S / 30.0) ** 0.5  # standard deviation of a step's log return: 3 % a day
_SOL_RETURNS_S = 20 * 86_400.0  # time in which SOL returns to its first price
_MOOD_LASTS_S = 1_800.0
_MOOD_SIGMA = 0.3
_KOREAN_HOURS_S = 8 * 3_600  # 00:00 to 08:00 UTC; 09:00, when Upbit's daily candle begins, to 17:00 in Korea
KOREAN_TEMPO = 1.4
_DAY_S = 86_400
_STEPS_A_DAY = int(_DAY_S / STEP_S)


def make_environment(seed: int, start_ts: int, hours: float) -> Environment:
    """Return the functions of time of a market; a longer market begins with the same values."""
    steps = int(hours * 3600 / STEP_S) + 2
    days = [
        np.random.default_rng([seed, 0, day]).normal(size=(2, _STEPS_A_DAY)) for day in range(-(-steps // _STEPS_A_DAY))
    ]
    noise = np.concatenate(days, axis=1)[:, :steps]
    sol_usd = _FIRST_SOL_USD * np.exp(reverting(noise[0] * _SOL_MOVE, STEP_S / _SOL_RETURNS_S))
    keep = STEP_S / _MOOD_LASTS_S
    log_mood = reverting(noise[1] * _MOOD_SIGMA * (2 * keep) ** 0.5, keep)
    mood = np.exp(log_mood - _MOOD_SIGMA**2 / 2) * korean_tempo(start_ts, steps)
    return Environment(start_ts, start_ts + int(hours * 3600 * NS_PER_S), sol_usd, mood)


def korean_tempo(start_ts: int, steps: int) -> NDArray[np.float64]:
    """Return the factor on arrivals at each step: larger in Korean trading hours."""
    of_day_s = (start_ts / NS_PER_S + np.arange(steps) * STEP_S) % _DAY_S
    return np.where(of_day_s < _KOREAN_HOURS_S, KOREAN_TEMPO, 1.0)


def reverting(noise: NDArray[np.float64], share: float) -> NDArray[np.float64]:
    """Return the process that adds the noise and loses a share of its value at each step."""
    values = np.empty_like(noise)
    value = 0.0
    for step, added in enumerate(noise.tolist()):
        value += added - share * value
        values[step] = value
    return values
