"""Stored genomes in words, for the page."""

import pytest

from memesnipe.config.settings import load_settings
from memesnipe.engine.genome import simple_genome
from memesnipe.runtime.families import load_families
from memesnipe.runtime.genome_words import describer, in_words


@pytest.fixture(scope="module")
def settings():
    return load_settings()


def test_a_stored_genome_is_described_as_explain_does(settings):
    families = load_families(settings)
    genome = simple_genome("momentum_5m", {})
    described = describer(settings)(genome.to_dict())
    assert described == in_words(genome, families)
    assert {"momentum_5m", "buys", "sells", "size", "tokens"} == set(described)


@pytest.mark.parametrize("stored", [{}, {"signals": [{"family": "unknown", "params": {}, "weight": 1.0}]}])
def test_a_genome_of_another_version_is_an_error_in_words(settings, stored):
    assert "cannot be described" in describer(settings)(stored)["error"]
