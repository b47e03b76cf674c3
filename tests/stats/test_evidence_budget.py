"""Weights: in total at most 1 for ever, in proportion to the prior masses, and returned once at most."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from memesnipe.stats.evidence_budget import MIN_MASS, EvidenceBudget, prior_mass

MASSES = st.lists(st.floats(MIN_MASS, 1.0), min_size=1, max_size=20)


@given(st.lists(MASSES, min_size=1, max_size=30))
def test_all_weights_ever_given_are_at_most_one_in_total(batches: list[list[float]]) -> None:
    budget = EvidenceBudget()
    total = sum(float(budget.weigh(masses).sum()) for masses in batches)
    assert total == pytest.approx(budget.spent)
    mass = sum(map(sum, batches))
    assert budget.spent == pytest.approx(1.0 - 1.0 / np.sqrt(1.0 + mass / budget.scale))


def test_a_million_candidates_leave_a_weight_for_the_next() -> None:
    budget = EvidenceBudget()
    for _ in range(1_000):
        budget.weigh(np.ones(1_000))
    assert 0.99 < budget.spent < 1.0
    assert budget.weigh([1.0])[0] == pytest.approx(0.5 / budget.scale * (1e6 / budget.scale) ** -1.5, rel=0.01)


def test_a_budget_spent_to_the_last_bit_gives_weights_of_zero_or_more() -> None:
    budget = EvidenceBudget(spent=1.0)
    weights = budget.weigh([1.0, 1.0])
    assert (weights >= 0.0).all()
    assert budget.spent <= 1.0


@given(MASSES)
def test_weights_of_one_admission_are_in_proportion_to_the_masses(masses: list[float]) -> None:
    weights = EvidenceBudget(spent=0.3).weigh(masses)
    assert weights / weights.sum() == pytest.approx(np.array(masses) / sum(masses))


@given(MASSES, st.data())
def test_a_return_is_at_most_the_weight_and_at_most_what_is_left(masses: list[float], data: st.DataObject) -> None:
    budget = EvidenceBudget()
    weights = budget.weigh(masses)
    e_values = data.draw(st.lists(st.floats(0.0, 1e9), min_size=len(masses), max_size=len(masses)))
    spent = budget.spent
    budget.refund(weights, e_values)
    expected = sum(w * min(e, 1.0) for w, e in zip(weights, e_values, strict=True))
    assert spent - budget.spent == pytest.approx(expected)
    assert budget.spent >= 0.0


def test_a_return_makes_the_next_weights_larger() -> None:
    kept, returned = EvidenceBudget(), EvidenceBudget()
    weights = kept.weigh(np.ones(100))
    returned.weigh(np.ones(100))
    returned.refund(weights, np.full(100, 0.5))
    assert returned.weigh([1.0])[0] > 1.5 * kept.weigh([1.0])[0]


def test_a_weight_returned_twice_is_rejected() -> None:
    budget = EvidenceBudget()
    weights = budget.weigh([1.0, 0.5])
    budget.refund(weights, [2.0, 1.0])
    assert budget.spent == pytest.approx(0.0, abs=1e-12)
    with pytest.raises(ValueError, match="twice"):
        budget.refund(weights, [1.0, 1.0])


def test_an_empty_admission_spends_nothing() -> None:
    budget = EvidenceBudget(spent=0.25)
    assert len(budget.weigh([])) == 0
    assert budget.spent == 0.25


@pytest.mark.parametrize("mass", [0.0, -1.0, np.inf, np.nan])
def test_masses_must_be_positive(mass: float) -> None:
    with pytest.raises(ValueError, match="prior mass"):
        EvidenceBudget().weigh([1.0, mass])


def test_returns_must_not_be_negative() -> None:
    with pytest.raises(ValueError, match="negative"):
        EvidenceBudget(spent=0.5).refund([0.1], [-1.0])


@pytest.mark.parametrize(("scale", "spent"), [(0.0, 0.0), (1.0, -0.1), (1.0, 1.1)])
def test_a_budget_outside_its_range_is_rejected(scale: float, spent: float) -> None:
    with pytest.raises(ValueError, match="scale"):
        EvidenceBudget(scale, spent)


def test_the_prior_mass_is_the_probability_of_skill_with_a_floor() -> None:
    assert prior_mass([0.0, 0.01, 0.5, 1.0]).tolist() == [MIN_MASS, MIN_MASS, 0.5, 1.0]
    with pytest.raises(ValueError, match="between 0 and 1"):
        prior_mass([1.5])
