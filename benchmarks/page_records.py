"""A month of records for `page.py`: 5,000 strategies, what they traded, and the market's event log."""

from pathlib import Path
from typing import Any, Final

import numpy as np
import sqlalchemy as sa
from sqlalchemy import Engine

from memesnipe.market import events as e
from memesnipe.storage import schema
from memesnipe.storage.event_log import EventLog
from memesnipe.storage.runs import FINISHED

STRATEGIES: Final = 5_000
TRADING: Final = 40  # of the strategies, on paper
DAYS: Final = 30
TOKENS: Final = 50_000
EVENTS: Final = 2_000_000
MINUTES: Final = DAYS * 1_440
START_NS: Final = 1_790_000_000 * e.NS_PER_S
_SQL: Final = Path(__file__).with_suffix(".sql")
_FAMILIES: Final = ("momentum_5m", "social_buzz", "volume_surge", "mean_reversion", "sniper")


def fill(database: Engine, log_of: Any) -> int:
    """Insert a run with all its records, and write its event log; return the run's number.

    Args:
        database: migrated.
        log_of: returns the path of a run's event log.
    """
    settings = {"initial_capital_usd": 10_000.0}
    with database.begin() as connection:
        row = {"feed": "benchmark", "status": FINISHED, "options": {}, "settings": settings}
        run_id: int = connection.execute(
            sa.insert(schema.RunRow).values(row).returning(schema.RunRow.run_id)
        ).scalar_one()
        connection.execute(sa.insert(schema.StrategyRow), [_strategy(run_id, number) for number in range(STRATEGIES)])
        numbers = {
            "run": run_id, "start": START_NS, "minutes": MINUTES, "days": DAYS, "trading": TRADING,
            "strategies": STRATEGIES, "tokens": TOKENS, "events": EVENTS,
        }  # fmt: skip
        for statement in filter(str.strip, _SQL.read_text().split(";")):
            connection.execute(sa.text(statement), numbers)
    write_log(log_of(run_id))
    return run_id


def _strategy(run_id: int, number: int) -> dict[str, Any]:
    is_trading = number < TRADING
    evidence = {
        "e_value": 1.0 + number % 90, "threshold": 400.0, "is_proven": number < TRADING // 4, "round_trips": 40,
        "mean_return": 0.01, "expected_return": 0.008, "deviation": 0.004, "trades_needed": 100.0 + number,
        "weight": 1e-4,
    }  # fmt: skip
    result = {
        "total_return": (number * 37 % 400 - 200) / 1_000, "total_pnl_usd": 12.0, "sharpe": 1.2, "sortino": 1.9,
        "calmar": 2.0, "trades": number % 300, "max_drawdown": 0.08, "orders": 90, "failed": 3, "wins": 30,
        "win_rate": 0.5, "mean_hold_s": 95.0, "profit_factor": 1.3, "expectancy_usd": 0.2, "fees_usd": 4.0,
        "observed_s": 2_592_000.0,
    }  # fmt: skip
    signals = [
        {"family": _FAMILIES[(number + i) % len(_FAMILIES)], "params": {"lookback_s": 60.0 + number}, "weight": 0.5}
        for i in range(1 + number % 3)
    ]
    exits = {"stop_loss": 0.1, "take_profit": 0.4, "trailing_stop": 0.2, "max_hold_s": 600.0}
    filters = {"min_liquidity_usd": 500.0, "min_age_s": 30.0}
    return {
        "run_id": run_id, "spec_id": f"s{number:05}", "generation": number // 7, "since_seq": number,
        "mode": "paper" if is_trading else "retired" if number % 5 == 0 else "simulating",
        "genome": {"signals": signals, "threshold": 0.5, "size": 0.1, "exits": exits, "filters": filters},
        "allocation_usd": 80.0 if is_trading else 0.0, "result": result, "parity_bps": 40.0, "parity_fills": 9,
        "deflated_sharpe": 0.7, "evidence": evidence,
    }  # fmt: skip


def write_log(path: Path) -> None:
    """Write the event log: trades of all tokens, spread over the month."""
    rng = np.random.default_rng(24)
    found = e.empty(EVENTS)
    found["seq"] = np.arange(1, EVENTS + 1)
    found["ts"] = START_NS + np.sort(rng.integers(0, DAYS * 86_400, EVENTS)) * e.NS_PER_S
    found["kind"] = e.PRICE
    found["token"] = np.minimum(rng.zipf(1.3, EVENTS) - 1, TOKENS - 1)
    found["price_usd"] = 1e-5 * np.exp(0.1 * rng.standard_normal(EVENTS))
    found["volume_usd"], found["liquidity_usd"] = rng.integers(1, 900, EVENTS), 9_000.0
    path.parent.mkdir(parents=True, exist_ok=True)
    log = EventLog(path)
    log.append(found)
    log.close()
