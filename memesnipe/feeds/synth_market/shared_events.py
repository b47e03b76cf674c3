"""Events of the whole market and of the perps of a few majors: prices of SOL, inflows over bridges, funding.

They are drawn hour by hour, each hour from its own random numbers, so they too are the same whatever windows are read.
The marks of the majors are functions of time like the price of SOL; their pools are not part of this market.
"""

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from memesnipe.feeds.synth_market.environment import reverting
from memesnipe.feeds.synth_market.life import SLOT_NS, STEP_S, Environment
from memesnipe.market.events import BRIDGE, FUNDING, NO_TOKEN, NS_PER_S, SOL_PRICE, Events, empty, join, take
from memesnipe.market.times import NS_PER_HOUR

MAJORS: Final = 3
_SOL_PRICE_EVERY_S: Final = 30.0
_FUNDING_EVERY_S: Final = 20.0
_BRIDGES_AN_HOUR: Final = 80.0
_BRIDGE_USD: Final = 80_000.0
_LARGE_SHARE, _LARGE = 0.1, 10.0
_MARK_MOVE: Final = 0.0015 * (STEP_S / 30.0) ** 0.5  # standard deviation of a step's log return
_PREMIUM_MOVE, _PREMIUM_FADES_S = 0.0012, 500.0
_PURPOSE: Final = 2


class SharedEvents:
    """The events that belong to no launched token.

    Args:
        seed: of the market.
        environment: the functions of time of the market.
        first_token: number of the first major.
    """

    def __init__(self, seed: int, environment: Environment, first_token: int) -> None:
        self._seed, self._environment, self._first_token = seed, environment, first_token
        steps = len(environment.sol_usd)
        days = -(-steps * int(STEP_S) // 86_400)
        a_day = int(86_400 / STEP_S)
        noise = np.concatenate(
            [np.random.default_rng([seed, _PURPOSE, day]).normal(size=(2, MAJORS, a_day)) for day in range(days)],
            axis=2,
        )[:, :, :steps]
        first = 10.0 ** -np.arange(2, 2 + MAJORS)[:, None]
        # A major follows SOL, with moves of its own.
        self._marks = (
            first * np.exp(np.cumsum(noise[0] * _MARK_MOVE, axis=1)) * environment.sol_usd / environment.sol_usd[0]
        )
        self._premiums = [reverting(of_major * _PREMIUM_MOVE, STEP_S / _PREMIUM_FADES_S) for of_major in noise[1]]

    def between(self, start_ts: int, stop_ts: int) -> Events:
        """Return the events from ``start_ts`` to before ``stop_ts``, in no particular order."""
        first_ts = self._environment.start_ts
        hours = range((start_ts - first_ts) // NS_PER_HOUR, -((first_ts - stop_ts) // NS_PER_HOUR))
        events = join(empty(0), *(self._hour(hour) for hour in hours))
        inside = (events["ts"] >= start_ts) & (events["ts"] < min(stop_ts, self._environment.end_ts))
        return take(events, inside)

    def _hour(self, hour: int) -> Events:
        rng = np.random.default_rng([self._seed, _PURPOSE + 1, hour])
        start_ts = self._environment.start_ts + hour * NS_PER_HOUR
        prices = self._at(start_ts, np.arange(0.0, 3600.0, _SOL_PRICE_EVERY_S), SOL_PRICE)
        bridges = self._at(start_ts, rng.uniform(0.0, 3600.0, rng.poisson(_BRIDGES_AN_HOUR)), BRIDGE)
        size = np.where(rng.random(len(bridges)) < _LARGE_SHARE, _LARGE, 1.0)
        bridges["inflow_usd"] = _BRIDGE_USD * size * rng.lognormal(0.0, 0.7, len(bridges))
        funding = [self._funding(start_ts, major) for major in range(MAJORS)]
        return join(prices, bridges, *funding)

    def _funding(self, start_ts: int, major: int) -> Events:
        events = self._at(start_ts, np.arange(float(major), 3600.0, _FUNDING_EVERY_S), FUNDING)
        events["token"] = self._first_token + major
        steps = self._steps(events)
        events["rate"] = self._premiums[major][steps] / 8.0  # per hour
        events["mark_usd"] = self._marks[major][steps] * (1.0 + self._premiums[major][steps])
        return events

    def _at(self, start_ts: int, after_s: NDArray[Any], kind: int) -> Events:
        events = empty(len(after_s))
        events["ts"] = start_ts + (after_s * NS_PER_S).astype(np.int64)
        events["kind"], events["token"] = kind, NO_TOKEN
        events["slot"] = events["ts"] // SLOT_NS - self._environment.start_ts // SLOT_NS
        events["sol_usd"] = self._environment.sol_usd[self._steps(events)]
        return events

    def _steps(self, events: Events) -> NDArray[Any]:
        last = len(self._environment.sol_usd) - 1
        return np.minimum((events["ts"] - self._environment.start_ts) // int(STEP_S * NS_PER_S), last)
