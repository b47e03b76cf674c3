"""A real browser for the tests of the page, and a run with something of everything to look at."""

import os
import shutil
from pathlib import Path
from typing import Any

import numpy as np

from memesnipe.market import events as e
from memesnipe.storage import schema, schema_control
from memesnipe.storage.event_log import EventLog
from memesnipe.storage.schema_verdicts import TokenVerdictRow

SOL = 1_000_000_000
HOUR_NS = 3_600 * SOL
CHROMIUM = next(filter(None, (shutil.which(name) for name in ("chromium", "chromium-browser", "google-chrome"))), None)
FLAGS = [
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
]
# Where screenshots of every view are kept, if they are wanted.
SCREENSHOTS = os.environ.get("PAGE_SCREENSHOTS")

EVIDENCE = {
    **{"e_value": 3.2, "threshold": 400.0, "is_proven": False, "round_trips": 12, "mean_return": 0.02},
    **{"expected_return": 0.013, "deviation": 0.005, "trades_needed": 262.4, "weight": 0.1},
}
RESULT = {
    **{"total_return": 0.125, "total_pnl_usd": 125.0, "sharpe": 1.5, "sortino": 2.5, "calmar": 3.0, "trades": 7},
    **{"max_drawdown": 0.04, "orders": 15, "failed": 1, "wins": 4, "win_rate": 0.57, "mean_hold_s": 95.0},
    **{"profit_factor": 1.8, "expectancy_usd": 17.9, "fees_usd": 3.1, "observed_s": 7_200.0},
}
MINT = "MintOfATokenThatIsLong"


# Address of each view, and a text that shows that its data has come.
VIEWS = {
    "overview": ("", "$1,067.00"),
    "strategies": ("strategies", "5 strategies"),
    "strategy": ("strategies/spec0", "bred in generation 1"),
    "compare": ("compare/spec0,spec1,spec2", "Deflated Sharpe"),
    "evolution": ("evolution", "Evaluations per second"),
    "lineage": ("evolution/child", "descends from 3 genomes"),
    "market": ("market", "30 tokens"),
    "token": (f"market/{MINT}", "unsafe"),
    "trades": ("trades", "25 trades"),
    "positions": ("trades/positions", "+0.500"),
    "refusals": ("trades/refusals", "1 refusal"),
    "periods": ("trades/periods", "1970-01-05"),
    "system": ("system", "INITIAL_CAPITAL_USD"),
}


def expect_text(page: Any, element: str, text: Any) -> None:
    """Wait until an element contains a text."""
    from playwright.sync_api import expect

    expect(page.locator(f"#{element}")).to_contain_text(text)


def genome(*families: str) -> dict[str, Any]:
    """Return a genome as it is stored."""
    signals = [{"family": family, "params": {"lookback_s": 300.0}, "weight": 0.75} for family in families]
    exits = {"stop_loss": 0.2, "take_profit": 0.5, "trailing_stop": 0.1, "max_hold_s": 600.0}
    return {"signals": signals, "exits": exits, "size": 0.1, "threshold": 0.5, "filters": {}}


