from typing import Any

import numpy as np
import pytest

from memesnipe.evolution.fitness import MIN_TRADES, SIGNAL_PENALTY, fitness_of
from tests.support import result


def _moments(volatility: float) -> Any:
    return np.array([[10.0, 0.0, volatility**2 / 2], [10.0, 0.0, volatility**2 / 2]])


def _fitness(early: float, late: float, *, trades: tuple[int, int] = (20, 20), signals: int = 1, **more: Any) -> float:
    volatility = more.pop("volatility", 0.1)
    results = [
        result(total_return=total_return, trades=count, **more)
        for total_return, count in zip((early, late), trades, strict=True)
    ]
    return fitness_of(results[0], results[1], _moments(volatility), _moments(volatility), signals)


def test_fitness_uses_the_worse_segment() -> None:
    assert _fitness(0.5, 0.1) == _fitness(0.1, 0.5) == _fitness(0.1, 0.1)
    assert _fitness(0.5, -0.2) == _fitness(-0.2, -0.2) < 0.0


def test_fitness_is_return_over_volatility_less_drawdown() -> None:
    assert _fitness(0.3, 0.3) == pytest.approx(0.3 / 0.12 * 20 / 28)
    assert _fitness(0.3, 0.3, volatility=0.2) < _fitness(0.3, 0.3)
    assert _fitness(0.3, 0.3, max_drawdown=0.25) == pytest.approx(_fitness(0.3, 0.3) - 0.25)


def test_few_trades_reduce_the_score_of_a_gain_but_not_of_a_loss() -> None:
    assert _fitness(0.3, 0.3, trades=(5, 5)) < _fitness(0.3, 0.3, trades=(50, 50))
    assert _fitness(-0.3, -0.3, trades=(5, 5)) == _fitness(-0.3, -0.3, trades=(50, 50))


def test_fewer_than_the_minimum_trades_rank_below_any_loss() -> None:
    scores = [_fitness(9.0, 9.0, trades=(count, 0)) for count in range(MIN_TRADES)]
    assert scores == sorted(scores)
    assert len(set(scores)) == MIN_TRADES
    assert max(scores) < _fitness(-1.0, -1.0, volatility=0.0, max_drawdown=1.0)


def test_each_further_signal_lowers_the_fitness() -> None:
    assert _fitness(0.3, 0.3) - _fitness(0.3, 0.3, signals=3) == pytest.approx(2 * SIGNAL_PENALTY)
