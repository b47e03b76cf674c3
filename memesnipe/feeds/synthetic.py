"""The synthetic market: launches, hype, dumps and talk, on exact bonding curves; endless and reproducible.

A simple first version. Its sizes and rates are those of recorded trades (median trade 0.049 SOL, p90 0.99 SOL; most
tokens end where they began; peaks come within minutes), and hype feeds on itself for a while, so that there is
something to discover: without that no strategy could be right for a reason.
"""

import heapq
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

import numpy as np

from memesnipe.market.events import LAMPORTS_PER_SOL, NS_PER_S, PUMP_CURVE
from memesnipe.market.pools import Pool, quote_buy, quote_sell
from memesnipe.market.swaps import (
    CURVE_START_SOL_LAMPORTS,
    CURVE_START_TOKEN_RAW,
    CURVE_UNSOLD_TOKEN_RAW,
    PUMP_FEES_BPS,
    RAW_PER_TOKEN,
    wallet_hash,
)

START_TS = 1_767_225_600 * NS_PER_S  # 2026-01-01 UTC
LAUNCH_EVERY_S = 45.0
BURST_CHANCE = 0.35  # most talk leads to nothing
SOL_PRICE_EVERY_S = 30.0
SIZE_MEDIAN_SOL, SIZE_SIGMA, SIZE_MOST_SOL = 0.049, 2.35, 3.0
_ALPHABET = list("123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz")


@dataclass(slots=True)
class _Token:
    """One token: its pool, and the mood around it (above 0: people want in)."""

    mint: str
    born_s: float
    life_s: float
    appeal: float  # how strong its bursts of hype are
    mood: float
    pool: Pool


class SyntheticFeed:
    """An endless market that depends on its seed alone."""

    total: int | None = None

    def __init__(self, seed: int) -> None:
        self._seed = seed

    def messages(self, position: int) -> Iterator[dict[str, Any]]:
        """The events after the first ``position`` ones; getting there costs their generation."""
        return islice(_Market(self._seed).events(), position, None)


