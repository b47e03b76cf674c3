"""A genome in words names every number that decides what it does, with its unit."""

import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from memesnipe.engine.genome import ExitGenes, FilterGenes, Genome, SignalGene
from memesnipe.engine.genome_words import describe, quantity
from memesnipe.evolution.operators import random_genes
from memesnipe.evolution.space import Space
from memesnipe.sdk.registry import discover

FAMILIES = discover()
PARAMS = {name: {key: p.default for key, p in family.params.items()} for name, family in FAMILIES.items()}
GENOME = Genome(
    signals=(
        SignalGene("momentum_5m", {"lookback_s": 300.0, "breakout": 0.05, "vol_mult": 2.0}, 3.0),
        SignalGene("social_buzz", PARAMS["social_buzz"] | {"least_sentiment": 0.08}, 1.0),
    ),
    threshold=0.4,
    size=0.125,
    exits=ExitGenes(stop_loss=0.2, take_profit=0.55, trailing_stop=0.15, max_hold_s=5400.0),
    filters=FilterGenes(min_liquidity_usd=2500.0, min_age_s=45.0),
)
WITHOUT_RULE = """\"\"\"Buy.\"\"\"
from memesnipe.sdk import BUY, HOLD, PRICE, Strategy, param

class Bare(Strategy):
    subscriptions = (PRICE,)
    wait_s = param(30, 600, default=120, unit="s")
    rise = param(0.01, 0.5, default=0.05, unit="ratio")

    def on_event(p, s, e):
        return BUY if e.price_usd > p.rise + p.wait_s else HOLD
"""


def test_every_number_is_named_with_its_unit() -> None:
    words = describe(GENOME, FAMILIES)
    assert words["momentum_5m"] == (
        "Buy a token that breaks out on net buying; leave when the buying reverses or the move is gone. It has 75 % of "
        "the votes. It votes to buy when the price is more than 5 % above its mean of the last 5 minutes and recent "
        "net buying is more than 2 times the usual rate of trading; to sell below that mean, or when recent net "
        "selling exceeds the usual rate."
    )
    assert "It has 25 % of the votes." in words["social_buzz"]
    assert "is above 0.08 (from -1, all negative, to 1, all positive)" in words["social_buzz"]
    assert "40 % of all votes" in words["buys"]
    sells = ("loss of 20 %", "profit of 55 %", "worth 15 % less than at its best", "90 minutes")
    assert all(part in words["sells"] for part in sells)
    assert "12.5 % of its capital" in words["size"]
    assert "2,500 USD" in words["tokens"] and "45 seconds" in words["tokens"]


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (5400.0, "s", "90 minutes"),
        (8.0, "h", "8 hours"),
        (2.5, "x", "2.5 times"),
        (1_250_000.0, "USD", "1,250,000 USD"),
        (0.00005, "ratio an hour", "0.005 % an hour"),
        (7.35, "hour in Korea", "07:21 in Korea"),
        (23.999, "hour in Korea", "00:00 in Korea"),
        (0.08, "-1 to 1", "0.08"),
        (50.0, "holders", "50 holders"),
        (1.5, "", "1.5"),
    ],
)
def test_a_quantity_is_written_as_a_trader_says_it(value: float, unit: str, text: str) -> None:
    assert quantity(value, unit) == text


def test_every_bundled_family_says_its_rule_in_words() -> None:
    for name, family in FAMILIES.items():
        genome = replace(GENOME, signals=(SignalGene(name, PARAMS[name], 1.0),))
        sentence = describe(genome, FAMILIES)[name]
        assert family.rule and " It votes to " in sentence and "{" not in sentence, name
        assert not any(key in sentence for key in family.params if "_" in key), name


def test_a_family_without_a_rule_has_its_parameters_listed_with_their_ranges(tmp_path: Path) -> None:
    (tmp_path / "bare.py").write_text(WITHOUT_RULE)
    genome = replace(GENOME, signals=(SignalGene("bare", {"wait_s": 90.0, "rise": 0.1}, 1.0),))
    assert describe(genome, discover(tmp_path))["bare"] == (
        "Buy. It has 100 % of the votes. Its parameters are wait_s = 90 seconds (from 30 seconds to 10 minutes), "
        "rise = 10 % (from 1 % to 50 %)."
    )


@pytest.mark.parametrize("seed", range(5))
def test_any_genome_has_words_and_two_genomes_have_different_ones(seed: int) -> None:
    space = Space(FAMILIES)
    genomes = space.decode(random_genes(np.random.default_rng(seed), space, 20))
    described = [tuple(describe(genome, FAMILIES).values()) for genome in genomes]
    assert len(set(described)) == len(described)
    assert not any(re.search(r"nan|inf\b|_", sentence) for words in described for sentence in words)


def test_a_genome_whose_weights_are_zero_has_no_vote() -> None:
    silent = replace(GENOME, signals=(replace(GENOME.signals[0], weight=0.0),))
    assert "It has no vote" in describe(silent, FAMILIES)["momentum_5m"]
