from dataclasses import replace

import numpy as np
import pytest

from memesnipe.engine.fills import FillModel
from memesnipe.engine.genome import ExitGenes, FilterGenes, Genome, simple_genome
from memesnipe.evolution.evaluation import Record, Segment, run_segment
from memesnipe.evolution.spans import span_of
from memesnipe.feeds.laboratory import CAUSES, Edge, laboratory
from memesnipe.market.events import PRICE, SOCIAL, Events
from memesnipe.sdk.registry import discover

BY_HAND = {
    Edge.MOMENTUM: ("momentum_5m", {"lookback_s": 60.0, "breakout": 0.04, "vol_mult": 1.5}),
    Edge.SOCIAL: ("social_buzz", {"lookback_s": 800.0, "burst": 4.0, "fresh_s": 60.0, "least_sentiment": 0.3}),
}


def _events(edge: Edge, seed: int = 1, hours: float = 4.0) -> Events:
    return laboratory(edge, seed, hours=hours).events


def _by_hand(edge: Edge) -> Genome:
    family, params = BY_HAND[edge]
    exits, filters = ExitGenes(0.3, 2.0, 0.3, 400.0), FilterGenes(10.0, 30.0)
    return replace(simple_genome(family, params), size=0.05, exits=exits, filters=filters)


def _record(genome: Genome, events: Events) -> Record:
    (record,) = run_segment(Segment(span_of(events), (events,)), [genome], discover(), FillModel(), 1000.0)
    return record


@pytest.mark.parametrize("edge", list(Edge))
def test_a_market_depends_on_its_seed_alone_and_is_sound(edge: Edge) -> None:
    tape, again, other = (laboratory(edge, seed, hours=1.0) for seed in (1, 1, 2))
    events = tape.events
    assert events.tobytes() == again.events.tobytes() != other.events.tobytes()
    assert np.all(np.diff(events["ts"]) >= 0)
    assert events["seq"].tolist() == list(range(1, len(events) + 1))
    assert set(events["kind"]) == {PRICE, SOCIAL}
    assert set(events["token"]) == set(range(len(tape.mints)))
    trades = events[events["kind"] == PRICE]
    assert trades["pool_sol_lamports"].min() > 0
    assert trades["pool_token_raw"].min() > 0
    assert 3.5 < len(events) / 3600 < 6.0


def test_the_reserves_are_those_that_the_trades_leave() -> None:
    events = _events(Edge.NOISE, hours=1.0)
    trades = events[(events["kind"] == PRICE) & (events["token"] == events["token"][0])]
    moved = np.diff(trades["pool_sol_lamports"])
    assert np.array_equal(np.abs(moved), trades["sol_lamports"][1:])
    assert np.array_equal(np.sign(moved)[moved != 0], trades["side"][1:][moved != 0])
    product = trades["pool_sol_lamports"].astype(float) * trades["pool_token_raw"]
    assert product == pytest.approx(product[0], rel=1e-9)


@pytest.mark.parametrize("edge", list(Edge))
def test_holding_for_no_reason_earns_nothing(edge: Edge) -> None:
    """Whatever follows a cause is taken back over all of the time: the mean return of a token is 0."""
    gains = []
    for seed in range(12):
        events = _events(edge, seed, hours=6.0)
        for token in range(int(events["token"].max()) + 1):
            prices = events["price_usd"][(events["token"] == token) & (events["kind"] == PRICE)]
            if len(prices) > 50:
                gains.append(np.sum(np.diff(prices) / prices[:-1]))
    mean, error = np.mean(gains), np.std(gains) / np.sqrt(len(gains))
    # Jumps come in several trades, whose sum is a little below what they compound to: hence the lower bound.
    assert -0.8 < mean < 4 * error


def test_the_sign_of_a_move_says_nothing_of_the_next_in_noise() -> None:
    sums = []
    for seed in range(6):
        events = _events(Edge.NOISE, seed)
        for token in range(int(events["token"].max()) + 1):
            prices = events["price_usd"][(events["token"] == token) & (events["kind"] == PRICE)]
            returns = np.clip(np.diff(np.log(prices[::10])), -0.03, 0.03)
            if len(returns) > 30:
                sums.append(np.corrcoef(returns[1:], returns[:-1])[0, 1])
    assert abs(np.mean(sums)) < 4 * np.std(sums) / np.sqrt(len(sums))


@pytest.mark.parametrize("edge", list(BY_HAND))
def test_who_knows_the_edge_earns_in_its_market_and_loses_in_noise(edge: Edge) -> None:
    there, elsewhere = (_record(_by_hand(edge), _events(which)).result for which in (edge, Edge.NOISE))
    assert there.trades > 50
    assert there.total_return > 0.05
    assert elsewhere.total_return < 0.0


def test_every_edge_has_its_cause() -> None:
    assert set(CAUSES) == set(Edge) - {Edge.NOISE}
    assert all(cause.mean_follow > 0.0 for cause in CAUSES.values())
