"""Shared fixtures of the core's tests: a small manual market, simple strategies, and genomes for them."""

import math
from dataclasses import astuple, fields, replace
from functools import lru_cache
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import orjson
import pytest

from memesnipe.engine.engine import Engine
from memesnipe.engine.figures import FIGURES
from memesnipe.engine.fills import FillModel
from memesnipe.engine.genome import ExitGenes, FilterGenes, Genome, SignalGene
from memesnipe.engine.orders import Fill
from memesnipe.engine.snapshot import EngineState
from memesnipe.engine.strategy_evidence import StrategyEvidence
from memesnipe.engine.strategy_result import StrategyResult
from memesnipe.feeds.synthetic.feed import SyntheticFeed
from memesnipe.market.events import LAMPORTS_PER_SOL, NS_PER_S, PUMP_CURVE, Events, rows
from memesnipe.market.pools import Pool, moved, quote_buy, quote_sell
from memesnipe.market.sequencer import Sequencer
from memesnipe.protocol.strategy_columns import StrategyColumns
from memesnipe.sdk import BUY, HOLD, PRICE, SELL, SOCIAL, Strategy, ema, param, state
from memesnipe.sdk.registry import Families
from memesnipe.storage.snapshot_file import SnapshotPart, SnapshotWriter, read_snapshot
from memesnipe.tapes.importer import import_swaps
from memesnipe.trading.desk import Desk
from memesnipe.trading.ledger import LedgerPolicy

SOL_USD = 200.0
START_TS = 1_700_000_040 * NS_PER_S  # the start of a minute
SURE = FillModel(landing_max=1.0, landing_half_lamports=0, slippage_bps=9_999)
CURVE = Pool(
    PUMP_CURVE,
    40 * LAMPORTS_PER_SOL,
    804_750_000_000_000,
    10 * LAMPORTS_PER_SOL,
    524_850_000_000_000,
    10**15,
    0,
    95,
    30,
)
TRADES = Path(__file__).resolve().parents[2] / "shared/data/pump_curve_trades.csv.gz"


def state_bytes(state: EngineState) -> tuple[bytes, dict[str, bytes]]:
    """Return a state as bytes, for comparison."""
    return orjson.dumps(state.header), {name: array.tobytes() for name, array in state.arrays.items()}


def columns_of(results: list[StrategyResult], evidence: dict[str, StrategyEvidence]) -> StrategyColumns:
    """Return results and evidence of strategies as columns."""
    figures = np.zeros(len(results), FIGURES)
    for row, one in enumerate(results):
        _, *result, digest = astuple(one)
        figures[row] = (*result, int(digest or "0", 16), *astuple(evidence[one.spec_id]))
    return StrategyColumns.of([one.spec_id for one in results], figures)


