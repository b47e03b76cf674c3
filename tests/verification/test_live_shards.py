"""A live account with arenas of their own: rederived after kills and losses, and the same books as with one arena."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
import sqlalchemy as sa

from memesnipe.engine.orders import Order
from memesnipe.protocol.account import Account
from memesnipe.protocol.commands import CommandName
from memesnipe.protocol.messages import ExecutionReport
from memesnipe.roles.desk import DeskRole
from memesnipe.roles.market_data import MarketData
from memesnipe.storage.schema import OrderRow
from memesnipe.verification.audit import compare, read_run
from memesnipe.verification.decisions import compare_decisions, read_decisions
from tests.execution.scripted_chain import ScriptedChain
from tests.verification.small_run import SmallRuns
from tests.verification.test_audit import Recorded
from tests.verification.test_live_account import assert_no_order_lost_or_doubled, assert_rederived, live_runs
from tests.verification.test_promotion_by_evidence import Run, recorded, rhythm_runs

pytestmark = pytest.mark.timeout(600)
DESK, ARENA = 1, 5  # among the roles
# The chain below reports one decision late: decisions are frequent, and what differs from the simulation ends nothing.
SETTINGS = {
    "rebalance_interval_secs": 10, "max_parity_error_bps": 1_000_000, "max_parity_error_bps_for_live": 1_000_000,
}  # fmt: skip


def test_a_live_account_is_rederived_although_desk_and_arenas_are_killed(
    tmp_path: Path, database: sa.Engine, empty_redis: Callable[[], str], as_operator: Callable[[str], str]
) -> None:
    url = empty_redis()
    with live_runs(tmp_path, database, url, as_operator(url), arenas=2) as (made, run):
        run_id = run(*(lambda i=i: made.kill(i) for i in (DESK, ARENA, ARENA + 1, DESK)))  # type: ignore[misc]
        with database.connect() as connection:
            found = Recorded(run_id, made.event_log(run_id), connection)
            assert_rederived(found)
            assert_no_order_lost_or_doubled(made, found)


@dataclass
class ChainAtDecisions(ScriptedChain):
    """A chain that reports where a decision is due, on orders that were made before the decision before it.

    What it reports, and after which event, then does not depend on the steps in which a desk advances.
    """

    runs: SmallRuns | None = None
    decision: int = 0

    def submit(self, order_id: str, order: Order) -> None:
        self.now = order.decided_seq
        super().submit(order_id, order)

    def cancel(self, order_id: str) -> None:
        self.now = self.decision
        super().cancel(order_id)

    def poll(self) -> list[ExecutionReport]:
        assert self.runs is not None
        market_data, desk = self.runs.roles[0], self.runs.roles[DESK]
        assert isinstance(market_data, MarketData)
        assert isinstance(desk, DeskRole)
        due = market_data.cursor.decision_seq
        if due == self.decision or desk.desks[Account.LIVE].state.market_state.last_seq != due:
            return []
        self.now, self.decision = self.decision, due
        return super().poll()


FLATTENED = {0.7: (CommandName.FLATTEN, ""), 0.75: (CommandName.RISK_RESET, "")}


def kills(made: SmallRuns) -> list[Callable[[], None]]:
    """Return kills of the desk and of arenas, none where the executor has the only arena."""
    killed = [DESK, *(ARENA + i % made.arenas for i in range(3)), DESK] if made.arenas else []
    return [lambda i=i: made.kill(i) for i in killed]  # type: ignore[misc]


def assert_same_books(database: sa.Engine, run_id: int, expected: int) -> None:
    with database.connect() as connection:
        assert list(compare(read_run(connection, run_id).records, read_run(connection, expected).records)) == []
        decisions = read_decisions(connection, run_id), read_decisions(connection, expected)
        assert list(compare_decisions(*decisions)) == []


@pytest.mark.parametrize("numbers", [(2,), pytest.param((2, 3), marks=pytest.mark.long)])
def test_the_books_of_both_accounts_do_not_depend_on_the_number_of_arenas(
    numbers: tuple[int, ...],
    tmp_path: Path,
    database: sa.Engine,
    empty_redis: Callable[[], str],
    as_operator: Callable[[str], str],
) -> None:
    def run(arenas: int) -> int:
        home, url, chain = tmp_path / str(arenas), empty_redis(), ChainAtDecisions()
        home.mkdir()
        given = {"arenas": arenas, "chain": chain, "commands": FLATTENED, "losses": 0}
        with live_runs(home, database, url, as_operator(url), **given) as (made, made_run):
            chain.runs = made
            run_id = made_run(*kills(made))
            with database.connect() as connection:
                found = Recorded(run_id, made.event_log(run_id), connection)
                assert_rederived(found)
                assert_no_order_lost_or_doubled(made, found, is_repeated=arenas > 0)
                assert "flatten" in {
                    *connection.scalars(
                        sa.select(OrderRow.reason).where(OrderRow.run_id == run_id, OrderRow.account == "live")
                    )
                }
            return run_id

    one = run(0)
    for arenas in numbers:
        assert_same_books(database, run(arenas), one)


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_promotions_by_evidence_and_their_books_do_not_depend_on_the_number_of_arenas(
    tmp_path: Path, database: sa.Engine, empty_redis: Callable[[], str], as_operator: Callable[[str], str]
) -> None:
    def run(arenas: int) -> tuple[int, Run]:
        home, url, chain = tmp_path / str(arenas), empty_redis(), ChainAtDecisions()
        home.mkdir()
        given = {"arenas": arenas, "commands": FLATTENED, "changes": SETTINGS}
        with rhythm_runs(home, database, url, as_operator(url), chain, **given) as made:
            chain.runs = made
            run_id = made.run(f"replay:{arenas}", lambda _: None, kills(made))
            return run_id, recorded(run_id, made.event_log(run_id), database, home / "mine")

    one, expected = run(0)
    assert expected.differences == []
    assert expected.promoted
    assert sum(order.account == "live" and order.status in ("landed", "reconciled") for order in expected.orders) >= 3
    for arenas in (2, 3):
        run_id, found = run(arenas)
        assert found.differences == [], arenas
        assert_same_books(database, run_id, one)
