"""The records of a generation and of the archive, as rows."""

from collections.abc import Mapping

from memesnipe.evolution.archive import Elite, mix_of
from memesnipe.evolution.breeding import Generation


def evaluation_rows(generation: Generation) -> list[dict[str, object]]:
    """Return a row of `memesnipe.storage.schema.EvaluationRow` for each genome that reached the whole window."""
    found = zip(generation.genomes, generation.evaluations, generation.origins, strict=True)
    return [
        {
            "generation": generation.index,
            "spec_id": evaluated.spec_id,
            "fitness": evaluated.fitness,
            "train_sharpe": evaluated.train_sharpe,
            "validation_sharpe": evaluated.validation_sharpe,
            "mix": mix_of(genome),
            "operator": origin.operator.value,
            "parents": list(origin.parents),
        }
        for genome, evaluated, origin in found
    ]


def elite_rows(elites: Mapping[str, Elite]) -> list[dict[str, object]]:
    """Return a row of `memesnipe.storage.schema.EliteRow` for each cell of the archive."""
    return [
        {"cell": cell, "spec_id": elite.genome.spec_id, "fitness": elite.fitness, "generation": elite.generation}
        for cell, elite in elites.items()
    ]
