"""Lists of trades, positions and refusals: filtered, a page at a time."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, select

from memesnipe.market.events import LAMPORTS_PER_SOL
from memesnipe.protocol.chain_errors import in_words
from memesnipe.storage.rows import Json, Page, Rows, count, records
from memesnipe.storage.schema import TradeRow
from memesnipe.storage.schema_control import RefusalRow


@dataclass(frozen=True, slots=True)
class TradeFilter:
    """Which trades or refusals are wanted; None accepts all."""

    account: str | None = None
    spec_id: str | None = None
    mint: str | None = None
    side: str | None = None
    status: str | None = None  # of trades alone
    reason: str | None = None
    since_ts: int | None = None
    until_ts: int | None = None  # exclusive


def trades(conn: Connection, run_id: int, chosen: TradeFilter, page: Page) -> Rows:
    """Return the outcomes of orders, the newest first."""
    query = select(TradeRow).where(TradeRow.run_id == run_id, *_conditions(TradeRow, chosen))
    if chosen.status is not None:
        query = query.where(TradeRow.status == chosen.status)
    found = _page(conn, query.order_by(TradeRow.seq.desc(), TradeRow.order_id.desc()), page)
    for trade in found.rows:
        trade["why"] = in_words(trade["failure"]) or trade["reason"].replace("_", " ")
        trade["sol_amount"] = trade["sol_lamports"] / LAMPORTS_PER_SOL
        trade["fees_sol"] = (trade["pool_fee_lamports"] + trade["network_fee_lamports"]) / LAMPORTS_PER_SOL
    return found


def refusals(conn: Connection, run_id: int, chosen: TradeFilter, page: Page) -> Rows:
    """Return the decisions that the risk gate refused, the newest first."""
    query = select(RefusalRow).where(RefusalRow.run_id == run_id, *_conditions(RefusalRow, chosen))
    return _page(conn, query.order_by(RefusalRow.seq.desc(), RefusalRow.order_id), page)


def _page(conn: Connection, query: Select[Any], page: Page) -> Rows:
    rows: list[Json] = records(conn, query.limit(page.limit).offset(page.offset))
    return Rows(rows, count(conn, query))


def _conditions(table: Any, chosen: TradeFilter) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = [
        getattr(table, name) == getattr(chosen, name)
        for name in ("account", "spec_id", "mint", "side", "reason")
        if getattr(chosen, name) is not None
    ]
    if chosen.since_ts is not None:
        found.append(table.ts >= chosen.since_ts)
    if chosen.until_ts is not None:
        found.append(table.ts < chosen.until_ts)
    return found
