from dataclasses import replace

import numpy as np
import pytest

from memesnipe.engine.fills import FillModel
from memesnipe.engine.genome import ExitGenes, FilterGenes, Genome, simple_genome
from memesnipe.evolution.evaluation import Record, Segment, run_segment
from memesnipe.evolution.spans import span_of
from memesnipe.market.events import NS_PER_S, PRICE, SOCIAL, Events
from memesnipe.sdk.registry import discover
from memesnipe.testing.labelled_markets import CAUSES, START_TS, Edge, labelled_market

MANUAL = {
    Edge.MOMENTUM: ("momentum_5m", {"lookback_s": 60.0, "breakout": 0.04, "vol_mult": 1.5}),
    Edge.MEAN_REVERSION: (
        "mean_revert_1h",
        {"lookback_s": 450.0, "drop": 0.18, "stretch": 1.5, "rebound": 0.01, "back": 0.7},
    ),
    Edge.SOCIAL: ("social_buzz", {"lookback_s": 800.0, "burst": 4.0, "fresh_s": 60.0, "least_sentiment": 0.3}),
}
CAUSE_S = 1.3  # slightly longer than a cause
WITHIN_S = {Edge.MOMENTUM: 240.0, Edge.MEAN_REVERSION: 150.0, Edge.SOCIAL: 60.0}  # most of the effect is over


def _events(edge: Edge, seed: int = 1, hours: float = 4.0) -> Events:
    return labelled_market(edge, seed, hours=hours).events


def _manual_genome(edge: Edge) -> Genome:
    family, params = MANUAL[edge]
    exits, filters = ExitGenes(0.3, 2.0, 0.3, 400.0), FilterGenes(10.0, 30.0)
    return replace(simple_genome(family, params), size=0.05, exits=exits, filters=filters)


def _observed(edge: Edge, events: Events, ts: np.ndarray, prices: np.ndarray) -> np.ndarray:
    """Return the times in seconds at which a cause can be observed in the events of one token."""
    if edge is Edge.SOCIAL:
        talk = events[events["kind"] == SOCIAL]
        seen = talk["ts"][talk["mentions"] >= 50.0] / NS_PER_S
    else:
        moved = prices / prices[np.maximum(np.searchsorted(ts, ts - CAUSE_S) - 1, 0)] - 1.0
        seen = ts[moved > 0.05] if edge is Edge.MOMENTUM else ts[moved < -0.13]
    return seen[np.diff(seen, prepend=-np.inf) > 30.0]


def _returns_after(edge: Edge, market: Edge) -> np.ndarray:
    """Return the simple returns of buying 2 s after each cause of this kind, before costs."""
    return np.array([one for seed in range(3) for one in _returns_in(_events(market, seed), edge)])


def _returns_in(everything: Events, edge: Edge) -> list[float]:
    returns: list[float] = []
    for events in _by_token(everything):
        trades = events[events["kind"] == PRICE]
        if not len(trades):
            continue
        ts, prices = trades["ts"] / NS_PER_S, trades["price_usd"]
        bought = _observed(edge, events, ts, prices) + 2.0
        bought = bought[bought + WITHIN_S[edge] < ts[-1]]
        paid, got = (prices[np.searchsorted(ts, at, side="right") - 1] for at in (bought, bought + WITHIN_S[edge]))
        returns += (got / paid - 1.0).tolist()
    return returns


def _by_token(events: Events) -> list[Events]:
    """Return the events of each token that has any, in order."""
    found = events[np.argsort(events["token"], kind="stable")]
    return np.split(found, np.flatnonzero(np.diff(found["token"])) + 1)


def _record(genome: Genome, events: Events) -> Record:
    (record,) = run_segment(Segment(span_of(events), (events,)), [genome], discover(), FillModel(), 1000.0)
    return record


@pytest.mark.parametrize("edge", list(Edge))
def test_a_market_is_valid_and_determined_by_its_seed(edge: Edge) -> None:
    tape, again, other = (labelled_market(edge, seed, hours=1.0) for seed in (1, 1, 2))
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