class _Market:
    """The market in motion: a queue of what happens next."""

    def __init__(self, seed: int) -> None:
        self._rng = np.random.default_rng(seed)
        self._sol_usd = 200.0
        self._queue: list[tuple[float, int, _Token | None, str]] = []
        self._count = 0

    def events(self) -> Iterator[dict[str, Any]]:
        """Events in order of time, without end."""
        self._plan(0.0, None, "sol_price")
        self._plan(0.1, None, "launch")
        while True:
            now_s, _, token, what = heapq.heappop(self._queue)
            if what == "sol_price":
                self._sol_usd *= float(np.exp(self._rng.normal(0.0, 0.0006)))
                self._plan(now_s + SOL_PRICE_EVERY_S, None, "sol_price")
                yield self._message(now_s, "sol_price", None)
            elif what == "launch":
                self._launch(now_s)
                self._plan(now_s + self._rng.exponential(LAUNCH_EVERY_S), None, "launch")
            elif token is not None and now_s < token.born_s + token.life_s:
                yield from self._live(now_s, token, what)

    def _plan(self, at_s: float, token: _Token | None, what: str) -> None:
        self._count += 1
        heapq.heappush(self._queue, (at_s, self._count, token, what))

    def _launch(self, now_s: float) -> None:
        mint = "".join(self._rng.choice(_ALPHABET, size=39)) + "synth"
        pool = Pool(
            PUMP_CURVE, CURVE_START_SOL_LAMPORTS, CURVE_START_TOKEN_RAW, 0,
            CURVE_START_TOKEN_RAW - CURVE_UNSOLD_TOKEN_RAW, PUMP_FEES_BPS,
        )  # fmt: skip
        life_s = float(np.clip(self._rng.lognormal(6.5, 0.9), 120, 7200))
        appeal = float(self._rng.exponential(0.8))
        token = _Token(mint, now_s, life_s, appeal, 0.3, pool)
        self._plan(now_s + 0.4, token, "trade")
        self._plan(now_s + self._rng.exponential(120.0), token, "hype")

    def _live(self, now_s: float, token: _Token, what: str) -> Iterator[dict[str, Any]]:
        if what == "hype":  # talk comes first, buyers a little later
            yield self._talk(now_s, token, sentiment=0.6, mentions=8.0 * (1.0 + token.appeal))
            if self._rng.random() < BURST_CHANCE:
                self._plan(now_s + self._rng.uniform(5.0, 60.0), token, "burst")
            self._plan(now_s + self._rng.exponential(420.0), token, "hype")
        elif what == "burst":
            token.mood += 0.4 + 0.6 * token.appeal
            self._plan(now_s + self._rng.exponential(60.0), token, "dump")
        elif what == "dump":
            token.mood = -1.2 - 0.5 * token.appeal
            yield self._talk(now_s, token, sentiment=-0.3, mentions=3.0)
        else:
            trade = self._trade(now_s, token)
            rate = 0.04 + 0.5 * min(abs(token.mood), 2.5)
            wait_s = float(self._rng.exponential(1.0 / rate))
            token.mood *= float(np.exp(-wait_s / 150.0))
            self._plan(now_s + wait_s, token, "trade")
            if trade is not None:
                yield trade

    def _talk(self, now_s: float, token: _Token, *, sentiment: float, mentions: float) -> dict[str, Any]:
        noise = float(self._rng.lognormal(0.0, 0.4))
        felt = float(np.clip(sentiment + self._rng.normal(0.0, 0.2), -1.0, 1.0))
        return self._message(now_s, "social", token) | {"sentiment": felt, "mentions": mentions * noise}

    def _trade(self, now_s: float, token: _Token) -> dict[str, Any] | None:
        is_buy = self._rng.random() < 0.45 + 0.35 * np.tanh(token.mood)
        size_sol = min(SIZE_MEDIAN_SOL * float(self._rng.lognormal(0.0, SIZE_SIGMA)), SIZE_MOST_SOL)
        size = max(int(size_sol * LAMPORTS_PER_SOL), 10_000)
        if is_buy:
            quote = quote_buy(token.pool, size)
        else:
            held_by_all = CURVE_START_TOKEN_RAW - token.pool.token_raw
            wanted = size * token.pool.token_raw // token.pool.sol_lamports
            quote = quote_sell(token.pool, min(wanted, held_by_all))
        if quote.token_raw == 0 or quote.sol_lamports == 0:
            return None
        sign = 1 if is_buy else -1
        token.pool = token.pool.moved(sign * quote.sol_lamports, -sign * quote.token_raw)
        return self._message(now_s, "price", token) | self._price_fields(
            token.pool, "buy" if is_buy else "sell", quote.sol_lamports, quote.token_raw
        )

    def _price_fields(self, pool: Pool, side: str, sol_lamports: int, token_raw: int) -> dict[str, Any]:
        usd_per_lamport = self._sol_usd / LAMPORTS_PER_SOL
        return {
            "side": side,
            "price_usd": pool.sol_lamports * usd_per_lamport / (pool.token_raw / RAW_PER_TOKEN),
            "volume_usd": sol_lamports * usd_per_lamport,
            "liquidity_usd": pool.real_sol_lamports * usd_per_lamport,
            "sol_lamports": sol_lamports,
            "token_raw": token_raw,
            "pool_sol_lamports": pool.sol_lamports,
            "pool_token_raw": pool.token_raw,
            "real_sol_lamports": pool.real_sol_lamports,
            "real_token_raw": pool.real_token_raw,
            "trader": wallet_hash(f"synthetic wallet {int(self._rng.integers(2000))}"),
            "protocol_fee_bps": pool.fees_bps[0],
            "creator_fee_bps": pool.fees_bps[1],
        }

    def _message(self, now_s: float, kind: str, token: _Token | None) -> dict[str, Any]:
        ts = START_TS + int(now_s * NS_PER_S)
        message = {
            "ts": ts,
            "kind": kind,
            "venue": "",
            "side": "",
            "slot": int(now_s / 0.3),
            "sol_usd": self._sol_usd,
        }
        if token is not None:
            message |= {"mint": token.mint, "venue": "pump_curve"}
        return message
