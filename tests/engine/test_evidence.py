"""The evidence of an engine's strategies equals that of a slow twin that follows their orders and fills."""

from dataclasses import dataclass, field

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from memesnipe.engine.engine import Engine
from memesnipe.engine.evidence import (
    EVIDENCE,
    MAX_LOSS,
    e_values,
    evidence_of,
    move_to_desk,
    observe_desk,
    restart,
    start,
    statistics,
)
from memesnipe.engine.fills import FillModel
from memesnipe.engine.genome import Genome
from memesnipe.engine.history import WatchedActions
from memesnipe.engine.orders import ENTRIES, Fill, Order
from memesnipe.engine.strategy_evidence import NO_EVIDENCE, StrategyEvidence
from memesnipe.market.events import Events
from memesnipe.sdk.registry import Families
from memesnipe.stats.betting import BET_SIZES, MAX_OPEN
from tests.engine import random_market
from tests.support import FAMILIES, SURE, Market, genome, saved_and_loaded, state_bytes

RNG = np.random.default_rng(5)
MODEL = random_market.random_model(RNG)._replace(dead_after_ns=100_000_000_000)
GENOMES = random_market.random_genomes(RNG, 8)
EVENTS = random_market.random_events(RNG, 1200, 12, 1.0)


def _engine(
    genomes: list[Genome] = GENOMES,
    model: FillModel = MODEL,
    families: Families = random_market.FAMILIES,
    *,
    keeps_evidence: bool = True,
) -> Engine:
    engine = Engine(families, model, 1000.0, keeps_evidence=keeps_evidence)
    engine.add(*genomes)
    engine.watch(engine.population.spec_ids)
    return engine


@dataclass
class Twin:
    """The betting accounts of one strategy, and its round trips, as the documentation describes them."""

    cash: list[float] = field(default_factory=lambda: [1.0] * len(BET_SIZES))
    at_risk: dict[int, list[float]] = field(default_factory=dict)  # by token
    stakes: dict[int, int] = field(default_factory=dict)
    profits: dict[int, int] = field(default_factory=dict)
    returns: list[float] = field(default_factory=list)

    def on_entry(self, order: Order) -> None:
        assert order.token not in self.stakes, "it begins one round trip of a token at a time"
        self.stakes[order.token], self.profits[order.token] = order.budget_lamports, 0
        tied = [sum(risks[i] for risks in self.at_risk.values()) for i in range(len(BET_SIZES))]
        risks = [min(s * (self.cash[i] + tied[i]), self.cash[i]) for i, s in enumerate(BET_SIZES)]
        self.cash = [cash - risk for cash, risk in zip(self.cash, risks, strict=True)]
        self.at_risk[order.token] = risks

    def on_fill(self, fill: Fill) -> None:
        token = fill.order.token
        self.profits[token] += fill.cash_change_lamports
        is_exit = fill.order.side not in ENTRIES
        if bool(fill.failure) == is_exit:
            return  # it holds something: bought, or not sold
        value = self.profits.pop(token) / self.stakes.pop(token)
        risks = self.at_risk.pop(token)
        kept = 1.0 + max(value, -MAX_LOSS) / MAX_LOSS
        self.cash = [cash + risk * kept for cash, risk in zip(self.cash, risks, strict=True)]
        self.returns.append(value)


def _followed(done: WatchedActions, spec_id: str) -> Twin:
    """Follow the orders and fills of a strategy: a fill comes after the decisions at the last event before it."""
    actions: list[tuple[int, int, Order | Fill]] = [
        (order.decided_seq, 0, order) for order in done.orders if order.spec_id == spec_id and order.side in ENTRIES
    ]
    actions += [(fill.seq, 1, fill) for fill in done.fills if fill.order.spec_id == spec_id]
    twin = Twin()
    for _, _, action in sorted(actions, key=lambda one: one[:2]):
        if isinstance(action, Order):
            twin.on_entry(action)
        else:
            twin.on_fill(action)
    return twin


