"""What a genome says of itself is its whole content."""

from dataclasses import asdict

import numpy as np
import orjson

from memesnipe.engine.genome import genome_from
from memesnipe.evolution.operators import random_genomes
from memesnipe.sdk.registry import discover


def test_a_genome_as_data_is_all_of_it_and_makes_an_equal_one_with_the_same_name() -> None:
    for genome in random_genomes(np.random.default_rng(3), discover(), 50):
        data = orjson.loads(orjson.dumps(genome.to_dict()))
        assert data == orjson.loads(orjson.dumps(asdict(genome)))
        assert genome_from(data) == genome
        assert genome_from(data).spec_id == genome.spec_id