def insert_everything(insert, folder: Path, run_id: int) -> None:
    """Insert strategies, trades, positions, generations, marks, refusals and an event log."""
    for number in range(48):
        wave = 1000.0 + 20.0 * np.sin(number / 6) + number
        mark = {"seq": number, "ts": number * 6 * HOUR_NS, "equity_usd": float(wave), "equity_lamports": 10 * SOL}
        insert(schema.EquityRow, **mark, cash_usd=900.0, drawdown=0.01)
    insert(schema.BreakerRow, level="normal", drawdown=0.009)
    insert(schema.FeedCursorRow, seq=2_000, rejected=3, rejected_because={"late": 3})
    insert(schema.StreamOffsetRow, actor="executor", stream="events", consumed=2_000)
    for number, mode in enumerate(("paper", "paper", "simulating", "simulating", "retired")):
        row = {"spec_id": f"spec{number}", "mode": mode, "genome": genome("momentum_5m"), "result": RESULT}
        capital = {"allocation_usd": 80.0 if mode == "paper" else 0.0, "parity_fills": 9, "parity_bps": 41.7}
        insert(schema.StrategyRow, **row, **capital, evidence=EVIDENCE if mode != "retired" else None)
    steps = ("", "simulating", "bred in generation 1"), ("simulating", "paper", "it was good")
    for number, (before, after, reason) in enumerate(steps, 1):
        names = {"spec_id": "spec0", "from_mode": before, "to_mode": after, "reason": reason}
        insert(schema.LifecycleRow, number=number, seq=number, **names)
    insert(schema.AllocationRow, spec_id="spec0", allocation_usd=80.0)
    for token in range(30):
        insert(schema.TokenRow, token=token, mint=f"{MINT}{token or ''}")
    names = {"spec_id": "spec0", "mint": MINT, "status": "PAPER", "reason": "signal", "account": "paper"}
    for number in range(24):
        side, sol = ("sell", 1.0 + 0.02 * (number % 5)) if number % 2 else ("buy", 1.0)
        at = {"ts": number * HOUR_NS // 4, "seq": 10 * number, "sol_lamports": int(sol * SOL)}
        insert(schema.TradeRow, order_id=f"spec0/{number}", side=side, **names, **at, value_usd=200.0)
    failed = {"failure": '{"InstructionError":[4,{"Custom":6003}]}', "network_fee_lamports": 5_000, "ts": 6 * HOUR_NS}
    insert(
        schema.TradeRow,
        order_id="live-spec0/1",
        side="sell",
        **names | {"status": "FAILED", "account": "live"},
        **failed,
    )
    reasons = [{"check": "sale", "detail": 'bought through pumpfun, it cannot be sold: "AccountNotFound"'}]
    sources = {"mint": "checked", "sale": "checked", "rugcheck": "no answer"}
    insert(TokenVerdictRow, mint=MINT, ts=6 * HOUR_NS, reasons=reasons, sources=sources)
    insert(TokenVerdictRow, mint=MINT, ts=5 * HOUR_NS, safe=True, reasons=[], sources=sources)
    money = {"cost_lamports": SOL, "value_lamports": SOL * 3 // 2, "realised_lamports": SOL // 10}
    insert(schema.PositionRow, spec_id="spec0", token=0, mint=MINT, token_raw=5, **money)
    refused = {"order_id": "spec0-1", "spec_id": "spec0", "reason": "stale_data", "detail": "7 s old"}
    insert(schema_control.RefusalRow, seq=1, mint=MINT, side="buy", **refused)
    for number in range(6):
        fitness = {"best_fitness": 1.0 + number, "median_fitness": 0.2 * number, "evaluations": 50, "seconds": 2.0}
        bar = {"trials": 50 * (number + 1), "best_sharpe": 8.0 + 3 * number, "luck_sharpe": 10.0 + number, "pbo": 0.4}
        skill = {"best_skill": 0.5 + 0.08 * number, "needed_skill": 0.95} if number else {"needed_skill": 0.95}
        insert(schema.GenerationRow, index=number, **fitness, proposed=number % 2, reason="", **bar, **skill)
    _insert_search(insert)
    _write_log(folder / f"{run_id}.bin")


def _insert_search(insert: Any) -> None:
    """Insert genomes with their origins: spec0 is a crossover of two genomes of the first generation."""
    bred = (
        (0, "mother", "momentum_5m", "random", []),
        (0, "father", "social_buzz", "random", []),
        (1, "spec0", "momentum_5m+social_buzz", "crossover", ["mother", "father"]),
        (2, "spec0", "momentum_5m+social_buzz", "kept", []),
        (2, "child", "momentum_5m", "mutation", ["spec0"]),
    )
    for generation, spec_id, mix, operator, parents in bred:
        made = {"mix": mix, "operator": operator, "parents": parents}
        insert(schema.EvaluationRow, generation=generation, spec_id=spec_id, fitness=1.2 + generation, **made)
    both = "momentum_5m+social_buzz"
    cells = (
        ("momentum_5m/0/1", -0.7, "mother"),
        ("social_buzz/1/2", 1.2, "father"),
        (f"{both}/1/2", 2.2, "spec0"),
        ("momentum_5m/4/4", 3.2, "child"),
        ("momentum_5m/2/0", -55.0, "x"),
    )
    for cell, fitness, spec_id in cells:
        insert(schema.EliteRow, cell=cell, spec_id=spec_id, fitness=fitness, generation=2)


def _write_log(path: Path) -> None:
    rng = np.random.default_rng(7)
    events = e.empty(2_000)
    events["seq"] = np.arange(1, 2_001)
    events["ts"] = np.sort(rng.integers(0, 12 * HOUR_NS, 2_000))
    events["token"], events["kind"] = rng.integers(0, 30, 2_000) * (rng.random(2_000) < 0.5), e.PRICE
    events["price_usd"] = np.exp(rng.normal(0, 0.02, 2_000).cumsum()) / 1_000
    events["volume_usd"], events["liquidity_usd"] = rng.integers(1, 500, 2_000), 9_000.0
    log = EventLog(path)
    log.append(events)
    log.close()