def test_round_trips_equal_those_of_a_twin_that_follows_the_fills() -> None:
    failed_entries = failed_exits = left_open = 0
    for seed in range(15):
        rng = np.random.default_rng(seed)
        model = random_market.random_model(rng)._replace(dead_after_ns=200_000_000_000)
        genomes = random_market.random_genomes(rng, 6)
        engine = _engine(genomes, model)
        done = engine.advance(random_market.random_events(rng, 500, 6, 2.0))
        for spec_id, found in engine.evidence().items():
            twin = _followed(done, spec_id)
            assert found.round_trips == len(twin.returns)
            assert found.e_value == pytest.approx(sum(twin.cash) / len(twin.cash), rel=1e-9)
            if twin.returns:
                assert found.mean == pytest.approx(np.mean(twin.returns), rel=1e-9, abs=1e-12)
            if len(twin.returns) > 1:
                assert found.variance == pytest.approx(np.var(twin.returns, ddof=1), rel=1e-9, abs=1e-12)
            left_open += len(twin.stakes)
        failed_entries += sum(bool(fill.failure) and fill.order.side in ENTRIES for fill in done.fills)
        failed_exits += sum(bool(fill.failure) and fill.order.side not in ENTRIES for fill in done.fills)
    assert min(failed_entries, failed_exits, left_open) > 10


WHOLE = _engine()
WHOLE.advance(EVENTS)


@settings(max_examples=15, deadline=None)
@given(st.lists(st.integers(1, len(EVENTS) - 1), max_size=8), st.sets(st.integers(0, 8)))
def test_batches_and_snapshots_do_not_change_the_evidence(cuts: list[int], restarts: set[int]) -> None:
    engine = _engine()
    for i, part in enumerate(np.split(EVENTS, sorted(cuts))):
        engine.advance(part)
        if i in restarts:
            other = Engine(random_market.FAMILIES, MODEL, 1000.0, keeps_evidence=True)
            other.load(saved_and_loaded(engine.dump()))
            engine = other
    assert engine.evidence() == WHOLE.evidence()
    assert state_bytes(engine.dump()) == state_bytes(WHOLE.dump())
    assert sum(found.round_trips for found in engine.evidence().values()) > 50


def test_evidence_changes_neither_decisions_nor_results() -> None:
    plain, kept = _engine(keeps_evidence=False), _engine()
    done, also = plain.advance(EVENTS), kept.advance(EVENTS)
    assert (done.orders, done.fills) == (also.orders, also.fills)
    assert plain.results() == kept.results()
    without = state_bytes(plain.dump())
    header, arrays = state_bytes(kept.dump())
    assert arrays.pop("evidence")
    assert (header, arrays) == without


def _bought() -> tuple[Engine, Events]:
    """Return an engine that holds a token, and the events with which it sells it for more."""
    market = Market().trade(1).trade(5, sol=30).talk(10).trade(20, sol=-0.001).talk(40)
    events = market.events()
    engine = _engine([genome("flip")], SURE, FAMILIES)
    engine.advance(events[:3])
    assert engine.tokens_of(engine.population.spec_ids[0]) == [0]
    return engine, events[3:]


def test_a_strategy_that_starts_again_ignores_its_open_round_trips() -> None:
    engine, rest = _bought()
    (spec_id,) = engine.population.spec_ids
    before = engine.evidence()[spec_id]
    assert before.e_value < 1.0, "an open position counts as a total loss"
    engine.restart_evidence([spec_id, "stranger"])
    engine.advance(rest)
    assert engine.results()[0].trades == 1
    assert engine.evidence() == {spec_id: StrategyEvidence(1.0, 0, 0.0, 0.0, 1)}


def test_a_round_trip_that_is_open_when_the_desk_takes_over_still_counts() -> None:
    engine, rest = _bought()
    (spec_id,) = engine.population.spec_ids
    before = engine.evidence()[spec_id].e_value
    engine.move_to_desk([spec_id, "stranger"])
    assert engine.evidence()[spec_id].e_value == pytest.approx(before, rel=1e-12)
    engine.advance(rest)
    after = engine.evidence()[spec_id]
    assert (after.round_trips, after.e_value > 1.0) == (1, True)


