"""The strategies of a run: a page of them, filtered and sorted, each with why it holds capital."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, case, func, select
from sqlalchemy.dialects.postgresql import distinct_on

from memesnipe.market.events import LAMPORTS_PER_SOL
from memesnipe.protocol.account import Account
from memesnipe.protocol.commands import MANUAL
from memesnipe.storage.rows import Json, Page, Rows, count, records
from memesnipe.storage.schema import LifecycleRow, PositionRow, StrategyRow
from memesnipe.storage.why import interval, why


class Standing(StrEnum):
    """What the evidence of a strategy says."""

    PROVEN = "proven"  # its probation has ended
    GROWING = "growing"  # in favour of it, below the threshold
    AGAINST = "against"  # not in favour of it
    NONE = "none"  # it has no result yet


class SortKey(StrEnum):
    """The figures by which strategies can be sorted."""

    RANK = "rank"  # live, paper, simulating, retired; in each mode the highest return first
    CAPITAL = "capital"
    RETURN = "return"
    SHARPE = "sharpe"
    DRAWDOWN = "drawdown"
    TRADES = "trades"
    EVIDENCE = "evidence"
    NEEDED = "needed"
    EXPECTED = "expected"
    PNL = "pnl"
    PARITY = "parity"
    GENERATION = "generation"


@dataclass(frozen=True, slots=True)
class StrategyFilter:
    """Which strategies are wanted; None accepts all."""

    mode: str | None = None
    family: str | None = None
    evidence: Standing | None = None
    search: str | None = None  # beginning of the id
    spec_ids: tuple[str, ...] = ()


_RESULT: Final = StrategyRow.result
_E_VALUE: Final = StrategyRow.evidence["e_value"].as_float()
_IS_PROVEN: Final = StrategyRow.evidence["is_proven"].as_boolean()


def strategies(
    conn: Connection,
    run_id: int,
    chosen: StrategyFilter,
    page: Page,
    sort: SortKey = SortKey.RANK,
    *,
    is_descending: bool = True,
) -> Rows:
    """Return a page of the strategies of a run."""
    earned = _earned(run_id)
    columns = [column for column in StrategyRow.__table__.columns if column.name != "run_id"]
    query = (
        select(*columns, earned.c.paper_pnl_lamports, earned.c.live_pnl_lamports)
        .outerjoin(earned, earned.c.spec_id == StrategyRow.spec_id)
        .where(StrategyRow.run_id == run_id, *_conditions(chosen))
        .order_by(*_order(sort, earned.c.paper_pnl_lamports, is_descending=is_descending), StrategyRow.spec_id)
    )
    found = records(conn, query.limit(page.limit).offset(page.offset))
    by_hand = _promoted_by_hand(conn, run_id, [row["spec_id"] for row in found if row["mode"] in ("paper", "live")])
    return Rows([_with_reasons(row, is_by_hand=row["spec_id"] in by_hand) for row in found], count(conn, query))


def _promoted_by_hand(conn: Connection, run_id: int, spec_ids: list[str]) -> set[str]:
    """Return which strategies have their mode by a manual command."""
    last = (
        select(LifecycleRow.spec_id, LifecycleRow.reason)
        .where(LifecycleRow.run_id == run_id, LifecycleRow.spec_id.in_(spec_ids))
        .ext(distinct_on(LifecycleRow.spec_id))
        .order_by(LifecycleRow.spec_id, LifecycleRow.number.desc())
    )
    return {row.spec_id for row in conn.execute(last) if row.reason.startswith(MANUAL)} if spec_ids else set()


def families(conn: Connection, run_id: int) -> list[Json]:
    """Return the families in the genomes of a run, with their strategies by mode and their share of the capital."""
    gene = func.jsonb_array_elements(StrategyRow.genome["signals"]).table_valued("value").alias("gene")
    family = gene.c.value.op("->>")("family")
    weight = gene.c.value.op("->>")("weight").cast(StrategyRow.allocation_usd.type)
    counts = {
        mode: func.count().filter(StrategyRow.mode == mode) for mode in ("simulating", "paper", "live", "retired")
    }
    every = func.jsonb_array_elements(StrategyRow.genome["signals"]).table_valued("value").alias("every")
    weights = select(func.sum(every.c.value.op("->>")("weight").cast(StrategyRow.allocation_usd.type)))
    share = weight / func.nullif(weights.select_from(every).scalar_subquery(), 0.0)
    query = (
        select(family.label("family"), *(column.label(mode) for mode, column in counts.items()))
        .add_columns(func.coalesce(func.sum(StrategyRow.allocation_usd * share), 0.0).label("weighted_usd"))
        .select_from(StrategyRow)
        .join(gene, StrategyRow.run_id == run_id)
        .group_by(family)
        .order_by(family)
    )
    return records(conn, query)


def _earned(run_id: int) -> Any:
    """Return the realised and unrealised profit of each strategy on each account, in lamports."""
    gain = PositionRow.realised_lamports + PositionRow.value_lamports - PositionRow.cost_lamports

    def of(account: Account) -> ColumnElement[Any]:
        return func.sum(gain).filter(PositionRow.account == account).label(f"{account}_pnl_lamports")

    query = select(PositionRow.spec_id, of(Account.PAPER), of(Account.LIVE)).where(PositionRow.run_id == run_id)
    return query.group_by(PositionRow.spec_id).subquery()


def _conditions(chosen: StrategyFilter) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    if chosen.mode is not None:
        found.append(StrategyRow.mode == chosen.mode)
    if chosen.family is not None:
        found.append(StrategyRow.genome["signals"].contains([{"family": chosen.family}]))
    if chosen.search:
        found.append(StrategyRow.spec_id.startswith(chosen.search, autoescape=True))
    if chosen.spec_ids:
        found.append(StrategyRow.spec_id.in_(chosen.spec_ids))
    match chosen.evidence:
        case Standing.PROVEN:
            found.append(_IS_PROVEN)
        case Standing.GROWING:
            found += [~_IS_PROVEN, _E_VALUE > 1.0]
        case Standing.AGAINST:
            found += [~_IS_PROVEN, _E_VALUE <= 1.0]
        case Standing.NONE:
            found.append(_E_VALUE.is_(None))  # NULL, or null as JSON
    return found


def _order(sort: SortKey, pnl: ColumnElement[Any], *, is_descending: bool) -> tuple[ColumnElement[Any], ...]:
    total_return = _RESULT["total_return"].as_float()
    if sort is SortKey.RANK:
        rank = case({"live": 0, "paper": 1, "retired": 3}, value=StrategyRow.mode, else_=2)
        return rank if is_descending else rank.desc(), total_return.desc().nulls_last()
    keys: dict[SortKey, Any] = {
        SortKey.CAPITAL: StrategyRow.allocation_usd,
        SortKey.RETURN: total_return,
        SortKey.SHARPE: _RESULT["sharpe"].as_float(),
        SortKey.DRAWDOWN: _RESULT["max_drawdown"].as_float(),
        SortKey.TRADES: _RESULT["trades"].as_integer(),
        SortKey.EVIDENCE: _E_VALUE,
        SortKey.NEEDED: StrategyRow.evidence["trades_needed"].as_float(),
        SortKey.EXPECTED: StrategyRow.evidence["expected_return"].as_float(),
        SortKey.PNL: pnl,
        SortKey.PARITY: StrategyRow.parity_bps,
        SortKey.GENERATION: StrategyRow.generation,
    }
    key = keys[sort]
    return (key.desc().nulls_last() if is_descending else key.asc().nulls_last(),)


def _with_reasons(row: Json, *, is_by_hand: bool) -> Json:
    for account in Account:
        lamports = row.pop(f"{account}_pnl_lamports")
        row[f"{account}_pnl_sol"] = None if lamports is None else int(lamports) / LAMPORTS_PER_SOL
    row["expected_interval"] = interval(row["evidence"])
    row["is_by_hand"] = is_by_hand
    row["why"] = why(row["mode"], row["allocation_usd"], row["evidence"], is_by_hand=is_by_hand)
    return row
