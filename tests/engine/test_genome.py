"""Conversion of genomes to data and back."""

from dataclasses import asdict

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
