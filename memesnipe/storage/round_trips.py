"""Round trips of a strategy: an entry, and all that follows until nothing is held."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Final

from sqlalchemy import Connection, select

from memesnipe.engine.orders import ENTRIES, cash_change_lamports
from memesnipe.market.events import LAMPORTS_PER_SOL, SIDE_NAMES
from memesnipe.storage.rows import Json, records
from memesnipe.storage.schema import TradeRow

_SIDES = {name: side for side, name in SIDE_NAMES.items()}
# A stop is decided at one price and filled at another: after the latency, less fees and the effect on the price.
LOST_AT_TARGET: Final = "the value passed the target, and the sale came after the latency at less, net of fees"
GAINED_AT_STOP: Final = "the value passed the stop, and rose again before the sale"
_MAX_TRADES = 20_000  # of a strategy, the newest


@dataclass(frozen=True, slots=True)
class RoundTrip:
    """A closed round trip, with why it began and ended; its profit is net of all fees."""

    account: str
    token: int
    mint: str
    opened_ts: int
    closed_ts: int
    entry_reason: str
    exit_reason: str
    paid_sol: float  # for the entries, fees included
    profit_sol: float
    profit_ratio: float  # of what was paid
    note: str = ""  # why the profit is not what the reason of the exit promises


@dataclass(slots=True)
class _Open:
    first: Json
    paid_lamports: int = 0
    profit_lamports: int = 0


def round_trips(conn: Connection, run_id: int, spec_id: str) -> list[Json]:
    """Return the closed round trips of a strategy on all accounts, in the order in which they ended."""
    query = select(TradeRow).where(TradeRow.run_id == run_id, TradeRow.spec_id == spec_id)
    newest = records(conn, query.order_by(TradeRow.ts.desc(), TradeRow.order_id.desc()).limit(_MAX_TRADES))
    return [asdict(found) for found in pair(reversed(newest))]


def pair(trades: Iterable[Json]) -> list[RoundTrip]:
    """Return the round trips in rows of `trades` of one strategy, ordered by time; an exit sells all that is held."""
    held: dict[tuple[str, int], _Open] = {}
    found: list[RoundTrip] = []
    for trade in trades:
        key, side = (trade["account"], trade["token"]), _SIDES[trade["side"]]
        if key not in held:
            if side not in ENTRIES or trade["failure"]:
                continue  # its entry is not among the trades, or nothing was bought
            held[key] = _Open(trade)
        open_trip = held[key]
        fees_lamports = trade["pool_fee_lamports"] + trade["network_fee_lamports"]
        change = cash_change_lamports(side, trade["sol_lamports"], fees_lamports)
        open_trip.profit_lamports += change
        if side in ENTRIES:
            open_trip.paid_lamports -= change
        elif not trade["failure"]:
            found.append(_closed(held.pop(key), trade))
    return found


def _closed(trip: _Open, last: Json) -> RoundTrip:
    return RoundTrip(
        account=last["account"],
        token=last["token"],
        mint=last["mint"],
        opened_ts=trip.first["ts"],
        closed_ts=last["ts"],
        entry_reason=trip.first["reason"],
        exit_reason=last["reason"],
        paid_sol=trip.paid_lamports / LAMPORTS_PER_SOL,
        profit_sol=trip.profit_lamports / LAMPORTS_PER_SOL,
        profit_ratio=trip.profit_lamports / trip.paid_lamports if trip.paid_lamports else 0.0,
        note=_note(last["reason"], trip.profit_lamports),
    )


def _note(reason: str, profit_lamports: int) -> str:
    if reason == "take_profit" and profit_lamports <= 0:
        return LOST_AT_TARGET
    return GAINED_AT_STOP if reason == "stop_loss" and profit_lamports > 0 else ""


def histogram(values: Sequence[float], bins: int = 24) -> list[Json]:
    """Return the counts of values in ``bins`` intervals of equal width between the least and the greatest."""
    if not values:
        return []
    low, high = min(values), max(values)
    width = (high - low) / bins or 1.0
    counts = [0] * bins
    for value in values:
        counts[min(int((value - low) / width), bins - 1)] += 1
    return [
        {"from_ratio": low + i * width, "to_ratio": low + (i + 1) * width, "count": n} for i, n in enumerate(counts)
    ]
