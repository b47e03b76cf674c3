"""What becomes of the earlier run of a feed where a start begins another one."""

from collections.abc import Mapping
from typing import Any, Final

from sqlalchemy import Connection, Engine, func, select

from memesnipe.storage.runs import CHAIN, CODE, LIVE_CAPITAL, LIVE_WALLET, OPEN, WALLET
from memesnipe.storage.schema import PositionRow, RunRow
from memesnipe.storage.wording import plural

_OF_LIVE: Final = (LIVE_CAPITAL, LIVE_WALLET, WALLET, CHAIN, "mode")
_SHOWN: Final = 4  # names of settings


def why_not_continued(database: Engine, feed: str, run_id: int, settings: Mapping[str, Any]) -> str:
    """Return in sentences why a run that begins is not the earlier one of its feed; "" where there is none.

    Args:
        database: of the runs.
        feed: identity of the feed.
        run_id: the run that begins.
        settings: that it keeps, with the hash of the code that decides.
    """
    earlier = select(RunRow.run_id, RunRow.settings).where(
        RunRow.feed == feed, RunRow.status == OPEN, RunRow.run_id < run_id
    )
    with database.connect() as connection:
        row = connection.execute(earlier.order_by(RunRow.run_id.desc()).limit(1)).one_or_none()
        if row is None:
            return ""
        held = _held(connection, row.run_id)
    number = row.run_id
    sentence = (
        f"Run {number} of this feed is not continued: {_reason(row.settings, settings)}. Run {run_id} begins with the "
        f"capital of the settings and without strategies; `memesnipe report {number}` and "
        f"`memesnipe verify --run {number}` show the earlier one."
    )
    if held.get("live"):
        sentence += (
            f" ATTENTION: run {number} left {plural(held['live'], 'live position')}, and run {run_id} sells only what "
            "it has bought: sell by hand, or go back to the earlier version and `memesnipe flatten` there."
        )
    elif held:
        sentence += f" Its {plural(held['paper'], 'open position')} on paper stay as they were."
    return sentence


def _reason(earlier: Mapping[str, Any], now: Mapping[str, Any]) -> str:
    """Return what differs: the mode, settings, or only the code that decides."""
    if (WALLET in earlier) != (WALLET in now):
        return "it traded on paper" if WALLET in now else "it traded live"
    names = sorted({*earlier, *now} - {CODE, *_OF_LIVE})
    if earlier.get(CODE) != now.get(CODE):
        return "the code that decides has changed"
    changed = [name.upper() for name in names if earlier.get(name) != now.get(name)]
    shown = ", ".join(changed[:_SHOWN]) + (f" and {len(changed) - _SHOWN} more" if len(changed) > _SHOWN else "")
    return f"{shown} changed" if changed else "it is of another wallet or chain"


def _held(connection: Connection, run_id: int) -> dict[str, int]:
    """Return the number of open positions of each account that has some."""
    open_ones = PositionRow.run_id == run_id, PositionRow.cost_lamports > 0
    query = select(PositionRow.account, func.count().label("held")).where(*open_ones)
    return {row.account: row.held for row in connection.execute(query.group_by(PositionRow.account))}
