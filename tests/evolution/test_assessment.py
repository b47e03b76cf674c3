from typing import Any

import numpy as np
import pytest

from memesnipe.evolution.assessment import CONFIDENCE, Champion, assess_champion, random_baseline
from memesnipe.evolution.evaluation import BLOCKS, SAMPLE_S, Evaluation, Record
from memesnipe.stats.sharpe import sharpe_of
from tests.support import genome, result

CHAMPION = genome("flip")
EVALUATION = Evaluation(CHAMPION.spec_id, result(sharpe=9.0), result(sharpe=7.0), 1.0, np.zeros((2 * BLOCKS, 3)))


def _record(z: float, *, trades: int = 50, total_return: float = 0.2, periods: int = 400) -> Record:
    """Return a record whose mean return is ``z`` standard errors above 0."""
    noise = np.random.default_rng(1).normal(0.0, 0.01, periods)
    returns = noise - noise.mean() + z * noise.std(ddof=1) / np.sqrt(periods)
    return Record(result(CHAMPION.spec_id, trades=trades, total_return=total_return), returns.astype(np.float32))


def _assess(z: float, trials: int = 1000, baseline: float = 0.0, **more: Any) -> Champion:
    return assess_champion(CHAMPION, EVALUATION, _record(z, **more), trials, baseline)


def test_a_champion_that_meets_every_threshold_is_promotable() -> None:
    champion = _assess(7.0)
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
        (4.0, {}, "after 1,000 tests on the holdout"),
        (7.0, {"baseline": 1e6}, "not above 1,000,000.0 of the best random genome"),
    ],
)
def test_each_threshold_rejects_a_champion_below_it(z: float, more: dict[str, Any], reason: str) -> None:
    champion = _assess(z, **more)
    assert not champion.promotable
    assert reason in champion.reason


def test_deflated_sharpe_falls_with_the_number_of_trials() -> None:
    deflated = [_assess(5.0, trials).deflated_sharpe for trials in (1, 10, 1000, 10**6, 10**9)]
    assert deflated == sorted(deflated, reverse=True)
    assert _assess(5.0, 10).promotable
    assert not _assess(5.0, 10**6).promotable


def test_random_baseline_is_a_sharpe_ratio_and_zero_with_few_trades() -> None:
    record = _record(2.0, total_return=0.3)
    assert random_baseline(record) == sharpe_of(record.returns, SAMPLE_S).annualised > 0.0
    assert random_baseline(_record(9.0, total_return=0.3, trades=9)) == 0.0


def test_random_baseline_does_not_depend_on_position_size() -> None:
    champion, baseline = _record(7.0), _record(3.0)
    larger = Record(result(CHAMPION.spec_id, trades=50, total_return=9.0), baseline.returns * 45)
    assert random_baseline(larger) == pytest.approx(random_baseline(baseline))
    assert assess_champion(CHAMPION, EVALUATION, champion, 1000, random_baseline(larger)).promotable


def test_champions_on_assumed_pools_are_not_promotable() -> None:
    champion = assess_champion(CHAMPION, EVALUATION, _record(7.0), 1000, 0.0, "its pools were assumed")
    assert (champion.promotable, champion.reason) == (False, "its pools were assumed")


@pytest.mark.parametrize("skewed", [False, True])
def test_at_most_one_search_in_twenty_promotes_a_champion_without_skill(skewed: bool) -> None:
    rng, champions, searches = np.random.default_rng(2), 5, 600
    promoted = 0
    for _ in range(searches):
        drawn = rng.exponential(0.01, (champions, 400)) - 0.01 if skewed else rng.normal(0.0, 0.01, (champions, 400))
        records = [
            Record(result(CHAMPION.spec_id, trades=50, total_return=0.2), row.astype(np.float32)) for row in drawn
        ]
        assessed = [assess_champion(CHAMPION, EVALUATION, one, champions + 1, -1e9) for one in records]
        promoted += any(champion.promotable for champion in assessed)
    assert 0 < promoted <= searches / 20
