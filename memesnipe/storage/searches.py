"""Searches on tapes: each generation is stored once complete, and every evaluation is counted permanently."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import ColumnElement, Engine, func, make_url, select, text, update
from sqlalchemy.dialects.postgresql import insert

from memesnipe.storage.schema_searches import EvaluationCount, SearchGeneration, SearchRow

HOLDOUT: Final = "holdout"  # the stage of a search in which its champions are tested
_STUDIES = "optuna"


@dataclass(frozen=True, slots=True)
class SearchInfo:
    """A search, its state after the last complete generation, and the rows of its generations."""

    search_id: int
    state: bytes | None
    generations: list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class SearchStore:
    """The searches on one market."""

    engine: Engine
    market: str

    def begin(self, tape: str, key: dict[str, Any]) -> SearchInfo:
        """Begin a new search."""
        row = insert(SearchRow).values(market=self.market, tape=tape, key=key)
        with self.engine.begin() as connection:
            search_id = connection.scalar(row.returning(SearchRow.search_id))
        assert search_id is not None  # noqa: S101 - an INSERT that returns nothing has raised before
        return SearchInfo(search_id, None, [])

    def find(self, key: dict[str, Any]) -> SearchInfo | None:
        """Return the latest search with the same key, or None."""
        query = select(SearchRow.search_id, SearchRow.state).where(
            SearchRow.market == self.market, SearchRow.key == key
        )
        with self.engine.connect() as connection:
            row = connection.execute(query.order_by(SearchRow.search_id.desc()).limit(1)).one_or_none()
            if row is None:
                return None
            columns = [c for c in SearchGeneration.__table__.columns if c.name != "search_id"]
            done = select(*columns).where(SearchGeneration.search_id == row.search_id).order_by(SearchGeneration.index)
            return SearchInfo(row.search_id, row.state, [dict(r) for r in connection.execute(done).mappings()])

    def latest(self, tape: str) -> tuple[int, dict[str, Any], bool] | None:
        """Return the latest search on this market, otherwise on a tape of that name.

        Returns:
            Its id, its key, and whether it was on this market; None if there is no such search.
        """
        columns = (SearchRow.search_id, SearchRow.key, SearchRow.market)
        for wanted in (SearchRow.market == self.market, SearchRow.tape == tape):
            with self.engine.connect() as connection:
                query = select(*columns).where(wanted).order_by(SearchRow.search_id.desc()).limit(1)
                row = connection.execute(query).one_or_none()
            if row is not None:
                return row.search_id, row.key, row.market == self.market
        return None

    def store_generation(self, search_id: int, state: bytes, generation: dict[str, Any]) -> None:
        """Store a complete generation atomically: its row, the state after it, and the count of its evaluations."""
        with self.engine.begin() as connection:
            connection.execute(insert(SearchGeneration).values(search_id=search_id, **generation))
            connection.execute(update(SearchRow).where(SearchRow.search_id == search_id).values(state=state))
            connection.execute(self._counted(search_id, "generation", generation["index"], generation["evaluations"]))

    def count(self, search_id: int, stage: str, evaluations: Sequence[int]) -> int:
        """Count the evaluations of a stage, repeated batches only once; return the total ever made on the market."""
        with self.engine.begin() as connection:
            for index, number in enumerate(evaluations):
                connection.execute(self._counted(search_id, stage, index, number))
        return self._total()

    def tested_on_holdout(self) -> int:
        """Return the number of genomes ever tested on the market's holdout."""
        return self._total(EvaluationCount.stage == HOLDOUT)

    def _total(self, *conditions: ColumnElement[bool]) -> int:
        counted = select(func.coalesce(func.sum(EvaluationCount.evaluations), 0))
        with self.engine.connect() as connection:
            return int(connection.scalar(counted.where(EvaluationCount.market == self.market, *conditions)) or 0)

    def _counted(self, search_id: int, stage: str, index: int, evaluations: int) -> Any:
        row = {"search_id": search_id, "stage": stage, "index": index, "market": self.market}
        return insert(EvaluationCount).values(**row, evaluations=evaluations).on_conflict_do_nothing()


def study_storage(engine: Engine, url: str) -> str:
    """Return the URL of optuna's studies: a separate schema, because its table names conflict with those here."""
    with engine.begin() as connection:
        connection.execute(text(f"CREATE SCHEMA IF NOT EXISTS {_STUDIES}"))
    return make_url(url).update_query_dict({"options": f"-csearch_path={_STUDIES}"}).render_as_string(False)
