"""A run with both accounts at once, the live one on a scripted chain: rederived, and changes are named."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import redis
import sqlalchemy as sa

import memesnipe.roles.portfolio
import memesnipe.trading.capital
import memesnipe.trading.portfolio
from memesnipe.protocol.commands import CommandName
from memesnipe.protocol.order_status import OrderStatus
from memesnipe.protocol.streams import CONTROLS
from memesnipe.stats.shrinkage import Shrunk
from memesnipe.trading.allocation import Caps, Share
from memesnipe.trading.lifecycle import Switches
from memesnipe.trading.standing import Standings, standings
from tests.execution.scripted_chain import ScriptedChain
from tests.verification.small_run import LIVE_LAMPORTS, SmallRuns, small_runs
from tests.verification.test_audit import Recorded, named

pytestmark = pytest.mark.timeout(600)

# Strategies trade on paper and with real money after one simulated round trip, whatever their record.
LENIENT = {
    "population_size": 60,
    "first_population_size": 60,
    "specs_per_generation": 40,
    "min_trades_for_live": 1,
    "min_sharpe_for_live": -1000,
    "min_deflated_sharpe_for_live": 0,
    "min_observation_secs_for_live": 0,
    "min_compared_fills_for_live": 0,
    "max_drawdown_for_live": 1,
    "max_parity_error_bps_for_live": 1_000_000,
    "min_sharpe_to_stay": -1000,
    "probation_capital_usd": 0.01,
}
COMMANDS = {
    0.6: (CommandName.DEMOTE, "live"),
    0.65: (CommandName.CLOSE, "live"),
    0.8: (CommandName.HALT, ""),
    0.85: (CommandName.RISK_RESET, ""),
}

Fault = Callable[[], object]
LiveRuns = tuple[SmallRuns, Callable[..., int]]  # the function takes more faults, and returns the number of the run


def _equal(
    shares: Sequence[Share], _estimates: Shrunk, equity_usd: float, _caps: Caps, _investable: float
) -> list[float]:
    return [round(0.1 * equity_usd, 2)] * len(shares)


def _proven(*given: Any) -> Standings:
    """Return the standings as if the evidence of each strategy sufficed for live mode: that takes a thousand trades."""
    found = standings(*given)
    columns = found.columns | {"is_proven_for_live": np.ones(len(found.shrunk.means), np.bool_)}
    return replace(found, columns=columns)


@contextmanager
def live_runs(
    home: Path, database: sa.Engine, url: str, operator_url: str, losses: int = 5, **given: Any
) -> Iterator[LiveRuns]:
    """Yield a function that makes a run with both accounts; its executor is replaced after entries were lost."""
    given = {"chain": ScriptedChain(), "commands": COMMANDS, "settings": LENIENT} | given
    with (
        pytest.MonkeyPatch.context() as patch,
        small_runs(home, database, url, **given) as made,
        redis.Redis.from_url(operator_url) as operator,
    ):
        patch.setattr(memesnipe.roles.portfolio, "switches_of", lambda *_, **__: Switches(True, True, True, True))
        patch.setattr(memesnipe.trading.capital, "allocate", _equal)
        patch.setattr(memesnipe.trading.portfolio, "standings", _proven)

        def look(run_id: int) -> None:
            with database.connect() as connection:
                assert Recorded(run_id, made.event_log(run_id), connection).differences() == []

        operator.flushdb()  # other tests of the worker use the same database
        loss: Fault = lambda: operator.delete("execution_reports", "events:price")  # noqa: E731
        yield made, lambda *more: made.run("replay:live", look, [*more, *[loss] * losses])


@pytest.fixture(scope="module")
def live_run(
    tmp_path_factory: pytest.TempPathFactory,
    database: sa.Engine,
    empty_redis: Callable[[], str],
    as_operator: Callable[[str], str],
) -> Iterator[tuple[SmallRuns, int]]:
    """A finished run."""
    url = empty_redis()
    with live_runs(tmp_path_factory.mktemp("home"), database, url, as_operator(url)) as (made, run):
        yield made, run()


@pytest.fixture
def run(live_run: tuple[SmallRuns, int], database: sa.Engine) -> Iterator[Recorded]:
    small, run_id = live_run
    with database.connect() as connection:
        yield Recorded(run_id, small.event_log(run_id), connection)
        connection.rollback()


def _values(run: Recorded, sql: str) -> list[object]:
    return list(run.connection.scalars(sa.text(sql), {"r": run.run_id}))


def test_a_run_with_both_accounts_is_rederived_record_by_record(run: Recorded) -> None:
    assert_rederived(run)


def assert_rederived(run: Recorded) -> None:
    """Compare what both accounts have recorded with what follows from events and controls; both have traded."""
    assert run.differences() == []
    for table in ("orders", "trades", "positions", "equity", "breaker"):
        found = _values(run, f"SELECT DISTINCT account FROM {table} WHERE run_id = :r ORDER BY account DESC")
        assert found == ["paper", "live"], table
    assert {*_values(run, "SELECT DISTINCT stream FROM controls WHERE run_id = :r")} == {*CONTROLS}
    statuses = _values(run, "SELECT DISTINCT status FROM orders WHERE run_id = :r AND account = 'live'")
    assert {*statuses} >= {OrderStatus.RECONCILED, OrderStatus.FAILED, OrderStatus.LANDED}


def test_a_lost_executor_loses_and_doubles_no_order(live_run: tuple[SmallRuns, int], run: Recorded) -> None:
    assert_no_order_lost_or_doubled(live_run[0], run)


def assert_no_order_lost_or_doubled(small: SmallRuns, run: Recorded, *, is_repeated: bool = True) -> None:
    """Compare the recorded orders with those of the chain, to which a new executor has submitted some once more."""
    assert small.chain is not None
    recorded = _values(run, "SELECT order_id FROM orders WHERE run_id = :r AND account = 'live'")
    assert {*small.chain.accepted} == {*recorded}
    assert len(small.chain.submissions) > len(recorded) or not is_repeated, "no order was submitted again"


def test_the_accounts_have_their_own_capital(run: Recorded) -> None:
    first = "SELECT equity_lamports FROM equity WHERE run_id = :r AND account = '{}' ORDER BY seq LIMIT 1"
    assert _values(run, first.format("live")) == [LIVE_LAMPORTS]
    assert _values(run, first.format("paper")) != [LIVE_LAMPORTS]
    paid = "SELECT max(budget_lamports) FROM orders WHERE run_id = :r AND account = 'live'"
    assert _values(run, paid)[0] < 10_000_000  # type: ignore[operator]


def test_live_fills_have_a_parity_error(run: Recorded) -> None:
    compared = "SELECT count(parity_bps) FROM trades WHERE run_id = :r AND account = 'live'"
    assert _values(run, compared)[0]


REPORT = "run_id = :r AND stream = 'execution_reports' AND payload LIKE '%\"status\":\"landed\"%'"


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (f"UPDATE messages SET payload = regexp_replace(payload, '\"sol_lamports\":[0-9]+', '\"sol_lamports\"\\:7') "
         f"WHERE {REPORT}", "sol_lamports is recorded"),
        (f"UPDATE messages SET payload = replace(payload, '\"landed\"', '\"expired\"') WHERE {REPORT}",
         "contradicts the status expired"),
        (f"UPDATE messages SET payload = replace(payload, '\"live\"', '\"paper\"') WHERE {REPORT}",
         "cannot be rederived to its end"),
        ("UPDATE trades SET token_raw = token_raw + 1 WHERE run_id = :r AND account = 'live' AND failure = ''",
         "trades live-"),
        ("UPDATE trades SET account = 'x' WHERE run_id = :r AND account = 'live'", "account is recorded as 'x'"),
        ("UPDATE trades SET parity_bps = 1 WHERE run_id = :r AND account = 'live'", "parity_bps is recorded as 1.0"),
        ("UPDATE equity SET account = 'x' WHERE run_id = :r AND account = 'live'", "equity live/"),
        ("UPDATE breaker SET peak_lamports = 1 WHERE run_id = :r AND account = 'live'", "breaker live: peak_lamports"),
        ("UPDATE runs SET settings = settings - 'live_capital_lamports' WHERE run_id = :r", "cannot be rederived"),
    ],
    ids=lambda text: text[:60],
)  # fmt: skip
def test_a_changed_report_fill_or_account_is_named(run: Recorded, change: str, expected: str) -> None:
    run.change(change)
    assert named(run.differences(), expected)
