"""The tables of searches on tapes (`memesnipe evolve`), and the count of every evaluation ever made."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, func
from sqlalchemy.orm import Mapped, mapped_column

from memesnipe.storage.schema import Base


class SearchRow(Base):
    """A search on a tape (`memesnipe evolve`), which can be resumed."""

    __tablename__ = "searches"
    search_id: Mapped[int] = mapped_column(primary_key=True)
    market: Mapped[str]  # a hash of the tape's events, independent of the file's name
    tape: Mapped[str]
    key: Mapped[dict[str, Any]]  # all inputs that determine the result; a search with an equal key can be resumed
    state: Mapped[bytes | None]  # after its last complete generation
    started_at: Mapped[datetime] = mapped_column(server_default=func.now())


def _search_key() -> Mapped[int]:
    return mapped_column(ForeignKey("searches.search_id"), primary_key=True)


class SearchGeneration(Base):
    """One generation of a search on a tape."""

    __tablename__ = "search_generations"
    search_id: Mapped[int] = _search_key()
    index: Mapped[int] = mapped_column(primary_key=True)
    evaluations: Mapped[int]
    best_fitness: Mapped[float]
    median_fitness: Mapped[float]
    pbo: Mapped[float]
    cells: Mapped[int]
    failed: Mapped[int]
    seconds: Mapped[float]


class EvaluationCount(Base):
    """The number of evaluations made on a market; those on its holdout count when a champion is assessed."""

    __tablename__ = "evaluation_counts"
    __table_args__ = (Index("evaluation_counts_of_market", "market"),)
    search_id: Mapped[int] = _search_key()
    stage: Mapped[str] = mapped_column(primary_key=True)  # generation | finish | holdout
    index: Mapped[int] = mapped_column(primary_key=True)
    market: Mapped[str]
    evaluations: Mapped[int]
