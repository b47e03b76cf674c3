from dataclasses import replace

import numpy as np
import pytest

from memesnipe.engine.genome import SignalGene
from memesnipe.engine.kept_votes import KeptVotes
from memesnipe.evolution.evaluation import BLOCKS, Evaluation, Segment, evaluate, run_segment
from memesnipe.evolution.fitness import WORST, fitness_of
from memesnipe.evolution.spans import cut, search_spans, slices_of, span_of
from memesnipe.sdk.registry import discover
from memesnipe.stats.overfitting import block_moments
from memesnipe.stats.splits import Span
from tests.support import FAMILIES, SURE, population, synthetic_events

EVENTS = synthetic_events(12_000)
SPANS = search_spans(span_of(EVENTS))
TRAIN, VALIDATION = (Segment(span, (cut(EVENTS, span),)) for span in (SPANS.train, SPANS.validation))


def _evaluate(train: Segment = TRAIN, validation: Segment = VALIDATION) -> list[Evaluation]:
    return evaluate(train, validation, population(), FAMILIES, SURE, 1000.0)


def test_an_evaluation_is_two_independent_backtests() -> None:
    for genome, found in zip(population(), _evaluate(), strict=True):
        (early,) = run_segment(TRAIN, [genome], FAMILIES, SURE, 1000.0)
        (late,) = run_segment(VALIDATION, [genome], FAMILIES, SURE, 1000.0)
        assert (found.train, found.validation) == (early.result, late.result)
        blocks = [block_moments(record.returns[None], BLOCKS)[0] for record in (early, late)]
        assert np.array_equal(found.moments, np.concatenate(blocks))
        assert found.fitness == fitness_of(early.result, late.result, *blocks, len(genome.signals))
    assert any(found.train.trades for found in _evaluate() if found.train)


@pytest.mark.parametrize("size", [1, 97, 1000])
def test_slicing_a_segment_does_not_change_the_evaluation(size: int) -> None:
    parts = [Segment(s.span, list(slices_of(cut(EVENTS, s.span), size))) for s in (TRAIN, VALIDATION)]
    for whole, sliced in zip(_evaluate(), _evaluate(*parts), strict=True):
        assert (whole.train, whole.validation, whole.fitness) == (sliced.train, sliced.validation, sliced.fitness)
        assert np.array_equal(whole.moments, sliced.moments)


def test_votes_are_kept_of_segments_with_a_key() -> None:
    kept, train, validation = KeptVotes(2**20), replace(TRAIN, key="1"), replace(VALIDATION, key="2")
    evaluate(TRAIN, VALIDATION, population(), FAMILIES, SURE, 1000.0, kept)
    assert kept.asked == 0
    for _ in range(2):
        found = evaluate(train, validation, population(), FAMILIES, SURE, 1000.0, kept)
        assert [(e.train, e.validation) for e in found] == [(e.train, e.validation) for e in _evaluate()]
    assert 0 < kept.found == kept.asked / 2


def test_a_record_has_one_return_per_minute_of_the_span() -> None:
    minute = 60_000_000_000
    start = int(EVENTS["ts"][0]) // minute * minute
    records = run_segment(Segment(Span(start, start + 10 * minute), (EVENTS,)), population(), FAMILIES, SURE, 1000.0)
    assert {len(record.returns) for record in records} == {10}
    assert any(record.returns.any() for record in records)


def test_a_failing_genome_does_not_affect_the_others() -> None:
    good = population()
    broken = replace(good[0], signals=(SignalGene("nowhere", {}, 1.0),))
    found = evaluate(TRAIN, VALIDATION, [good[0], broken, good[1]], FAMILIES, SURE, 1000.0)
    assert [e.is_failed for e in found] == [False, True, False]
    assert found[1].fitness == WORST
    assert "nowhere" in found[1].error
    assert [found[0].fitness, found[2].fitness] == [e.fitness for e in _evaluate()[:2]]


def test_random_genomes_of_bundled_families_can_be_evaluated() -> None:
    from memesnipe.evolution.operators import random_genomes

    genomes = random_genomes(np.random.default_rng(1), discover(), 8)
    found = evaluate(TRAIN, VALIDATION, genomes, discover(), SURE, 1000.0)
    assert [e.spec_id for e in found] == [g.spec_id for g in genomes]
    assert not any(e.is_failed for e in found)
