"""Look-ups of the strategies of a run by their ids."""

from typing import Final

from sqlalchemy import Connection, select

from memesnipe.storage.schema import StrategyRow

_MIN_BEGINNING: Final = 4  # characters


def has_strategy(conn: Connection, run_id: int, spec_id: str) -> bool:
    """Return whether a run has a strategy."""
    query = select(StrategyRow.spec_id).where(StrategyRow.run_id == run_id, StrategyRow.spec_id == spec_id)
    return conn.scalar(query) is not None


def full_id(conn: Connection, text: str, run_id: int | None = None) -> str:
    """Return the id that a text stands for: the only one that begins with it, or the text itself.

    Args:
        conn: of the database.
        text: an id, or the beginning of one, of 4 characters at least.
        run_id: the run that has the strategy; None for any run.
    """
    if len(text) < _MIN_BEGINNING:
        return text
    of_run = () if run_id is None else (StrategyRow.run_id == run_id,)
    begins = StrategyRow.spec_id.startswith(text, autoescape=True)
    query = select(StrategyRow.spec_id).distinct().where(*of_run, begins).order_by(StrategyRow.spec_id)
    found = list(conn.scalars(query.limit(2)))
    return found[0] if len(found) == 1 else text


def ids_like(conn: Connection, run_id: int, spec_id: str, limit: int) -> list[str]:
    """Return the ids of a run's strategies that begin like a text, for the longest such beginning; [] without any."""
    for length in range(min(len(spec_id), 12), 0, -1):
        begins = StrategyRow.spec_id.startswith(spec_id[:length], autoescape=True)
        query = select(StrategyRow.spec_id).where(StrategyRow.run_id == run_id, begins).order_by(StrategyRow.spec_id)
        if found := list(conn.scalars(query.limit(limit))):
            return found
    return []
