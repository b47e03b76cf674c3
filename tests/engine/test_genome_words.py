"""A genome in words names every number that decides what it does."""

import re
from dataclasses import replace

import numpy as np
import pytest

from memesnipe.engine.genome import ExitGenes, FilterGenes, Genome, SignalGene
from memesnipe.engine.genome_words import describe
from memesnipe.evolution.operators import random_genes
from memesnipe.evolution.space import Space
from memesnipe.sdk.registry import discover

FAMILIES = discover()
GENOME = Genome(
    signals=(
        SignalGene("momentum_5m", {"lookback_s": 300.0, "breakout": 0.05, "vol_mult": 2.0}, 3.0),
        SignalGene("social_buzz", {}, 1.0),
    ),
    threshold=0.4,
    size=0.125,
    exits=ExitGenes(stop_loss=0.2, take_profit=0.55, trailing_stop=0.15, max_hold_s=5400.0),
    filters=FilterGenes(min_liquidity_usd=2500.0, min_age_s=45.0),
)


def unit(family: str, name: str) -> str:
    return FAMILIES[family].params[name].unit


def test_every_number_is_named_with_its_unit() -> None:
    words = describe(GENOME, {"momentum_5m": "Buy a breakout."}, unit)
    assert words["momentum_5m"] == (
        "Buy a breakout. It has 75 % of the votes; its numbers: lookback 5 minutes, breakout 5 %, vol mult 2 x."
    )
    assert words["social_buzz"] == "It has 25 % of the votes."
    assert "40 % of all votes" in words["buys"]
    assert all(part in words["sells"] for part in ("loss of 20 %", "profit of 55 %", "15 % below", "90 minutes"))
    assert words["size"].startswith("12.5 % of its capital")
    assert "2,500 USD" in words["tokens"] and "45 seconds" in words["tokens"]


@pytest.mark.parametrize("seed", range(5))
def test_any_genome_has_words_and_two_genomes_have_different_ones(seed: int) -> None:
    space = Space(FAMILIES)
    genomes = space.decode(random_genes(np.random.default_rng(seed), space, 20))
    described = [tuple(describe(genome, {}, unit).values()) for genome in genomes]
    assert len(set(described)) == len(described)
    assert not any(re.search(r"nan|inf\b|_", sentence) for words in described for sentence in words)


def test_a_genome_whose_weights_are_zero_has_no_vote() -> None:
    silent = replace(GENOME, signals=(replace(GENOME.signals[0], weight=0.0),))
    assert "It has no vote" in describe(silent, {}, unit)["momentum_5m"]