def test_on_a_desk_new_simulated_round_trips_do_not_count() -> None:
    engine = _engine()
    half = len(EVENTS) // 2
    engine.advance(EVENTS[:half])
    opened = {s: len(engine.tokens_of(s)) for s in engine.population.spec_ids}
    before = engine.evidence()
    engine.move_to_desk(engine.population.spec_ids)
    done = engine.advance(EVENTS[half:])
    assert len(done.fills) > 200
    for spec_id, found in engine.evidence().items():
        assert 0 <= found.round_trips - before[spec_id].round_trips <= opened[spec_id]


def test_a_strategy_that_is_added_again_has_no_evidence() -> None:
    engine = _engine()
    engine.advance(EVENTS)
    gone = next(s for s, found in engine.evidence().items() if found.round_trips)
    others = {s: found for s, found in engine.evidence().items() if s != gone}
    engine.remove(gone)
    assert engine.evidence() == others
    engine.add(next(one for one in GENOMES if one.spec_id == gone))
    assert engine.evidence()[gone] == NO_EVIDENCE


RETURNS = st.lists(st.floats(-1.5, 5.0), max_size=30)


def _one() -> NDArray[np.void]:
    evidence = np.zeros(1, EVIDENCE)
    start(evidence)
    return evidence


def _trade_on_desk(evidence: NDArray[np.void], returns: list[float]) -> None:
    for value in returns:
        observe_desk(evidence, 0, 7, True, 0.0)
        observe_desk(evidence, 0, 7, False, value)


def _gain(returns: list[float]) -> NDArray[np.float64]:
    """What each bet size makes of 1 over round trips that do not overlap."""
    clipped = np.maximum(np.array([*returns, 0.0]), -MAX_LOSS)
    return np.array([np.prod(1.0 + size * clipped / MAX_LOSS) for size in BET_SIZES])


@given(st.lists(st.floats(0.01, 10.0), min_size=len(BET_SIZES), max_size=len(BET_SIZES)), RETURNS, RETURNS)
def test_the_desk_bets_all_that_was_there_and_both_accounts_are_summed(
    cash: list[float], simulated: list[float], returns: list[float]
) -> None:
    evidence = _one()
    arena = evidence["arena"][0]
    arena["cash"] = cash
    arena["closed"], arena["mean"] = len(simulated), np.mean(simulated) if simulated else 0.0
    arena["squares"] = np.var(simulated) * len(simulated) if simulated else 0.0
    before = e_values(evidence)[0]
    move_to_desk(evidence, 0)
    move_to_desk(evidence, 0)
    assert e_values(evidence)[0] == pytest.approx(before)
    _trade_on_desk(evidence, returns)
    expected = np.mean(np.array(cash) * _gain(returns))
    assert e_values(evidence)[0] == pytest.approx(expected, rel=1e-9, abs=1e-300)
    both = [*simulated, *returns]
    count, mean, variance = statistics(evidence)
    assert count[0] == len(both)
    assert mean[0] == pytest.approx(np.mean(both) if both else 0.0, abs=1e-9)
    assert variance[0] == pytest.approx(np.var(both, ddof=1) if len(both) > 1 else 0.0, rel=1e-6, abs=1e-9)
    restart(evidence, 0)
    assert evidence_of(evidence) == [StrategyEvidence(1.0, 0, 0.0, 0.0, 1)]


@given(st.lists(st.tuples(st.integers(0, 25), st.booleans(), st.floats(-1.5, 5.0)), max_size=60))
def test_openings_and_closings_in_any_order_never_make_the_cash_negative(log: list[tuple[int, bool, float]]) -> None:
    evidence = _one()
    move_to_desk(evidence, 0)
    opened: set[int] = set()
    closed = 0
    for position, is_opening, value in log:
        observe_desk(evidence, 0, position, is_opening, value)
        if is_opening and len(opened) < MAX_OPEN:
            opened.add(position)
        elif not is_opening and position in opened:
            opened.remove(position)
            closed += 1
    account = evidence["desk"][0]
    assert (account["open"], account["closed"]) == (len(opened), closed)
    assert set(account["tokens"][: account["open"]].tolist()) == opened
    assert (account["cash"] >= 0.0).all()


def test_before_the_desk_takes_over_its_round_trips_do_not_count() -> None:
    evidence = _one()
    _trade_on_desk(evidence, [1.0, 1.0])
    assert evidence_of(evidence) == [NO_EVIDENCE]
