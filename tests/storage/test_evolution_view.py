"""The archive, the ancestors of a genome, and the shares of the families, from the records of a search."""

import time

import pytest
import sqlalchemy as sa

from memesnipe.storage import schema
from memesnipe.storage.evolution_view import MAX_ANCESTORS, archive, family_shares, lineage


@pytest.fixture
def conn(database):
    with database.connect() as connection:
        yield connection
        connection.rollback()


def _insert(conn, run_id, genomes):
    zeros = {"run_id": run_id, "fitness": 1.0, "train_sharpe": 0.0, "validation_sharpe": 0.0, "mix": "one"}
    rows = [
        zeros | {"generation": generation, "spec_id": spec_id, "operator": operator, "parents": parents}
        for generation, spec_id, operator, parents in genomes
    ]
    conn.execute(sa.insert(schema.EvaluationRow), rows)


def test_ancestors_are_followed_through_both_parents_by_their_first_evaluation(conn, new_run):
    genomes = [
        (0, "a", "random", []),
        (0, "b", "random", []),
        (1, "a", "kept", []),
        (1, "c", "crossover", ["a", "b"]),
        (2, "c", "mutation", ["c"]),  # bred again, without a change
        (2, "d", "mutation", ["a"]),
        (3, "e", "crossover", ["c", "d"]),
    ]
    _insert(conn, new_run, genomes)
    found = [(row["spec_id"], row["generation"], row["operator"]) for row in lineage(conn, new_run, "e")]
    assert found == [
        ("e", 3, "crossover"),
        ("d", 2, "mutation"),
        ("c", 1, "crossover"),
        ("a", 0, "random"),
        ("b", 0, "random"),
    ]
    assert [row["spec_id"] for row in lineage(conn, new_run, "a")] == ["a"]
    assert lineage(conn, new_run, "nobody") == lineage(conn, new_run + 1, "e") == []


def test_a_long_lineage_of_a_large_search_is_read_soon(conn, new_run):
    genomes = [
        (
            generation,
            f"g{generation}-{number}",
            "crossover",
            [f"g{generation - 1}-{n % 50}" for n in (number, number + 1)],
        )
        for generation in range(300)
        for number in range(50)
    ]
    _insert(conn, new_run, genomes)
    began = time.monotonic()
    found = lineage(conn, new_run, "g299-0")
    assert len(found) == MAX_ANCESTORS and found[0]["spec_id"] == "g299-0"
    assert time.monotonic() - began < 5


def test_records_of_earlier_versions_have_neither_parents_nor_families(conn, new_run, insert):
    insert(schema.EvaluationRow, generation=0, spec_id="old")
    (found,) = lineage(conn, new_run, "old")
    assert (found["operator"], found["parents"], found["families"]) == (None, [], [])
    assert family_shares(conn, new_run) == {"generations": [], "families": []}


def test_the_shares_of_a_generation_add_up_to_one(conn, new_run, insert):
    for generation, mixes in enumerate((["one"], ["one", "one+two"], ["one+two+three", "two"])):
        for number, mix in enumerate(mixes):
            insert(schema.EvaluationRow, generation=generation, spec_id=str(number), mix=mix)
    found = family_shares(conn, new_run)
    assert found["generations"] == [0, 1, 2]
    shares = {row["family"]: row["shares"] for row in found["families"]}
    assert shares["two"] == pytest.approx([0.0, 0.25, 2 / 3])
    assert [sum(column) for column in zip(*shares.values(), strict=True)] == pytest.approx([1.0, 1.0, 1.0])


def test_the_archive_says_where_each_elite_is_and_whether_it_was_proposed(conn, new_run, insert):
    insert(schema.EliteRow, cell="one+two/0/4", spec_id="a", fitness=1.0, generation=3)
    insert(schema.EliteRow, cell="two/2/1", spec_id="b", fitness=2.0, generation=2)
    insert(schema.StrategyRow, spec_id="a", mode="paper")
    first, second = archive(conn, new_run)["elites"]
    assert (first["spec_id"], first["families"], first["holding"], first["turnover"]) == ("b", ["two"], 2, 1)
    assert (second["families"], second["mode"], first["mode"]) == (["one", "two"], "paper", None)
