"""The tear sheet of a run, from its records in the database and its event log; paper and live apart."""

from pathlib import Path
from typing import Any, Final

import numpy as np
from sqlalchemy import Connection, select

import memesnipe
from memesnipe.errors import InputError
from memesnipe.market.events import LAMPORTS_PER_SOL
from memesnipe.protocol.account import Account as AccountName
from memesnipe.runtime.run_maps import run_maps
from memesnipe.runtime.sheet_parts import most_traded, outcomes_of, prices_of, trips_of
from memesnipe.storage.equity_view import initial_capital_usd, live_capital_lamports
from memesnipe.storage.learned import in_words, learned
from memesnipe.storage.mapped_log import mapped_events
from memesnipe.storage.rows import records
from memesnipe.storage.runs import FINISHED, RUNNING, STOPPED
from memesnipe.storage.schema import EquityRow, FeedCursorRow, PositionRow, RunRow, StrategyRow, TradeRow
from memesnipe.storage.views import report
from memesnipe.tearsheet.sheet import Account, Floats, Nanoseconds, Prices, Sheet

_AROUND: Final = 50_000  # events before and after our trades, for the prices
_MAX_EVENTS: Final = 3_000_000
_NOT_ENDED: Final = {RUNNING: "has not ended", STOPPED: "is stopped, and goes on with the next start of its feed"}
_AMONG_FACTS: Final = ("code",)  # of the settings


def run_sheet(conn: Connection, run_id: int, event_log: Path) -> Sheet:
    """Return the tear sheet of a run.

    Args:
        conn: one snapshot of the database.
        run_id: of the run.
        event_log: of the run; without this file there are no prices.

    Raises:
        InputError: there is no such run.
    """
    found = records(conn, select(RunRow).where(RunRow.run_id == run_id))
    if not found:
        raise InputError(f"run {run_id}: there is no such run; the table `runs` (`memesnipe sql`) lists them")
    run, figures = found[0], report(conn, run_id)
    names = [AccountName.PAPER]
    if live_capital_lamports(conn, run_id) is not None:
        names.append(AccountName.LIVE)
    warnings = [] if event_log.is_file() else ["Its events are not in this folder: trades are not shown on prices."]
    if figures["status"] != FINISHED:
        warnings.append(f"The run {_NOT_ENDED[figures['status']]}: these are its figures so far.")
    facts = {
        "version": memesnipe.__version__,
        "code": str(run["settings"].get("code", "not recorded")),
        "run": f"{run_id}, {figures['status']}",
        "feed": run["feed"],
        "started": f"{run['started_at']:%Y-%m-%d %H:%M:%S %Z}",
        "events": f"{figures['events']['consumed']:,}",
        "generations": f"{figures['generations']:,}",
        "evaluations": f"{figures['evaluations']:,}",
        "refused decisions": f"{figures['refusals']:,}",
    }
    settings = {name: value for name, value in sorted(run["settings"].items()) if name not in _AMONG_FACTS}
    accounts = [_account(conn, run_id, name, event_log) for name in names]
    words = [in_words(learned(conn, run_id))]
    maps, note = run_maps(conn, run_id)
    title = f"Run {run_id} of {run['feed']}"
    return Sheet(title, words, facts, settings, warnings, accounts, maps=maps, maps_note=note)


def _account(conn: Connection, run_id: int, name: AccountName, event_log: Path) -> Account:
    of_account = (TradeRow.run_id == run_id, TradeRow.account == name)
    rows = records(conn, select(TradeRow).where(*of_account).order_by(TradeRow.ts, TradeRow.seq, TradeRow.order_id))
    genomes = conn.execute(select(StrategyRow.spec_id, StrategyRow.genome).where(StrategyRow.run_id == run_id))
    families = {row.spec_id: tuple(gene["family"] for gene in row.genome.get("signals", ())) for row in genomes}
    held = select(PositionRow.opened_ts).where(PositionRow.run_id == run_id, PositionRow.account == name)
    opened = [int(ts) for ts in conn.scalars(held.where(PositionRow.cost_lamports > 0))]
    ts, equity_sol, sol_usd = _equity(conn, run_id, name)
    return Account(
        str(name).capitalize(), ts, equity_sol, sol_usd, trips_of(rows, lambda spec_id: families.get(spec_id, ())),
        outcomes_of(rows), _prices(conn, run_id, rows, event_log), opened,
    )  # fmt: skip


def _equity(conn: Connection, run_id: int, name: AccountName) -> tuple[Nanoseconds, Floats, Floats]:
    """Return times, equity in SOL and the price of SOL: the initial capital, and then every mark.

    The capital became SOL at the first price of SOL. Nothing is traded before the first mark, at which strategies get
    their first capital, so the equity there is what the capital became.
    """
    columns = (EquityRow.ts, EquityRow.equity_lamports, EquityRow.equity_usd)
    query = select(*columns).where(EquityRow.run_id == run_id, EquityRow.account == name).order_by(EquityRow.seq)
    marks = np.array(
        [tuple(row) for row in conn.execute(query)], dtype=[("ts", "i8"), ("lamports", "i8"), ("usd", "f8")]
    )
    known = np.flatnonzero(marks["lamports"])  # the price of SOL is known from an equity in both units
    if not len(known):
        return np.zeros(0, np.int64), np.zeros(0), np.zeros(0)
    ts, equity_sol = marks["ts"], marks["lamports"] / LAMPORTS_PER_SOL
    last_known = known[np.maximum(np.searchsorted(known, np.arange(len(marks)), side="right") - 1, 0)]
    sol_usd = marks["usd"][last_known] / equity_sol[last_known]
    initial_usd = initial_capital_usd(conn, run_id, name)
    if initial_usd is None:
        return ts, equity_sol, sol_usd
    capital_sol = equity_sol[known[0]]
    before = ts[0] - (int(ts[1] - ts[0]) if len(ts) > 1 else 60_000_000_000)
    return (
        np.concatenate(([before], ts)),
        np.concatenate(([capital_sol], equity_sol)),
        np.concatenate(([initial_usd / capital_sol], sol_usd)),
    )


def _prices(conn: Connection, run_id: int, rows: list[dict[str, Any]], event_log: Path) -> list[Prices]:
    tokens = most_traded(rows)
    last_seq = conn.scalar(select(FeedCursorRow.seq).where(FeedCursorRow.run_id == run_id)) or 0
    found = []
    for mint, token in tokens:
        seqs = [row["seq"] for row in rows if row["token"] == token]
        last = min(max(seqs) + _AROUND, last_seq)
        first = max(min(seqs) - _AROUND, last - _MAX_EVENTS, 1)
        found += prices_of(mapped_events(event_log, first, last), (mint, token), rows)
    return found
