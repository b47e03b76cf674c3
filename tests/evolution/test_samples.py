"""Samples are nested, have whole lives of tokens, are fair to tokens, and do not depend on slices."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from memesnipe.engine.fills import FillModel
from memesnipe.evolution.evaluation import Segment, evaluate
from memesnipe.evolution.operators import random_genomes
from memesnipe.evolution.samples import MAX_SAMPLES, MIN_EVENTS, MIN_TOKENS, RATIO, Sample, Sampler
from memesnipe.evolution.spans import cut
from memesnipe.market.events import NO_TOKEN, Events, join, take
from memesnipe.sdk.registry import discover
from tests.evolution.windows import events_of, window_of
from tests.support import synthetic_events

TOKENS = st.lists(st.integers(0, 3_000), min_size=1, max_size=100).filter(any)


def _content(sample: Sample) -> Events:
    return join(*(sample.select(slice_.load()) for slice_ in sample.window.slices))


@given(TOKENS, st.integers(0, 5_000), st.integers(0, 1_000))
def test_samples_are_nested_and_whole(counts: list[int], of_market: int, turn: int) -> None:
    events = events_of(counts, of_market)
    samples = Sampler().samples(window_of(events), turn)
    tokens = [set(np.unique(_content(sample)["token"]).tolist()) for sample in samples]
    for smaller, larger in pairwise(tokens):
        assert smaller <= larger
    for smaller_sample, larger_sample in pairwise(samples):
        assert 2 * smaller_sample.events <= larger_sample.events
    assert _content(samples[-1]).tobytes() == events.tobytes()
    for sample, inside in zip(samples, tokens, strict=True):
        chosen = take(events, np.isin(events["token"], list(inside | {NO_TOKEN})))
        assert _content(sample).tobytes() == chosen.tobytes()
        assert sample.events == len(chosen)
        if sample.depth:
            assert len(inside - {NO_TOKEN}) >= MIN_TOKENS
            assert sample.events >= MIN_EVENTS
    assert [sample.depth for sample in samples] == list(range(len(samples)))[::-1]
    assert len(samples) <= MAX_SAMPLES
    assert len({sample.key for sample in samples}) == len(samples)


@given(TOKENS, st.integers(1, 5_000), st.integers(0, 1_000))
def test_samples_do_not_depend_on_slices(counts: list[int], slice_events: int, turn: int) -> None:
    events = events_of(counts, 500)
    whole = Sampler().samples(window_of(events), turn)
    sliced = Sampler().samples(window_of(events, slice_events), turn)
    assert [_content(a).tobytes() for a in whole] == [_content(b).tobytes() for b in sliced]


def test_each_token_is_in_one_of_consecutive_draws() -> None:
    window = window_of(events_of([200] * 243))
    drawn = [Sampler().samples(window, turn) for turn in range(RATIO**2)]
    depth_1 = [set(np.flatnonzero(samples[-2].depths[:-1] >= 1).tolist()) for samples in drawn]
    depth_2 = [set(np.flatnonzero(samples[-3].depths[:-1] >= 2).tolist()) for samples in drawn]
    assert set.union(*depth_1[:RATIO]) == set(range(243))
    assert all(not a & b for a, b in pairwise(depth_1))
    assert sorted(token for tokens in depth_2 for token in tokens) == list(range(243))


@given(st.integers(0, 2**32), st.integers(0, 8))
def test_samples_are_stratified_by_time_and_size(seed: int, turn: int) -> None:
    counts = np.random.default_rng(seed).integers(1, 500, 162)
    samples = Sampler().samples(window_of(events_of(counts.tolist())), turn)
    (third,) = (sample for sample in samples if sample.depth == 1)
    chosen = np.flatnonzero(third.depths[:-1] >= 1)
    assert len(chosen) == 54
    quarters = np.histogram(chosen, bins=4, range=(0, 162))[0]
    assert quarters.min() >= 11
    # As many of the largest of their neighbours as of the smallest: a third of all events, within what chance allows.
    assert third.events == pytest.approx(counts.sum() / 3, rel=0.15)


def test_a_token_with_half_of_all_events_is_in_no_small_sample() -> None:
    window = window_of(events_of([*[100] * 121, 24_300, *[100] * 121]))
    for turn in range(9):
        samples = Sampler().samples(window, turn)
        assert len(samples) >= 3
        assert samples[-2].depths[121] == 0


def test_a_window_is_counted_again_only_where_it_has_changed() -> None:
    events = events_of([50] * 100)
    loads: list[str] = []
    window = window_of(events, 500)
    for slice_ in window.slices:
        object.__setattr__(slice_, "load", lambda load=slice_.load, key=slice_.key: loads.append(key) or load())
    sampler = Sampler()
    sampler.samples(window, 0)
    assert len(loads) == len(window.slices)
    sampler.samples(window, 1)
    assert len(loads) == len(window.slices)


def test_a_backtest_on_a_sample_is_one_on_its_events_alone() -> None:
    events = synthetic_events(30_000)
    families, model = discover(), FillModel(seed=3)
    genomes = random_genomes(np.random.default_rng(3), families, 30)
    window = window_of(events, 7_000)
    sample = Sampler().samples(window, 1)[-2]
    alone = take(events, sample.depths[events["token"]] >= 1)
    segments = [Segment(span, (cut(alone, span),)) for span in window.segment_spans()]
    found = evaluate(*sample.segments(), genomes, families, model, 1000.0)
    expected = evaluate(segments[0], segments[1], genomes, families, model, 1000.0)
    assert [(e.train, e.validation, e.fitness) for e in found] == [(e.train, e.validation, e.fitness) for e in expected]
    assert any(e.train is not None and e.train.trades for e in found)
