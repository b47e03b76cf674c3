"""A run with live trading switched on promotes to live, by itself, only the strategies whose evidence suffices."""

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest
import redis
import sqlalchemy as sa

from memesnipe.solana.wallet import make_wallet
from memesnipe.storage.schema import LifecycleRow, OrderRow, StrategyRow
from memesnipe.verification.audit import contradictions, read_run
from memesnipe.verification.conditions import audit_of, settings_of
from tests.execution.scripted_chain import ScriptedChain
from tests.verification.rhythm_market import rhythm_tape, write_strategies
from tests.verification.small_run import SmallRuns, families_in, small_runs

pytestmark = pytest.mark.timeout(600)

# The gates, alpha and demotion are the defaults, except for the time on paper and the limit of fills: the market has
# forty minutes, and what the scripted chain pays for is a fifth less than simulated.
SETTINGS: dict[str, Any] = {
    "population_size": 24, "first_population_size": 24, "specs_per_generation": 12,
    "generation_interval_secs": 300, "min_observation_secs": 60, "min_observation_secs_for_live": 200,
    "min_trades_for_live": 20, "min_compared_fills_for_live": 5,
    "max_parity_error_bps": 5_000, "max_parity_error_bps_for_live": 5_000,
    "min_trades_for_promotion": 3, "min_sharpe_for_promotion": 0.5, "max_drawdown_for_promotion": 0.3,
    "probation_capital_usd": 5, "max_token_exposure_usd": 100_000,
    "portfolio_stop_loss_percent": 50, "trailing_stop_loss_percent": 50,
    "min_expected_return": 0.0, "min_sharpe_to_stay": 0.0, "demotion_evidence": 20,
}  # fmt: skip


LIVE_ALPHA = 0.01  # the default
# The threshold of live trading is 1 / (alpha k w) for the k-th of the strategies with a weight w.
REASON = re.compile(r"evidence ([0-9.,e+]+) of ([0-9.,e+]+), (\d+) round trips")


@dataclass(frozen=True)
class Run:
    """What a finished run has recorded, and how that differs from what is derived again."""

    steps: list[Any]  # of the lifecycle, in order
    strategies: list[Any]
    orders: list[Any]
    differences: list[str]

    @property
    def promoted(self) -> dict[str, Any]:
        """The step to live mode of each strategy that made it."""
        return {step.spec_id: step for step in self.steps if step.to_mode == "live"}


@contextmanager
def rhythm_runs(
    home: Path, database: sa.Engine, url: str, operator_url: str, chain: ScriptedChain,
    changes: Mapping[str, Any] = MappingProxyType({}), **given: Any,
) -> Iterator[SmallRuns]:  # fmt: skip
    """Yield runs of the market with live trading switched on, and with changes of the settings."""
    write_strategies(home / "mine")
    make_wallet(home / "wallet.json")
    switches = {
        "live_trading_enabled": True, "paper_trading_mode": False, "wallet_keypair_filename": home / "wallet.json",
        "strategy_path": str(home / "mine"),
    }  # fmt: skip
    given = {"commands": {}, "settings": SETTINGS | switches | changes, "market": rhythm_tape()} | given
    with (
        small_runs(home, database, url, chain=chain, **given) as made,
        redis.Redis.from_url(operator_url) as operator,
    ):
        operator.flushdb()
        yield made


@pytest.fixture(scope="module")
def run(
    tmp_path_factory: pytest.TempPathFactory, database: sa.Engine, redis_url: str, as_operator: Callable[[str], str]
) -> Run:
    url = redis_url.removesuffix("/0") + "/6"
    home = tmp_path_factory.mktemp("home")
    with rhythm_runs(home, database, url, as_operator(url), ScriptedChain()) as made:
        run_id = made.run("replay:rhythm", lambda _: None)
        return recorded(run_id, made.event_log(run_id), database, home / "mine")


def recorded(run_id: int, event_log: Path, database: sa.Engine, strategies: Path) -> Run:
    with database.connect() as connection:

        def rows(table: type[Any], *order: Any) -> list[Any]:
            return list(connection.execute(sa.select(table).where(table.run_id == run_id).order_by(*order)))

        found = read_run(connection, run_id)
        audit = audit_of(found, event_log, settings_of(found), families_in(strategies))
        for _ in audit.derive():
            pass
        differences = [*contradictions(connection, run_id, found, event_log), *audit.differences()]
        return Run(rows(LifecycleRow, LifecycleRow.number), rows(StrategyRow), rows(OrderRow), differences)


def test_evidence_on_paper_leads_to_live(run: Run) -> None:
    assert len(run.promoted) >= 3
    for step in run.promoted.values():
        found = REASON.match(step.reason)
        assert found, step.reason
        evidence, threshold, round_trips = (float(text.replace(",", "")) for text in found.groups())
        assert evidence >= threshold >= 1 / LIVE_ALPHA, step.reason
        assert round_trips >= SETTINGS["min_trades_for_live"]
        on_paper = next(one for one in run.steps if one.spec_id == step.spec_id and one.to_mode == "paper")
        assert on_paper.seq < step.seq
    assert {one.to_mode for one in run.steps if one.from_mode == "simulating"} == {"paper"}, "no mode is skipped"


def test_a_promoted_strategy_trades_live_afterwards_and_nobody_else(run: Run) -> None:
    live = [order for order in run.orders if order.account == "live"]
    assert sum(order.status in ("landed", "reconciled") for order in live) >= 3
    assert all(order.decided_seq > run.promoted[order.spec_id].seq for order in live)


def test_a_strategy_without_evidence_is_never_live(run: Run) -> None:
    """Those that trade without profit are among them, and so are profitable ones with too few round trips."""
    others = [one for one in run.strategies if one.spec_id not in run.promoted and one.evidence]
    assert any(one.evidence["round_trips"] >= 20 and one.evidence["mean_return"] < 0.0 for one in others)
    assert any(one.evidence["round_trips"] < 20 and one.evidence["mean_return"] > 0.2 for one in others)
    lacking = [one for one in run.strategies if one.evidence and one.evidence["mean_return"] <= 0.0]
    assert not {one.spec_id for one in lacking} & run.promoted.keys()


def test_the_run_is_rederived(run: Run) -> None:
    assert run.differences == []
