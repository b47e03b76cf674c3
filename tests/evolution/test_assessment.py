from typing import Any

import numpy as np
import pytest

from memesnipe.evolution.assessment import CONFIDENCE, Champion, assess_champion, random_baseline
from memesnipe.evolution.evaluation import BLOCKS, SAMPLE_S, Evaluation, Record
from memesnipe.stats.sharpe import sharpe_of
from tests.support import genome, result

CHAMPION = genome("flip")
SEEN = Evaluation(CHAMPION.spec_id, result(sharpe=9.0), result(sharpe=7.0), 1.0, np.zeros((2 * BLOCKS, 3)))


def _record(z: float, *, trades: int = 50, total_return: float = 0.2, periods: int = 400) -> Record:
    """Returns whose mean is so many standard errors above 0."""
    noise = np.random.default_rng(1).normal(0.0, 0.01, periods)
    returns = noise - noise.mean() + z * noise.std(ddof=1) / np.sqrt(periods)
    return Record(result(CHAMPION.spec_id, trades=trades, total_return=total_return), returns.astype(np.float32))


def _judge(z: float, trials: int = 1000, luck: float = 0.0, **more: Any) -> Champion:
    return assess_champion(CHAMPION, SEEN, _record(z, **more), trials, luck)


def test_one_that_clears_every_bar_is_promotable() -> None:
    champion = _judge(7.0)
    assert champion.promotable
    assert champion.reason == ""
    assert champion.deflated_sharpe > CONFIDENCE
    assert (champion.train_sharpe, champion.validation_sharpe) == (9.0, 7.0)
    assert champion.holdout_sharpe == sharpe_of(_record(7.0).returns, SAMPLE_S).annualised


@pytest.mark.parametrize(
    ("z", "more", "reason"),
    [
        (7.0, {"trades": 9}, "9 round trips"),
        (7.0, {"total_return": -0.01}, "a return of -1.00%"),
        (4.0, {}, "a deflated Sharpe ratio of"),
        (7.0, {"luck": 1e6}, "and the best of random genomes had 1,000,000.0"),
    ],
)
def test_each_bar_stops_what_does_not_clear_it(z: float, more: dict[str, Any], reason: str) -> None:
    champion = _judge(z, **more)
    assert not champion.promotable
    assert reason in champion.reason


def test_the_more_was_tried_the_less_a_result_is_worth() -> None:
    deflated = [_judge(5.0, trials).deflated_sharpe for trials in (1, 10, 1000, 10**6, 10**9)]
    assert deflated == sorted(deflated, reverse=True)
    assert _judge(5.0, 10).promotable
    assert not _judge(5.0, 10**6).promotable


def test_the_luck_bar_is_the_sharpe_ratio_that_random_search_found_if_that_traded_enough() -> None:
    record = _record(2.0, total_return=0.3)
    assert random_baseline(record) == sharpe_of(record.returns, SAMPLE_S).annualised > 0.0
    assert random_baseline(_record(9.0, total_return=0.3, trades=9)) == 0.0


def test_the_luck_bar_does_not_favour_size() -> None:
    champion, lucky = _record(7.0), _record(3.0)
    larger = Record(result(CHAMPION.spec_id, trades=50, total_return=9.0), lucky.returns * 45)
    assert random_baseline(larger) == pytest.approx(random_baseline(lucky))
    assert assess_champion(CHAMPION, SEEN, champion, 1000, random_baseline(larger)).promotable


def test_nothing_on_assumed_pools_is_promotable() -> None:
    champion = assess_champion(CHAMPION, SEEN, _record(7.0), 1000, 0.0, "its pools were assumed")
    assert (champion.promotable, champion.reason) == (False, "its pools were assumed")
