"""Look-ups of the strategies of a run by their ids."""

from sqlalchemy import Connection, select

from memesnipe.storage.schema import StrategyRow


def has_strategy(conn: Connection, run_id: int, spec_id: str) -> bool:
    """Return whether a run has a strategy."""
    query = select(StrategyRow.spec_id).where(StrategyRow.run_id == run_id, StrategyRow.spec_id == spec_id)
    return conn.scalar(query) is not None


def ids_like(conn: Connection, run_id: int, spec_id: str, limit: int) -> list[str]:
    """Return the ids of a run's strategies that begin like a text, for the longest such beginning; [] without any."""
    for length in range(min(len(spec_id), 12), 0, -1):
        begins = StrategyRow.spec_id.startswith(spec_id[:length], autoescape=True)
        query = select(StrategyRow.spec_id).where(StrategyRow.run_id == run_id, begins).order_by(StrategyRow.spec_id)
        if found := list(conn.scalars(query.limit(limit))):
            return found
    return []
