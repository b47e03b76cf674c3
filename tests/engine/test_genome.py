"""Conversion of genomes to data and back."""

import pickle
from dataclasses import asdict, replace

import numpy as np
import orjson

from memesnipe.engine.genome import genome_from
from memesnipe.evolution.operators import random_genomes
from memesnipe.sdk.registry import discover


def test_a_genome_survives_conversion_with_the_same_id() -> None:
    for genome in random_genomes(np.random.default_rng(3), discover(), 50):
        data = orjson.loads(orjson.dumps(genome.to_dict()))
        assert data == orjson.loads(orjson.dumps(asdict(genome)))
        assert genome_from(data) == genome
        assert genome_from(data).spec_id == genome.spec_id


def test_a_pickled_genome_is_equal_and_keeps_its_id() -> None:
    for genome in random_genomes(np.random.default_rng(4), discover(), 50):
        sent = pickle.loads(pickle.dumps(genome))
        assert sent == genome
        assert sent.spec_id == genome.spec_id == genome_from(genome.to_dict()).spec_id


def test_a_changed_genome_has_another_id() -> None:
    (genome,) = random_genomes(np.random.default_rng(5), discover(), 1)
    assert replace(genome, size=genome.size / 2).spec_id != genome.spec_id
