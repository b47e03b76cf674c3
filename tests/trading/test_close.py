"""A close sells one position, tries a failed sale again, and leaves everything else as it is."""

import pytest

from memesnipe.protocol.account import Account
from memesnipe.protocol.commands import CommandName
from memesnipe.protocol.messages import CommandMessage
from memesnipe.trading.breaker import RiskLevel
from memesnipe.trading.execution import Execution
from tests.support import genome
from tests.trading.test_flatten import PAPER, _advance, _command, _events, _execution

GENOMES = [genome("buy_once", size=0.5), genome("buy_once", size=0.25)]


def close(spec_id: str, token: int, account: str = "") -> CommandMessage:
    name = CommandName.CLOSE
    return CommandMessage(seq=1, command_id=1, name=name, spec_id=spec_id, reason="", account=account, token=token)


@pytest.fixture
def holding() -> Execution:
    """An execution with two strategies that hold the same token after the second event."""
    execution = _execution(GENOMES)
    _advance(execution, _events()[:2])
    assert len(execution.accounts[PAPER].desk.state.held()) == 2
    return execution


def test_only_the_position_is_sold_and_trading_goes_on(holding: Execution) -> None:
    desk = holding.accounts[PAPER].desk
    (spec_id, token), other = desk.state.held()
    (step,) = holding.apply(close(spec_id, token))
    assert [(order.spec_id, order.reason) for order in step.orders] == [(spec_id, "close")]
    assert _advance(holding, _events()[2:]) == [], "there is one order for the position"
    assert desk.state.held() == [other]
    assert not desk.state.halted


@pytest.mark.parametrize("before", ["halt", "emergency"])
def test_it_is_refused_where_trading_is_halted(holding: Execution, before: str) -> None:
    desk = holding.accounts[PAPER].desk
    if before == "halt":
        holding.apply(_command("halt"))
    else:
        desk.state.ledger.breaker.level = RiskLevel.EMERGENCY
    held = desk.state.held()
    (step,) = holding.apply(close(*held[0]))
    assert (step.orders, step.refused) == ([], [])
    holding.apply(_command("risk_reset"))
    assert _advance(holding, _events()[2:]) == [], "what was refused is not done later"
    assert desk.state.held() == held


def test_what_is_not_held_is_not_sold(holding: Execution) -> None:
    ((spec_id, token), _) = holding.accounts[PAPER].desk.state.held()
    for command in (close("nobody", token), close(spec_id, token + 1)):
        assert holding.apply(command)[0].orders == []
    assert holding.apply(close(spec_id, token, Account.LIVE)) == []


def test_a_sale_that_does_not_land_is_sent_again_at_the_next_event_of_its_token() -> None:
    sent = set()
    for seed in range(30):
        execution = _execution(GENOMES[:1], landing=0.6, seed=seed)
        desk = execution.accounts[PAPER].desk
        _advance(execution, _events()[:2])
        if not desk.state.held():
            continue  # the purchase did not land
        orders = list(execution.apply(close(*desk.state.held()[0]))[0].orders) + _advance(execution, _events()[2:])
        assert {order.reason for order in orders} == {"close"}
        sent.add(len(orders))
    assert {1, 2, 3} <= sent
