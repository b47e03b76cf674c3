"""The compiled engine against the reference engine: all outcomes and samples, on random and recorded markets."""

from dataclasses import asdict
from itertools import pairwise
from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from memesnipe.engine.engine import Engine
from memesnipe.engine.fills import FillModel
from memesnipe.engine.genome import ExitGenes, FilterGenes, Genome, SignalGene
from memesnipe.engine.orders import Fill
from memesnipe.evolution import operators
from memesnipe.market.events import Events
from memesnipe.sdk.registry import Families, discover
from memesnipe.testing.reference.engine import Reference
from tests.engine.random_market import FAMILIES, random_events, random_genomes, random_model
from tests.support import recorded_events

SAMPLE_NS = 60_000_000_000


def outcomes_of(fill: Fill) -> dict[str, Any]:
    """Return a fill with the field names of the reference engine."""
    order = fill.order
    return {
        "order_no": order.order_no, "token": order.token, "side": order.side, "reason": order.reason,
        "decided_ts": order.decided_ts, "decided_seq": order.decided_seq, "ts": fill.ts, "seq": fill.seq,
        "budget_lamports": order.budget_lamports, "expected": order.expected, "token_raw": fill.token_raw,
        "sol_lamports": fill.sol_lamports, "fee_lamports": fill.pool_fee_lamports,
        "network_fee_lamports": fill.network_fee_lamports, "failure": fill.failure,
    }  # fmt: skip


def compare(events: Events, genomes: list[Genome], families: Families, model: FillModel, capital_usd: float) -> int:
    """Run both engines on the same market and compare them; return the number of outcomes."""
    engine, reference = Engine(families, model, capital_usd), Reference(families, model, capital_usd)
    engine.add(*genomes)
    for genome in genomes:
        reference.add(genome)
    engine.watch(engine.population.spec_ids)
    first_sample = (int(events["ts"][0]) // SAMPLE_NS + 1) * SAMPLE_NS
    intervals = int(events["ts"][-1]) // SAMPLE_NS - int(events["ts"][0]) // SAMPLE_NS
    returns = engine.record_returns(first_sample, intervals)
    fills = engine.advance(events).fills
    reference.advance(events)
    for row, (spec_id, account, result) in enumerate(
        zip(engine.population.spec_ids, engine.population.accounts, engine.results(), strict=True)
    ):
        trader = reference.strategies[spec_id]
        ours = [outcomes_of(fill) for fill in fills if fill.order.spec_id == spec_id]
        assert ours == [asdict(outcome) for outcome in trader.outcomes]
        for name in ("capital", "cash", "fees", "gross_profit", "gross_loss"):
            assert account[f"{name}_lamports"] == getattr(trader, f"{name}_lamports"), name
        for name in ("orders", "round_trips", "wins", "held_ns"):
            assert account[name] == getattr(trader, name), name
        assert account["periods"] == len(trader.samples)
        assert result.total_pnl_usd == (trader.equity_lamports() - trader.capital_lamports) * (engine.sol_usd / 1e9)
        assert returns[row, intervals - len(trader.samples) :].tolist() == _returns(
            trader.capital_lamports, trader.samples
        )
    return len(fills)


def _returns(capital: int, samples: list[int]) -> list[float]:
    equity = [capital, *samples]
    return [float(np.float32(b / a - 1.0)) for a, b in pairwise(equity)]


@settings(deadline=None, max_examples=60)
@given(seed=st.integers(0, 2**32), tokens=st.sampled_from([1, 3, 12]), gap_s=st.sampled_from([0.2, 2.0, 15.0]))
def test_engines_agree_on_random_markets(seed: int, tokens: int, gap_s: float) -> None:
    rng = np.random.default_rng(seed)
    events = random_events(rng, 300, tokens, gap_s)
    compare(events, random_genomes(rng, 4), FAMILIES, random_model(rng), float(rng.choice([5.0, 1000.0])))


def test_random_markets_cover_every_reason_and_failure() -> None:
    reasons, failures, sides = set(), set(), set()
    for seed in range(40):
        rng = np.random.default_rng(seed)
        engine = Engine(FAMILIES, random_model(rng), 1000.0)
        engine.add(*random_genomes(rng, 20))
        engine.watch(engine.population.spec_ids)
        for fill in engine.advance(random_events(rng, 400, 5, 3.0)).fills:
            reasons.add(fill.order.reason)
            failures.add(fill.failure)
            sides.add(fill.order.side)
    assert reasons == {"signal", "stop_loss", "take_profit", "trailing_stop", "max_hold", "dead", "liquidated"}
    assert failures == {"", "did not land", "the pool gives nothing", "slippage beyond tolerance"}
    assert sides == {1, -1, 2, -2}


def test_engines_agree_on_recorded_trades() -> None:
    """Uses random genomes of the ten families, which receive only trades here, and some that trade constantly."""
    rng = np.random.default_rng(5)
    bred = operators.random_genomes(rng, discover(), 12)
    compare(recorded_events(), bred, discover(), FillModel(), 1000.0)
    exits, filters = ExitGenes(0.1, 0.2, 0.1, 120.0), FilterGenes(0.0, 1.0)
    busy = [Genome((SignalGene("mood", {"bound": 0.2 + i}, 1.0),), 0.5, 0.1, exits, filters) for i in range(4)]
    assert compare(recorded_events(), busy, FAMILIES, FillModel(), 1000.0) > 1000
