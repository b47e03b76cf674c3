"""Searches on tapes: each generation is kept as soon as it is whole, and every evaluation is counted for good."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Engine, func, make_url, select, text, update
from sqlalchemy.dialects.postgresql import insert

from memesnipe.storage.schema_searches import EvaluationCount, SearchGeneration, SearchRow

_STUDIES = "optuna"


@dataclass(frozen=True, slots=True)
class SearchInfo:
    """A search, its state after the last whole generation, and what is known of its generations."""

    search_id: int
    state: bytes | None
    generations: list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class SearchStore:
    """The searches on one market."""

    engine: Engine
    market: str

    def begin(self, tape: str, key: dict[str, Any]) -> SearchInfo:
        """A new search."""
        row = insert(SearchRow).values(market=self.market, tape=tape, key=key)
        with self.engine.begin() as connection:
            search_id = connection.scalar(row.returning(SearchRow.search_id))
        assert search_id is not None  # noqa: S101 - an INSERT that returns nothing has raised before
        return SearchInfo(search_id, None, [])

    def take_up(self, key: dict[str, Any]) -> SearchInfo | None:
        """The latest search with the same key, or None."""
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
        """The latest search on this market, else on a tape of that name: its id, its key, whether it was here."""
        columns = (SearchRow.search_id, SearchRow.key, SearchRow.market)
        for wanted in (SearchRow.market == self.market, SearchRow.tape == tape):
            with self.engine.connect() as connection:
                query = select(*columns).where(wanted).order_by(SearchRow.search_id.desc()).limit(1)
                row = connection.execute(query).one_or_none()
            if row is not None:
                return row.search_id, row.key, row.market == self.market
        return None

    def keep(self, search_id: int, state: bytes, generation: dict[str, Any]) -> None:
        """Keep a whole generation: its row, the state after it, and its evaluations, or none of them."""
        with self.engine.begin() as connection:
            connection.execute(insert(SearchGeneration).values(search_id=search_id, **generation))
            connection.execute(update(SearchRow).where(SearchRow.search_id == search_id).values(state=state))
            connection.execute(self._counted(search_id, "generation", generation["index"], generation["evaluations"]))

    def count(self, search_id: int, stage: str, evaluations: Sequence[int]) -> int:
        """Count the evaluations of a stage, each batch once however often it is repeated; how many were ever made."""
        with self.engine.begin() as connection:
            for index, number in enumerate(evaluations):
                connection.execute(self._counted(search_id, stage, index, number))
            total = select(func.coalesce(func.sum(EvaluationCount.evaluations), 0)).where(
                EvaluationCount.market == self.market
            )
            return int(connection.scalar(total) or 0)

    def _counted(self, search_id: int, stage: str, index: int, evaluations: int) -> Any:
        row = {"search_id": search_id, "stage": stage, "index": index, "market": self.market}
        return insert(EvaluationCount).values(**row, evaluations=evaluations).on_conflict_do_nothing()


def study_storage(engine: Engine, url: str) -> str:
    """Where optuna keeps its studies: a schema of its own, because its tables have names that ours have too."""
    with engine.begin() as connection:
        connection.execute(text(f"CREATE SCHEMA IF NOT EXISTS {_STUDIES}"))
    return make_url(url).update_query_dict({"options": f"-csearch_path={_STUDIES}"}).render_as_string(False)
