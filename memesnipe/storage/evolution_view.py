"""The views of the search: the archive as a map, the ancestors of a genome, and the families of each generation."""

from collections import defaultdict
from typing import Any, Final

from sqlalchemy import Connection, func, select
from sqlalchemy.dialects.postgresql import distinct_on

from memesnipe.evolution.cells import HOLDING_S, TURNOVER
from memesnipe.storage.rows import Json, records
from memesnipe.storage.schema import EliteRow, EvaluationRow, StrategyRow

MAX_ANCESTORS: Final = 500
_MAX_LEVELS: Final = 200


def archive(conn: Connection, run_id: int) -> Json:
    """Return the elites after the last generation, the fittest first, and the limits between their cells."""
    same = (StrategyRow.run_id == EliteRow.run_id) & (StrategyRow.spec_id == EliteRow.spec_id)
    elite = EliteRow
    columns: tuple[Any, ...] = elite.cell, elite.spec_id, elite.fitness, elite.generation, StrategyRow.mode
    query = (
        select(*columns)
        .outerjoin(StrategyRow, same)
        .where(EliteRow.run_id == run_id)
        .order_by(EliteRow.fitness.desc(), EliteRow.cell)
    )
    elites = [_place(row.pop("cell")) | row for row in records(conn, query)]
    return {"holding_s": list(HOLDING_S), "turnover": list(TURNOVER), "elites": elites}


def _place(cell: str) -> Json:
    mix, holding, turnover = cell.split("/")
    return {"families": _families(mix), "holding": int(holding), "turnover": int(turnover)}


def _families(mix: str | None) -> list[str]:
    """Return the families of `EvaluationRow.mix`; none in rows of earlier versions."""
    return mix.split("+") if mix else []


def lineage(conn: Connection, run_id: int, spec_id: str) -> list[Json]:
    """Return a genome and its ancestors, by generation from the latest back; empty where the run has no such genome.

    Each is described by its first evaluation on a whole window: later ones did not make it. The nearest
    `MAX_ANCESTORS` are returned.
    """
    found: dict[str, Json] = {}
    level = [spec_id]
    for _ in range(_MAX_LEVELS):
        rows = _first_evaluations(conn, run_id, level)
        found |= {row["spec_id"]: row for row in rows}
        level = sorted({parent for row in rows for parent in row["parents"]} - found.keys())
        if not level or len(found) >= MAX_ANCESTORS:
            break
    nearest = list(found.values())[:MAX_ANCESTORS]
    return sorted(nearest, key=lambda row: (-row["generation"], row["spec_id"]))


def _first_evaluations(conn: Connection, run_id: int, spec_ids: list[str]) -> list[Json]:
    row = EvaluationRow
    columns: tuple[Any, ...] = row.spec_id, row.generation, row.fitness, row.mix, row.operator, row.parents
    query = (
        select(*columns)
        .where(row.run_id == run_id, row.spec_id.in_(spec_ids))
        .ext(distinct_on(row.spec_id))
        .order_by(row.spec_id, row.generation)
    )
    return [
        {"families": _families(found.pop("mix")), **found, "parents": found["parents"] or []}
        for found in records(conn, query)
    ]


def family_shares(conn: Connection, run_id: int) -> Json:
    """Return the share of each family among the signals of the genomes that reached the whole window, by generation."""
    row = EvaluationRow
    query = (
        select(row.generation, row.mix, func.count())
        .where(row.run_id == run_id, row.mix.is_not(None))
        .group_by(row.generation, row.mix)
    )
    counts: dict[int, dict[str, float]] = defaultdict(lambda: defaultdict(float))
    for generation, mix, genomes in conn.execute(query):
        families = _families(mix)
        for family in families:
            counts[generation][family] += genomes / len(families)
    generations = sorted(counts)
    names = sorted({family for of_one in counts.values() for family in of_one})
    totals = [sum(counts[generation].values()) for generation in generations]
    shares = [
        {
            "family": name,
            "shares": [counts[g].get(name, 0.0) / total for g, total in zip(generations, totals, strict=True)],
        }
        for name in names
    ]
    return {"generations": generations, "families": shares}
