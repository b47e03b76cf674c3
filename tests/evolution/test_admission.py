"""A genome is proposed only if its validation is better than luck, and only once; otherwise there is a reason."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from memesnipe.engine.genome import Genome
from memesnipe.evolution.admission import MAX_PER_MIX, MIN_TRADES, REMEMBERED, Admission, Admitted, deflated_of
from memesnipe.evolution.archive import behaviour_of, mix_of
from memesnipe.evolution.evaluation import BLOCKS, Evaluation
from memesnipe.stats.running import PERIODS_PER_YEAR
from tests.support import genome, result

BAR = 0.5
MINUTES = 401
MIXES = (("flip",), ("trend",), ("buy_once",), ("flip", "trend"), ("flip", "talk"))
# t-statistics of the returns in validation: far above and far below what luck gives after some thousand evaluations
SKILLED, LUCKY = 9.0, 2.0


def _genomes(count: int, *families: str) -> list[Genome]:
    return [genome(*families or ("flip",), size=(i + 1) / 1000) for i in range(count)]


def _result(of: Genome, t: float, *, total_return: float = 0.1, trades: int = 50, fills: str = "") -> Any:
    return result(
        of.spec_id, sharpe=t * (PERIODS_PER_YEAR / (MINUTES - 1)) ** 0.5, periods=MINUTES, kurtosis=3.0,
        total_return=total_return, trades=trades, digest=fills or of.spec_id,
    )  # fmt: skip


def _evaluation(of: Genome, t: float = SKILLED, fitness: float = 1.0, **figures: Any) -> Evaluation:
    train = _result(of, SKILLED, fills=figures.get("fills", ""))
    return Evaluation(of.spec_id, train, _result(of, t, **figures), fitness, np.zeros((2 * BLOCKS, 3)))


def _admit(admission: Admission, genomes: list[Genome], evaluations: list[Evaluation], trials: int = 5_000) -> Admitted:
    return admission.admit(genomes, evaluations, trials, {g.spec_id for g in genomes})


def _ids(admitted: Admitted) -> list[str]:
    return [proposal.genome.spec_id for proposal in admitted.proposals]


def test_only_results_better_than_luck_are_proposed_the_fittest_first() -> None:
    genomes = [genome(*mix) for mix in MIXES[:3]]
    measured = ((SKILLED, 1.0), (LUCKY, 9.0), (SKILLED, 2.0))
    found = [_evaluation(g, t, fitness) for g, (t, fitness) in zip(genomes, measured, strict=True)]
    admitted = _admit(Admission(BAR, proposals=8), genomes, found)
    assert _ids(admitted) == [genomes[2].spec_id, genomes[0].spec_id]
    assert admitted.reason == ""
    assert all(proposal.deflated_sharpe >= BAR for proposal in admitted.proposals)


@pytest.mark.parametrize(
    ("figures", "reason"),
    [
        ({"trades": MIN_TRADES - 1}, f"no genome made {MIN_TRADES} round trips in each segment"),
        ({"total_return": -0.01}, "none of 1 genomes that traded made a profit in both segments"),
        ({"t": LUCKY}, "best deflated Sharpe ratio 0.04 after 5,000 evaluations, 0.5 needed"),
    ],
)
def test_the_reason_says_what_was_missing(figures: dict[str, Any], reason: str) -> None:
    (one,) = _genomes(1)
    admitted = _admit(Admission(BAR, proposals=8), [one], [_evaluation(one, **figures)])
    assert (admitted.proposals, admitted.reason) == ([], reason)


def test_failed_evaluations_are_never_proposed_behind_a_bar() -> None:
    genomes = _genomes(3)
    failed = [Evaluation(g.spec_id, None, None, 1e9, np.zeros((2 * BLOCKS, 3)), "error") for g in genomes]
    assert _admit(Admission(BAR, proposals=8), genomes, failed).proposals == []


def test_more_evaluations_raise_the_bar() -> None:
    (one,) = _genomes(1)
    found = _evaluation(one, 4.0)
    assert found.validation is not None
    ratios = [deflated_of(found.validation, trials) for trials in (1, 100, 10_000, 10**6)]
    assert ratios == sorted(ratios, reverse=True)
    assert [bool(_admit(Admission(BAR, proposals=8), [one], [found], n).proposals) for n in (100, 10**6)] == [
        True,
        False,
    ]


def test_a_strategy_is_proposed_once() -> None:
    genomes = [genome("flip"), genome("trend")]
    admission = Admission(BAR, proposals=1)
    found = [_evaluation(genomes[0], fitness=2.0), _evaluation(genomes[1])]
    assert _ids(_admit(admission, genomes, found)) == [genomes[0].spec_id]
    assert _ids(_admit(admission, genomes, found)) == [genomes[1].spec_id]
    last = _admit(admission, genomes, found)
    assert last.proposals == []
    assert last.reason == "the 2 genomes above the bar were proposed before, or trade like a better one"


def test_fills_of_a_better_or_an_earlier_proposal_are_not_proposed_again() -> None:
    first, *copies = genome("flip"), genome("flip", "trend"), genome("trend")
    admission = Admission(BAR, proposals=8)
    found = [_evaluation(g, fitness=3.0 - i, fills="same") for i, g in enumerate([first, *copies])]
    assert _ids(_admit(admission, [first, *copies], found)) == [first.spec_id]
    later = [_evaluation(first, fitness=0.5, fills="other"), _evaluation(copies[0], fitness=2.0, fills="other")]
    assert _admit(admission, [first, copies[0]], later).proposals == []


def test_only_elites_are_proposed() -> None:
    genomes = [genome("flip"), genome("trend")]
    found = [_evaluation(g) for g in genomes]
    admitted = Admission(BAR, proposals=8).admit(genomes, found, 5_000, {genomes[1].spec_id})
    assert _ids(admitted) == [genomes[1].spec_id]


def test_without_a_bar_the_fittest_are_proposed_whatever_they_are() -> None:
    genomes = _genomes(4)
    found = [replace(_evaluation(g, LUCKY, float(i), trades=0), validation=None) for i, g in enumerate(genomes)]
    admission = Admission(0.0, proposals=2)
    assert _ids(_admit(admission, genomes, found)) == [genomes[3].spec_id, genomes[2].spec_id]
    assert _ids(_admit(admission, genomes, found)) == [genomes[3].spec_id, genomes[2].spec_id]


def test_the_memory_of_proposals_is_bounded() -> None:
    (one,) = _genomes(1)
    admission = Admission(BAR, proposals=8)
    admission.proposed = [str(i) for i in range(REMEMBERED)]
    _admit(admission, [one], [_evaluation(one)])
    assert admission.proposed == [*(str(i) for i in range(1, REMEMBERED)), one.spec_id]


_TRIED = st.lists(
    st.tuples(
        st.sampled_from(MIXES), st.sampled_from([LUCKY, SKILLED]), st.integers(0, 3), st.integers(0, 20),
        st.sampled_from([-0.1, 0.1]), st.sampled_from("abcdefgh"), st.booleans(),
    ),
    max_size=30,
)  # fmt: skip


@given(st.lists(_TRIED, min_size=1, max_size=4), st.integers(1, 8))
def test_proposals_are_skilled_different_and_few_whatever_is_evaluated(
    generations: list[list[tuple[Any, ...]]], proposals: int
) -> None:
    admission = Admission(BAR, proposals=proposals)
    before: set[str] = set()
    for tried in generations:
        genomes, found, elites = [], [], set()
        for i, (mix, t, fitness, trades, total_return, fills, is_elite) in enumerate(tried):
            genomes.append(genome(*mix, size=(i + 1) / 100))
            figures = {"trades": trades, "total_return": total_return, "fills": fills}
            found.append(_evaluation(genomes[-1], t, float(fitness), **figures))
            elites |= {genomes[-1].spec_id} if is_elite else set()
        admitted = admission.admit(genomes, found, 5_000, elites)
        chosen = admitted.proposals
        assert bool(chosen) != bool(admitted.reason)
        assert len(chosen) <= proposals
        for proposal in chosen:
            validation = proposal.evaluation.validation
            assert validation is not None
            assert proposal.deflated_sharpe == deflated_of(validation, 5_000) >= BAR
            assert validation.total_return > 0.0
            assert validation.trades >= MIN_TRADES
            assert proposal.genome.spec_id in elites - before
        fitness_of = [proposal.evaluation.fitness for proposal in chosen]
        assert fitness_of == sorted(fitness_of, reverse=True)
        behaviours = [behaviour_of(proposal.evaluation) for proposal in chosen]
        assert len(set(behaviours)) == len(behaviours)
        mixes = [mix_of(proposal.genome) for proposal in chosen]
        assert all(mixes.count(mix) <= MAX_PER_MIX for mix in mixes)
        before |= {proposal.genome.spec_id for proposal in chosen}
