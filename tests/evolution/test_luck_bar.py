"""The luck bar rises with the number of trials, and is that of the genome with the most probable skill."""

import numpy as np
import pytest

from memesnipe.engine.skill import deflated_sharpe_of, luckiest_sharpe
from memesnipe.evolution.evaluation import BLOCKS, Evaluation
from memesnipe.evolution.luck_bar import luck_bar
from tests.support import result


def _evaluation(name: str, sharpe: float, trades: int) -> Evaluation:
    did = result(name, sharpe=sharpe, periods=400, kurtosis=3.0, trades=trades)
    return Evaluation(name, did, did, sharpe, np.zeros((2 * BLOCKS, 3)))


def test_the_bar_is_that_of_the_genome_with_the_most_probable_skill() -> None:
    found = [_evaluation("quiet", 900.0, 0), _evaluation("good", 60.0, 20), _evaluation("bad", 5.0, 20)]
    skills = [0.99, 0.7, 0.2]
    bar = luck_bar(found, skills, 1_000, 0.95)
    assert (bar.best_sharpe, bar.best_skill, bar.needed_skill, bar.trials) == (60.0, 0.7, 0.95, 1_000)
    assert bar.luck_sharpe == luckiest_sharpe(400, 1_000)


def test_a_sharpe_ratio_at_the_bar_has_even_odds_of_skill() -> None:
    for trials in (10, 1_000, 1_000_000):
        at_the_bar = result("one", sharpe=luckiest_sharpe(400, trials), periods=400, kurtosis=3.0)
        assert deflated_sharpe_of(at_the_bar, trials) == pytest.approx(0.5)
    assert luckiest_sharpe(400, 1_000) < luckiest_sharpe(400, 1_000_000)


def test_without_a_trade_there_is_no_bar() -> None:
    bar = luck_bar([_evaluation("quiet", 0.0, 0)], [0.0], 7, 0.95)
    assert (bar.best_sharpe, bar.luck_sharpe, bar.best_skill, bar.trials) == (None, None, None, 7)