def test_reserves_follow_from_the_trades() -> None:
    events = _events(Edge.NOISE, hours=1.0)
    trades = events[(events["kind"] == PRICE) & (events["token"] == events["token"][0])]
    moved = np.diff(trades["pool_sol_lamports"])
    assert np.array_equal(np.abs(moved), trades["sol_lamports"][1:])
    assert np.array_equal(np.sign(moved)[moved != 0], trades["side"][1:][moved != 0])
    product = trades["pool_sol_lamports"].astype(float) * trades["pool_token_raw"]
    assert product == pytest.approx(product[0], rel=1e-9)


@pytest.mark.parametrize("edge", list(Edge))
def test_holding_tokens_has_an_expected_return_of_zero(edge: Edge) -> None:
    """The effects are compensated by a drift, so the mean return of a token is 0."""
    gains = []
    for seed in range(12):
        events = _events(edge, seed, hours=6.0)
        for trades in _by_token(events[events["kind"] == PRICE]):
            prices = trades["price_usd"]
            if len(prices) > 50:
                gains.append(np.sum(np.diff(prices) / prices[:-1]))
    mean, error = np.mean(gains), np.std(gains) / np.sqrt(len(gains))
    # Jumps come in several trades, whose sum is a little below what they compound to: hence the lower bound.
    assert -0.8 < mean < 4 * error


def test_returns_of_noise_are_not_autocorrelated() -> None:
    sums = []
    for seed in range(6):
        events = _events(Edge.NOISE, seed)
        for token in range(int(events["token"].max()) + 1):
            prices = events["price_usd"][(events["token"] == token) & (events["kind"] == PRICE)]
            returns = np.clip(np.diff(np.log(prices[::10])), -0.03, 0.03)
            if len(returns) > 30:
                sums.append(np.corrcoef(returns[1:], returns[:-1])[0, 1])
    assert abs(np.mean(sums)) < 4 * np.std(sums) / np.sqrt(len(sums))


@pytest.mark.parametrize("edge", list(CAUSES))
def test_a_cause_has_its_effect_only_in_its_own_market(edge: Edge) -> None:
    in_market, in_noise = _returns_after(edge, edge), _returns_after(edge, Edge.NOISE)
    assert min(len(in_market), len(in_noise)) > 100
    assert np.mean(in_market) > 0.04  # well above 2.5 % of costs
    assert abs(np.mean(in_noise)) < 4 * np.std(in_noise) / np.sqrt(len(in_noise))


@pytest.mark.parametrize("edge", list(MANUAL))
def test_a_matching_strategy_earns_in_its_market_and_loses_in_noise(edge: Edge) -> None:
    in_market, in_noise = (_record(_manual_genome(edge), _events(which)).result for which in (edge, Edge.NOISE))
    assert in_market.trades > 50
    assert in_market.total_return > 0.05
    assert in_noise.total_return < 0.0


@pytest.mark.parametrize("edge", list(CAUSES))
def test_an_edge_ends_after_its_hours(edge: Edge) -> None:
    """Its causes go on without effect, and holding has an expected return of 0 before and after."""
    before, after, gains = [], [], []
    for seed in range(3):
        events = labelled_market(edge, seed, hours=8.0, edge_hours=4.0).events
        end = START_TS + 4 * 3600 * NS_PER_S
        before += _returns_in(events[events["ts"] < end], edge)
        after += _returns_in(events[events["ts"] >= end], edge)
        late = events[(events["ts"] >= end) & (events["kind"] == PRICE)]
        for token in set(late["token"].tolist()):
            prices = late["price_usd"][late["token"] == token]
            gains.append(np.sum(np.diff(prices) / prices[:-1]))
    assert min(len(before), len(after)) > 100
    assert np.mean(before) > 0.04
    assert abs(np.mean(after)) < 4 * np.std(after) / np.sqrt(len(after))
    # Jumps come in several trades, as above.
    assert -0.8 < np.mean(gains) < 4 * np.std(gains) / np.sqrt(len(gains))


def test_every_edge_has_its_cause() -> None:
    assert set(CAUSES) == set(Edge) - {Edge.NOISE}
    assert all(cause.mean_follow > 0.0 for cause in CAUSES.values())