def saved_and_loaded(state: EngineState) -> EngineState:
    """Return a state after writing it to a file and reading it."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "engine.snapshot"
        SnapshotWriter(path).add(SnapshotPart(orjson.dumps(state.header), state.arrays), is_last=True)
        found = read_snapshot(path)
    assert found is not None
    (part,) = found
    return EngineState(orjson.loads(part.header), part.arrays)


def price_message(at_s: float, mint: str, side: str, pool: Pool, sol: int, token: int) -> dict[str, Any]:
    """Return the message of a trade that left this pool."""
    return {
        "ts": START_TS + int(at_s * NS_PER_S), "kind": "price", "mint": mint, "venue": "pump_curve", "side": side,
        "slot": int(at_s / 0.4), "sol_usd": SOL_USD,
        "price_usd": pool.sol_lamports / pool.token_raw * SOL_USD / 1000,
        "volume_usd": sol / LAMPORTS_PER_SOL * SOL_USD,
        "liquidity_usd": pool.real_sol_lamports / LAMPORTS_PER_SOL * SOL_USD,
        "sol_lamports": sol, "token_raw": token,
        "pool_sol_lamports": pool.sol_lamports, "pool_token_raw": pool.token_raw,
        "real_sol_lamports": pool.real_sol_lamports, "real_token_raw": pool.real_token_raw,
        "trader": 7, "lp_fee_bps": 0, "protocol_fee_bps": 95, "creator_fee_bps": 30, "supply_raw": 10**15,
    }  # fmt: skip


# Of an account whose positions are never stopped.
NO_STOPS = LedgerPolicy(1e8, math.inf, math.inf, SURE.dead_after_ns)


def passed(desk: Desk, events: Events) -> list[Fill]:
    """Pass events to a desk, each after the orders that arrived before it; return the outcomes of these."""
    fills: list[Fill] = []
    for event in rows(events):
        fills += desk.pass_time(event.ts)
        desk.on_event(event)
    return fills


class Market:
    """Builds a market of trades and social events on exact curves, with SOL at 200 USD."""

    def __init__(self) -> None:
        self.pools: dict[str, Pool] = {}
        self.raw: list[dict[str, Any]] = []

    def trade(self, at_s: float, mint: str = "A", sol: float = 0.001) -> "Market":
        """Add a buy for so much SOL, or a sale (below 0)."""
        pool = self.pools.get(mint, CURVE)
        lamports = int(abs(sol) * LAMPORTS_PER_SOL)
        buying = sol > 0
        quote = (
            quote_buy(pool, lamports) if buying else quote_sell(pool, lamports * pool.token_raw // pool.sol_lamports)
        )
        sign = 1 if buying else -1
        pool = self.pools[mint] = moved(pool, sign * quote.pool_sol_lamports, -sign * quote.token_raw)
        side = "buy" if buying else "sell"
        self.raw.append(price_message(at_s, mint, side, pool, quote.sol_lamports, quote.token_raw))
        return self

    def talk(self, at_s: float, mint: str = "A", sentiment: float = 0.5, mentions: float = 10.0) -> "Market":
        """Add a social event of a token."""
        fields = {"sentiment": sentiment, "mentions": mentions, "kind": "social", "mint": mint, "venue": "", "side": ""}
        self.raw.append({"ts": START_TS + int(at_s * NS_PER_S), "slot": 0, "sol_usd": SOL_USD, **fields})
        return self

    def events(self) -> Events:
        """Return all events so far, numbered."""
        events, rejected = Sequencer(60, 600).stamp(self.raw)
        assert not rejected
        return events


class Flip(Strategy):
    """Votes the side of the last trade."""

    family = "flip"
    subscriptions = (PRICE,)

    def on_event(p, s, e):
        return BUY if e.side > 0 else SELL


class BuyOnce(Strategy):
    """Votes BUY at the first trade of a token, and HOLD afterwards."""

    family = "buy_once"
    subscriptions = (PRICE,)
    seen = state("i8")

    def on_event(p, s, e):
        s.seen += 1
        return BUY if s.seen == 1 else HOLD


class Trend(Strategy):
    """Has a float and an integer of state, so that losing either changes its votes."""

    family = "trend"
    subscriptions = (PRICE, SOCIAL)
    lookback_s = param(5, 600, default=60, log=True, unit="s")
    mean = state()
    last_ts = state("i8")

    def on_event(p, s, e):
        if e.kind == SOCIAL:
            return BUY if e.sentiment > 0.2 else SELL
        before = s.mean
        s.mean = ema(s.mean, e.price_usd, e.ts - s.last_ts, p.lookback_s) if s.last_ts else e.price_usd
        s.last_ts = e.ts
        return BUY if before and e.price_usd > before else SELL


class Talk(Strategy):
    """Subscribes only to social events, so its vote stands while the token trades."""

    family = "talk"
    subscriptions = (SOCIAL,)

    def on_event(p, s, e):
        return BUY if e.sentiment > 0 else SELL


FAMILIES: Families = {cls.family: cls() for cls in (BuyOnce, Flip, Talk, Trend)}


def result(spec_id: str = "abc", **figures: Any) -> StrategyResult:
    """Return the result of a strategy; figures not given are 0."""
    zero = {f.name: "" if f.type in (str, "str") else 0 for f in fields(StrategyResult)}
    return StrategyResult(**(zero | {"spec_id": spec_id} | figures))


def genome(
    *families: str, params: dict[str, float] | None = None, size: float = 0.125, min_age_s: float = 0.0, **exits: float
) -> Genome:
    """Return a genome of these families, whose exits never trigger unless given."""
    never = {"stop_loss": 0.99, "take_profit": 1e6, "trailing_stop": 0.99, "max_hold_s": 1e6}
    return Genome(
        signals=tuple(SignalGene(name, dict(params or {}), 1.0) for name in families),
        threshold=0.5,
        size=size,
        exits=ExitGenes(**(never | exits)),
        filters=FilterGenes(0.0, min_age_s),
    )


def engine_with(*genomes: Genome, model: FillModel = SURE, capital_usd: float = 1000.0) -> Engine:
    """Return an engine with these strategies, all watched."""
    engine = Engine(FAMILIES, model, capital_usd)
    engine.add(*genomes)
    engine.watch(engine.population.spec_ids)
    return engine


def resumed(engine: Engine, model: FillModel = SURE, capital_usd: float = 1000.0) -> Engine:
    """Return a new engine, loaded from the state that the first one wrote to a file."""
    other = Engine(FAMILIES, model, capital_usd)
    other.load(saved_and_loaded(engine.dump()))
    return other


@lru_cache
def recorded_events() -> Events:
    """Return the recorded trades, read-only; skip the test without them."""
    if not TRADES.is_file():
        pytest.skip(f"the recorded trades are not at {TRADES}")
    events = import_swaps(TRADES, SOL_USD).tape.events
    events.setflags(write=False)
    return events


@lru_cache
def synthetic_events(count: int, seed: int = 1) -> Events:
    """Return the first events of the synthetic market, read-only."""
    events, rejected = Sequencer(60, 300).stamp(list(islice(SyntheticFeed(seed).messages(0), count)))
    assert not rejected
    events.setflags(write=False)
    return events


def population() -> list[Genome]:
    """Return genomes that together use every exit, several signals and conflicting votes."""
    base = genome("flip", min_age_s=5.0, size=0.25, take_profit=0.05, stop_loss=0.05, max_hold_s=40.0)
    return [
        base,
        genome("trend", params={"lookback_s": 20.0}, trailing_stop=0.03),
        genome("buy_once", max_hold_s=30.0, size=0.2),
        replace(genome("flip", "trend", max_hold_s=90.0, stop_loss=0.1), threshold=0.9),
    ]
