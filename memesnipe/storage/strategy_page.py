"""All that is known of one strategy: its figures, its life, its backtest and its round trips."""

from sqlalchemy import Connection, select

from memesnipe.storage.live_orders import live_summary
from memesnipe.storage.round_trips import histogram, round_trips
from memesnipe.storage.rows import Json, Page, records
from memesnipe.storage.schema import EvaluationRow, LifecycleRow
from memesnipe.storage.strategy_list import StrategyFilter, strategies

_SHOWN_ROUND_TRIPS = 1_000


def strategy_page(conn: Connection, run_id: int, spec_id: str) -> Json | None:
    """Return a strategy; None where the run has none with this id."""
    found = strategies(conn, run_id, StrategyFilter(spec_ids=(spec_id,)), Page(1)).rows
    if not found:
        return None
    trips = round_trips(conn, run_id, spec_id)
    return {
        "strategy": found[0],
        "lifecycle": _life(conn, run_id, spec_id),
        "backtest": _backtest(conn, run_id, spec_id),
        "live": live_summary(conn, run_id, spec_id),
        "round_trips": trips[-_SHOWN_ROUND_TRIPS:][::-1],
        "round_trips_total": len(trips),
        "returns": {
            account: histogram([trip["profit_ratio"] for trip in trips if trip["account"] == account])
            for account in ("paper", "live")
        },
    }


def _life(conn: Connection, run_id: int, spec_id: str) -> list[Json]:
    query = select(LifecycleRow).where(LifecycleRow.run_id == run_id, LifecycleRow.spec_id == spec_id)
    return records(conn, query.order_by(LifecycleRow.number))


def _backtest(conn: Connection, run_id: int, spec_id: str) -> Json | None:
    """Return the last evaluation of a strategy by the search; None where it reached no whole window."""
    row = EvaluationRow
    columns = row.generation, row.spec_id, row.fitness, row.train_sharpe, row.validation_sharpe
    query = select(*columns).where(row.run_id == run_id, row.spec_id == spec_id)
    found = records(conn, query.order_by(row.generation.desc()).limit(1))
    return found[0] if found else None
