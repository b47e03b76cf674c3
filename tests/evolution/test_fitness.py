from dataclasses import replace

import pytest

from memesnipe.evolution.fitness import evaluate, split
from tests.support import result, synthetic_events

NOTHING = result()


def _fitness(early: float, late: float, early_trades: int = 5, late_trades: int = 5) -> float:
    train = replace(NOTHING, total_return=early, trades=early_trades)
    return evaluate(train, replace(NOTHING, total_return=late, trades=late_trades)).fitness


@pytest.mark.parametrize(("early", "late", "fitness"), [(0.5, 0.1, 0.1), (0.1, 0.5, 0.1), (0.5, -0.2, -0.2)])
def test_fitness_is_the_worse_of_the_two_returns(early: float, late: float, fitness: float) -> None:
    assert _fitness(early, late) == fitness


def test_who_trades_too_little_cannot_win_and_the_less_the_lower() -> None:
    scores = [_fitness(0.5, 0.5, trades, 0) for trades in range(4)]
    assert scores[:3] == sorted(scores[:3])
    assert scores[3] == 0.5
    assert max(scores[:3]) < _fitness(-0.99, -0.99), "worse than losing nearly everything"
    assert _fitness(0.5, 0.5, 1, 2) == 0.5


def test_the_window_is_split_in_order_and_whole() -> None:
    events = synthetic_events(100)
    train, validation = split(events)
    assert (len(train), len(validation)) == (70, 30)
    assert train["seq"].tolist() + validation["seq"].tolist() == events["seq"].tolist()
