"""What `memesnipe demo` tells: facts read from the database and the event log of the running system, nothing else."""

from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Connection, select

from memesnipe.cli.demo_rugs import fates, find_rugs
from memesnipe.storage import views
from memesnipe.storage.event_log import read_batches
from memesnipe.storage.round_trips import round_trips
from memesnipe.storage.rows import Page
from memesnipe.storage.schema import TradeRow
from memesnipe.storage.strategy_list import StrategyFilter, strategies
from memesnipe.storage.trade_list import TradeFilter, refusals

_STRATEGIES: Final = 1_000
_CHANGES: Final = 1_000
_UNSAFE: Final = "unsafe_token"  # of `memesnipe.trading.gate.RefusalReason`

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Facts:
    """A run so far.

    Args:
        report: of `memesnipe.storage.views.report`.
        risk: of `memesnipe.storage.views.risk`.
        generations: of the search, in their order.
        promotions: changes from simulation to paper, in their order, with the strategy's families, its evidence in
            words as it is now, and its capital.
        trips: closed round trips on paper with their strategy, in the order in which they ended.
    """

    report: Json = field(default_factory=dict)
    risk: Json = field(default_factory=dict)
    generations: list[Json] = field(default_factory=list)
    promotions: list[Json] = field(default_factory=list)
    trips: list[Json] = field(default_factory=list)


def read_facts(conn: Connection, run_id: int) -> Facts:
    """Return the facts of a run."""
    rows = {row["spec_id"]: row for row in strategies(conn, run_id, StrategyFilter(), Page(_STRATEGIES)).rows}
    changes = reversed(views.lifecycle(conn, run_id, _CHANGES))
    raised = [change for change in changes if (change["from_mode"], change["to_mode"]) == ("simulating", "paper")]
    return Facts(
        views.report(conn, run_id),
        views.risk(conn, run_id),
        views.generations(conn, run_id),
        [_promotion(change, rows.get(change["spec_id"], {})) for change in raised],
        _trips(conn, run_id),
    )


def _promotion(change: Json, strategy: Json) -> Json:
    genes = strategy.get("genome", {}).get("signals", ())
    return {
        **{name: change[name] for name in ("number", "seq", "spec_id", "reason")},
        "families": [gene["family"] for gene in genes],
        "why": strategy.get("why", ""),
        "allocation_usd": strategy.get("allocation_usd", 0.0),
    }


def _trips(conn: Connection, run_id: int) -> list[Json]:
    traded = conn.scalars(select(TradeRow.spec_id).where(TradeRow.run_id == run_id).distinct())
    found = [{"spec_id": spec_id, **trip} for spec_id in traded for trip in round_trips(conn, run_id, spec_id)]
    return sorted(found, key=lambda trip: (trip["closed_ts"], trip["spec_id"]))


def read_rugs(conn: Connection, run_id: int, event_log: Path, trips: list[Json]) -> Json:
    """Return the rugs so far: their number, what became of our round trips in them, and purchases that were refused.

    Args:
        conn: to the database.
        run_id: the run.
        event_log: of the run.
        trips: as in `Facts`.
    """
    last = views.report(conn, run_id)["events"]["consumed"]
    rugs = find_rugs(read_batches(event_log, 1, last))
    refused = refusals(conn, run_id, TradeFilter(reason=_UNSAFE), Page(1))
    return {
        "count": len(rugs),
        "fates": [asdict(fate) for fate in fates(rugs, trips)],
        "refused": refused.total,
        "refusal": refused.rows[0]["detail"] if refused.rows else "",
    }
