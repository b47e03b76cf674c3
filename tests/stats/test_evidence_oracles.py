"""Selection and accounts against the package online-fdr."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from online_fdr.core.abstract.abstract_gamma_seq import AbstractGammaSequence
from online_fdr.e_values.batch import e_bh
from online_fdr.e_values.processes import BettingEProcess
from online_fdr.e_values.sequential import ELond

from memesnipe.stats.betting import BET_SIZES
from memesnipe.stats.e_bh import select
from memesnipe.stats.e_process import EProcesses
from memesnipe.stats.evidence_budget import EvidenceBudget
from tests.stats.trade_logs import MAX_LOSS, closed_one_by_one

ALPHA = 0.05
E_VALUES = st.lists(st.sampled_from([0.0, 1.0, 200.0, 1000.0]) | st.floats(0.0, 1e5), min_size=1, max_size=40)


@given(E_VALUES)
def test_equal_weights_select_as_e_bh(e_values: list[float]) -> None:
    weights = np.full(len(e_values), 1.0 / len(e_values))
    values = np.array([value * (1 + 1e-9) for value in e_values])  # not at a level, where only rounding decides
    assert select(values, weights, ALPHA).accepted.tolist() == e_bh(values.tolist(), ALPHA)


@given(E_VALUES)
def test_whatever_e_lond_accepts_is_selected(e_values: list[float]) -> None:
    """With the same weights, the online procedure that never looks again accepts a part."""
    budget = EvidenceBudget()
    weights = np.concatenate([budget.weigh([1.0]) for _ in e_values])

    class Weights(AbstractGammaSequence):
        def __init__(self) -> None:
            pass

        def calc_gamma(self, j: int, **_: float) -> float:
            return float(weights[j - 1])

    e_lond = ELond(ALPHA, Weights())
    online = [e_lond.test_one(value) for value in e_values]
    accepted = select(np.array(e_values) * (1 + 1e-9), weights, ALPHA).accepted
    assert (accepted | ~np.array(online)).all()


@given(st.lists(st.floats(-MAX_LOSS, 5.0), max_size=50))
def test_positions_one_by_one_are_betting_e_processes(returns: list[float]) -> None:
    oracles = [BettingEProcess(size / MAX_LOSS) for size in BET_SIZES]
    for oracle in oracles:
        for value in returns:
            oracle.update(value)
    processes = EProcesses(MAX_LOSS)
    processes.add()
    processes.apply(closed_one_by_one(0, returns))
    assert processes.accounts["cash"][0] == pytest.approx([oracle.current for oracle in oracles])
