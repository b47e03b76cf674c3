"""The rows of a generation and of the archive have what the search knows of each genome."""

from memesnipe.evolution.archive import cell_of, mix_of
from memesnipe.roles.search_rows import elite_rows, evaluation_rows
from tests.evolution.test_breeding import _bred, _breeder


def test_every_genome_has_a_row_with_its_origin_and_families() -> None:
    *_, generation = _bred(_breeder(), 3)
    rows = evaluation_rows(generation)
    assert len(rows) == len(generation.genomes)
    for row, genome, evaluation in zip(rows, generation.genomes, generation.evaluations, strict=True):
        assert (row["spec_id"], row["mix"]) == (genome.spec_id, mix_of(genome))
        assert (row["fitness"], row["generation"]) == (evaluation.fitness, 2)
    assert {row["operator"] for row in rows} == {"kept", "random", "mutation", "crossover"}
    assert {len(row["parents"]) for row in rows if row["operator"] == "crossover"} == {2}  # type: ignore[arg-type]


def test_every_cell_of_the_archive_has_a_row() -> None:
    breeder = _breeder()
    generations = _bred(breeder, 3)
    rows = elite_rows(breeder.elites)
    assert len(rows) == len({row["cell"] for row in rows}) == len(breeder.elites) > 3
    pairs = [pair for one in generations for pair in zip(one.genomes, one.evaluations, strict=True)]
    cells = {genome.spec_id: cell_of(genome, evaluation) for genome, evaluation in pairs}
    assert all(row["cell"] == cells[str(row["spec_id"])] for row in rows)
