"""A flatten sells every position, refuses entries, tries failed sales again, and yields to a halt."""

from dataclasses import replace

import pytest

from memesnipe.engine.genome import Genome
from memesnipe.engine.orders import Order
from memesnipe.market.events import Events
from memesnipe.protocol.account import Account
from memesnipe.protocol.commands import CommandName
from memesnipe.protocol.messages import CommandMessage
from memesnipe.trading.breaker import RiskLevel
from memesnipe.trading.execution import Execution, local_execution
from memesnipe.trading.gate import Limits
from tests.payloads import allocations
from tests.support import FAMILIES, NO_STOPS, SURE, Market, genome

PAPER = Account.PAPER
LATER = (10.0, 20.0, 30.0, 40.0)  # of trades of token A after the purchase


def _execution(genomes: list[Genome], landing: float = 1.0, seed: int = 0) -> Execution:
    model = SURE._replace(landing_max=landing, seed=seed)
    made = local_execution(
        FAMILIES,
        model,
        shadow_capital_usd=1000.0,
        limits={PAPER: Limits(1e9)},
        policies={PAPER: replace(NO_STOPS, capital_usd=10_000.0)},
    )
    made.apply(allocations(genomes, usd={one.spec_id: 1000.0 for one in genomes}))
    return made


def _events() -> Events:
    market = Market().trade(1).talk(5)
    for ts in LATER:
        market.trade(ts, sol=0.001)
    return market.events()


def _command(name: str, account: str = "") -> CommandMessage:
    return CommandMessage(seq=1, command_id=1, name=CommandName(name), spec_id="", reason="", account=account)


def _advance(execution: Execution, events: Events) -> list[Order]:
    return [order for step in execution.advance(events) for order in step.orders]


@pytest.fixture
def holding() -> Execution:
    """An execution whose strategy holds token A after the second event."""
    execution = _execution([genome("buy_once", size=0.5)])
    _advance(execution, _events()[:2])
    assert execution.accounts[PAPER].desk.state.held()
    return execution


def test_everything_is_sold_at_once_and_nothing_is_bought_until_a_reset(holding: Execution) -> None:
    desk = holding.accounts[PAPER].desk
    (step,) = holding.apply(_command("flatten"))
    assert [order.reason for order in step.orders] == ["flatten"]
    assert desk.state.halted
    assert _advance(holding, _events()[2:]) == [], "there is one order for the position"
    assert desk.state.held() == []
    holding.apply(_command("risk_reset"))
    assert not desk.state.halted and not desk.state.flattening


@pytest.mark.parametrize("before", ["halt", "emergency", "critical"])
def test_it_sells_also_where_trading_is_halted(holding: Execution, before: str) -> None:
    desk = holding.accounts[PAPER].desk
    if before == "halt":
        holding.apply(_command("halt"))
    else:
        desk.state.ledger.breaker.level = RiskLevel(before)
    (step,) = holding.apply(_command("flatten"))
    assert [order.reason for order in step.orders] == ["flatten"]
    _advance(holding, _events()[2:])
    assert desk.state.held() == []


def test_a_halt_after_it_stops_the_sales_too(holding: Execution) -> None:
    desk = holding.accounts[PAPER].desk
    (sold,) = holding.apply(_command("flatten"))
    (halted,) = holding.apply(_command("halt"))
    assert halted.cancelled == sold.orders
    assert _advance(holding, _events()[2:]) == []
    assert desk.state.held()


def test_a_sale_that_does_not_land_is_sent_again_at_the_next_event_of_its_token() -> None:
    sent = set()
    for seed in range(30):
        execution = _execution([genome("buy_once", size=0.5)], landing=0.6, seed=seed)
        desk = execution.accounts[PAPER].desk
        _advance(execution, _events()[:2])
        if not desk.state.held():
            continue  # the purchase did not land
        orders = list(execution.apply(_command("flatten"))[0].orders) + _advance(execution, _events()[2:])
        assert {order.reason for order in orders} == {"flatten"}
        sent.add(len(orders))
    assert {1, 2, 3} <= sent


def test_an_entry_on_the_way_is_cancelled_and_no_entry_follows() -> None:
    execution = _execution([genome("flip", size=0.5)])
    events = Market().trade(1).trade(2, sol=1.0).trade(10, sol=-0.8).trade(20, sol=1.0).events()
    bought = _advance(execution, events[:2])
    assert [order.reason for order in bought] == ["signal"]
    (step,) = execution.apply(_command("flatten"))
    assert (step.cancelled, step.orders) == (bought[-1:], [])
    steps = list(execution.advance(events[2:]))
    assert [order for each in steps for order in each.orders] == []
    assert {refused.reason for each in steps for refused in each.refused} <= {"halted"}


def test_it_concerns_one_account(holding: Execution) -> None:
    assert holding.apply(_command("flatten", "live")) == []
    assert holding.accounts[PAPER].desk.state.held()
    (step,) = holding.apply(_command("flatten", "paper"))
    assert len(step.orders) == 1
