"""Evaluations remembered by sample and genome, so that no backtest is run twice."""

from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Final

from memesnipe.engine.genome import Genome
from memesnipe.evolution.evaluation import Evaluation
from memesnipe.evolution.racing import Evaluate
from memesnipe.evolution.samples import Sample

REMEMBERED: Final = 20_000  # evaluations, of about 2 KB


@dataclass(slots=True)
class Remembered:
    """The latest evaluations. A backtest has one result, so what is remembered changes none."""

    capacity: int = REMEMBERED
    _found: OrderedDict[tuple[str, str], Evaluation] = field(default_factory=OrderedDict)

    def evaluate(self, sample: Sample, genomes: list[Genome], run: Evaluate) -> list[Evaluation]:
        """Return one evaluation a genome; those that are not remembered are run, each once."""
        keys = [(sample.key, genome.spec_id) for genome in genomes]
        known = {key: self._found[key] for key in keys if key in self._found}
        new = {key: genome for key, genome in zip(keys, genomes, strict=True) if key not in known}
        if new:
            known.update(zip(new, run(sample, list(new.values())), strict=True))
        for key in keys:
            self._found[key] = known[key]
            self._found.move_to_end(key)
        while len(self._found) > self.capacity:
            self._found.popitem(last=False)
        return [known[key] for key in keys]
