"""The market of a run for display: tokens, hours, and a token's candles with our trades in it."""

from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from threading import Lock
from typing import Any, Final

import numpy as np
from sqlalchemy import Connection, select

from memesnipe.market.events import NS_PER_S
from memesnipe.storage.candles import candles
from memesnipe.storage.mapped_log import events_of_token
from memesnipe.storage.market_summary import HOUR_NS, MarketSummary
from memesnipe.storage.rows import Json, Page, Rows
from memesnipe.storage.schema import FeedCursorRow, TokenRow
from memesnipe.storage.trade_list import TradeFilter, trades

ALIVE_S: Final = 3_600  # without an event for longer, a token is not counted as alive
_MAX_CHART_EVENTS: Final = 3_000_000
_MAX_CHART_TRADES: Final = 1_000
_HOURS: Final = 72


class TokenSort(StrEnum):
    """The figures by which tokens can be sorted, the greatest first."""

    VOLUME = "volume_usd"
    TRADES = "trades"
    LIQUIDITY = "liquidity_usd"
    LAUNCHED = "first_ts"
    LAST = "last_ts"


class Market:
    """The summaries of the newest run, advanced when they are asked for.

    Args:
        log_of: returns the path of a run's event log.
    """

    def __init__(self, log_of: Callable[[int], Path]) -> None:
        self._log_of = log_of
        self._lock = Lock()
        self._run_id = 0
        self._summary = MarketSummary()

    def overview(self, conn: Connection, run_id: int) -> Json:
        """Return the counts of tokens, and the last hours."""
        summary, last_seq = self._advanced(conn, run_id)
        known = summary.tokens[summary.tokens["first_seq"] > 0]
        alive = known["last_ts"] > summary.last_ts - ALIVE_S * NS_PER_S
        hours = sorted(summary.hours.items())[-_HOURS:]
        return {
            "seq": summary.seq,
            "behind": max(last_seq - summary.seq, 0),
            "ts": summary.last_ts,
            "tokens": len(known),
            "alive": int(alive.sum()),
            "graduated": int(known["is_graduated"].sum()),
            "hours": [{"ts": hour * HOUR_NS, **_counts(row)} for hour, row in hours],
        }

    def tokens(self, conn: Connection, run_id: int, page: Page, sort: TokenSort, *, alive_only: bool) -> Rows:
        """Return a page of the tokens, the greatest first."""
        summary, _ = self._advanced(conn, run_id)
        index = np.flatnonzero(summary.tokens["first_seq"] > 0)
        if alive_only:
            index = index[summary.tokens["last_ts"][index] > summary.last_ts - ALIVE_S * NS_PER_S]
        index = index[np.argsort(-summary.tokens[str(sort)][index], kind="stable")]
        chosen = index[page.offset : page.offset + page.limit].tolist()
        names = select(TokenRow.token, TokenRow.mint).where(TokenRow.run_id == run_id, TokenRow.token.in_(chosen))
        mints = {row.token: row.mint for row in conn.execute(names)}
        return Rows([_token(summary, token, mints.get(token, "")) for token in chosen], len(index))

    def token(self, conn: Connection, run_id: int, mint: str, interval_s: int | None) -> Json | None:
        """Return a token with its candles and our trades in it; None where the run has no such token."""
        token = conn.scalar(select(TokenRow.token).where(TokenRow.run_id == run_id, TokenRow.mint == mint))
        if token is None:
            return None
        summary, _ = self._advanced(conn, run_id)
        row = _token(summary, token, mint)
        first_seq = max(row["first_seq"], row["last_seq"] - _MAX_CHART_EVENTS, 1)
        events = events_of_token(self._log_of(run_id), token, first_seq, row["last_seq"])
        length_s, found = candles(events, token, interval_s)
        ours = trades(conn, run_id, TradeFilter(mint=mint), Page(_MAX_CHART_TRADES)).rows
        return {"token": row, "interval_s": length_s, "candles": found, "trades": ours[::-1]}

    def _advanced(self, conn: Connection, run_id: int) -> tuple[MarketSummary, int]:
        last_seq = conn.scalar(select(FeedCursorRow.seq).where(FeedCursorRow.run_id == run_id)) or 0
        with self._lock:
            if run_id != self._run_id or self._summary.seq > last_seq:
                self._run_id, self._summary = run_id, MarketSummary()
            self._summary.advance(self._log_of(run_id), last_seq)
            return self._summary, last_seq


def _counts(row: dict[str, float]) -> Json:
    return {name: value if name == "volume_usd" else int(value) for name, value in row.items()}


def _token(summary: MarketSummary, token: int, mint: str) -> Json:
    known = token < len(summary.tokens)
    row: Any = summary.tokens[token] if known else np.zeros((), summary.tokens.dtype)
    figures: Json = {name: row[name].item() for name in row.dtype.names}
    alive = figures["last_ts"] > summary.last_ts - ALIVE_S * NS_PER_S
    return {"token": token, "mint": mint, "is_alive": bool(alive and figures["first_seq"]), **figures}
