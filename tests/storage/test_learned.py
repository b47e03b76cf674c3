"""What a run has learned, over a real PostgreSQL."""

import pytest

from memesnipe.storage import schema
from memesnipe.storage.learned import Learned, in_words, learned


@pytest.fixture
def conn(database):
    with database.connect() as connection:
        yield connection


def _genome(**weights):
    return {"signals": [{"family": family, "weight": weight} for family, weight in weights.items()]}


def _evidence(*, is_proven, expected=0.02, needed=None):
    return {"is_proven": is_proven, "expected_return": expected, "trades_needed": needed}


def test_a_run_without_generations_has_learned_nothing(conn, new_run):
    facts = learned(conn, new_run)
    assert facts == Learned(0, 0, 0, "", 0, 0, 0.0, None, (), None)
    assert in_words(facts).startswith("Nothing is learned yet")


def test_cost_and_luck_bar_are_of_the_same_snapshot_as_the_counts(conn, new_run, insert):
    bar = {"best_sharpe": 3.0, "luck_sharpe": 7.5, "pbo": 0.25}
    insert(schema.GenerationRow, index=0, evaluations=100, seconds=2.5)
    insert(schema.GenerationRow, index=1, evaluations=100, seconds=1.5, **bar)
    facts = learned(conn, new_run)
    assert (facts.generations, facts.evaluations, facts.seconds) == (2, 200, 4.0)
    assert {name: getattr(facts, name) for name in bar} == bar


def test_luck_leaves_all_capital_in_cash_for_a_reason(conn, new_run, insert):
    insert(schema.GenerationRow, index=0, evaluations=1000, proposed=0, reason="an older reason")
    insert(schema.GenerationRow, index=1, evaluations=340, proposed=0, reason="none made a profit")
    assert in_words(learned(conn, new_run)) == (
        "2 generations tried 1,340 strategies; none was better than luck (none made a profit). "
        "All capital stays in cash."
    )


def test_probation_names_the_nearest_proof(conn, new_run, insert):
    insert(schema.GenerationRow, index=0, proposed=3, reason="")
    for name, needed in (("a", 41.6), ("b", 80.0), ("c", None)):
        evidence = _evidence(is_proven=False, needed=needed)
        insert(schema.StrategyRow, spec_id=name, mode="paper", genome=_genome(), evidence=evidence)
    insert(schema.StrategyRow, spec_id="d", mode="simulating", evidence=_evidence(is_proven=False, needed=1.0))
    facts = learned(conn, new_run)
    assert (facts.on_probation, facts.proven, facts.trades_needed) == (3, 0, 41.6)
    words = in_words(facts)
    assert "3 trade on paper; none is proven yet, the nearest to it needs about 42 more round trips." in words


def test_proven_strategies_are_described_by_their_capital(conn, new_run, insert):
    insert(schema.GenerationRow, index=0, proposed=3, reason="")
    insert(schema.EquityRow, seq=1, equity_usd=500.0)
    insert(schema.EquityRow, seq=2, equity_usd=1000.0)
    paper = {"mode": "paper", "genome": _genome(trend=0.9, volume=0.1)}
    insert(schema.StrategyRow, spec_id="a", **paper, allocation_usd=300.0, evidence=_evidence(is_proven=True))
    other = {"mode": "live", "genome": _genome(volume=1.0), "allocation_usd": 100.0}
    insert(schema.StrategyRow, spec_id="b", **other, evidence=_evidence(is_proven=True, expected=0.06))
    insert(schema.StrategyRow, spec_id="c", mode="paper", genome=_genome(), allocation_usd=5.0)  # without results
    facts = learned(conn, new_run)
    assert facts.families == ("trend", "volume")
    assert facts.expected_return == pytest.approx(0.03)
    assert facts.invested_ratio == pytest.approx(0.305)
    assert in_words(facts).endswith(
        "2 trade on paper and 1 live, mostly trend, volume, with +3.0% expected of a round trip; 2 are proven. "
        "Those on paper hold 30.5% of the equity, the rest is cash."
    )


def test_a_run_whose_strategies_do_not_earn_has_all_capital_in_cash(conn, new_run, insert):
    insert(schema.GenerationRow, index=0, proposed=1, reason="")
    insert(schema.StrategyRow, spec_id="a", mode="simulating", evidence=_evidence(is_proven=False))
    assert in_words(learned(conn, new_run)) == (
        "1 generation tried 0 strategies; 1 was admitted to the simulation. "
        "None is expected to earn on fresh round trips, so all capital stays in cash."
    )
