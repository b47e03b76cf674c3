"""The round trips of a desk: from an entry until nothing is held and no order is open, with all that it cost."""

import pytest
from pydantic import TypeAdapter

from memesnipe.engine.fills import DEAD, FAILURES, NOT_LANDED, REASONS, failed
from memesnipe.engine.holdings import Holding
from memesnipe.engine.orders import Fill, Order
from memesnipe.execution.paper import PaperVenue
from memesnipe.execution.reporting import ReportingVenue
from memesnipe.execution.venue import ExecutionVenue
from memesnipe.market.events import BUY_SIDE, SELL_SIDE
from memesnipe.market.pools import Pool
from memesnipe.market.state import TokenMarket
from memesnipe.protocol.order_status import OrderStatus
from memesnipe.trading.desk import Desk
from memesnipe.trading.desk_state import DeskState, Observation
from memesnipe.trading.gate import Limits
from tests.execution.scripted_chain import report_on, reported
from tests.payloads import command
from tests.support import NO_STOPS, SURE, Market, passed

STATE = TypeAdapter(DeskState)
LOST = failed(NOT_LANDED, SURE).network_fee_lamports


class LosingVenue(PaperVenue):
    """A paper venue on which the orders with these numbers do not land."""

    def __init__(self, *lost: int) -> None:
        super().__init__(SURE)
        self.lost = lost

    def execute(self, order: Order, holding: Holding, pool: Pool, market: TokenMarket, ts: int, seq: int) -> Fill:
        if order.order_no in self.lost:
            return Fill(order, ts, seq, 0, 0, 0, LOST, 0, FAILURES[NOT_LANDED])
        return super().execute(order, holding, pool, market, ts, seq)


def _desk(venue: ExecutionVenue | None = None) -> Desk:
    """A desk that has seen one trade of token 0."""
    desk = Desk(venue or PaperVenue(SURE), Limits(1e9), NO_STOPS)
    desk.state.allocations_usd = {"abc": 100.0}
    _pass(desk, Market().trade(1))
    return desk


def _pass(desk: Desk, market: Market) -> list[Fill]:
    return passed(desk, market.events())


def _sent(desk: Desk, side: int, no: int, reason: str = "signal") -> Order:
    ts = desk.state.market_state.last_ts
    order = desk.on_decision(Order("abc", no, 0, side, reason, ts, 1, ts + SURE.latency_ns, 0.5, 1, 1, 1))
    assert isinstance(order, Order)
    return order


def _begun(desk: Desk) -> int:
    """Send an entry, which begins a round trip; return its budget."""
    order = _sent(desk, BUY_SIDE, 1)
    assert desk.take_observed() == [Observation("abc", 0, None, order.decided_ts, is_between_events=False, seq=1)]
    return order.budget_lamports


def _ended(desk: Desk) -> float:
    """Return the return of the round trip that has just ended."""
    (seen,) = desk.take_observed()
    assert (seen.spec_id, seen.token) == ("abc", 0)
    assert seen.value is not None
    assert desk.state.round_trips == {}
    assert desk.take_observed() == []
    return seen.value


def test_a_round_trip_returns_all_its_cash_relative_to_the_budget_of_its_entry() -> None:
    desk = _desk()
    budget = _begun(desk)
    bought = _pass(desk, Market().talk(9)) + _pass(desk, Market().trade(12, sol=5))
    _sent(desk, SELL_SIDE, 2)
    assert desk.take_observed() == [], "it is held"
    sold = _pass(desk, Market().talk(20))
    assert len(bought) == len(sold) == 1
    cash = bought[0].cash_change_lamports + sold[0].cash_change_lamports
    assert cash > 0
    assert _ended(desk) == cash / budget


def test_a_failed_entry_is_a_round_trip_that_costs_its_fee() -> None:
    desk = _desk(LosingVenue(1))
    budget = _begun(desk)
    (fill,) = _pass(desk, Market().talk(9))
    assert fill.failure
    assert _ended(desk) == -LOST / budget


def test_a_failed_exit_belongs_to_the_round_trip_until_a_later_one_lands() -> None:
    desk = _desk(LosingVenue(2, -1))
    budget = _begun(desk)
    fills = _pass(desk, Market().talk(9))
    _sent(desk, SELL_SIDE, 2)
    fills += _pass(desk, Market().talk(20))
    assert isinstance(desk.exit("abc", 0, "portfolio_stop_loss"), Order)
    fills += _pass(desk, Market().talk(30))
    assert desk.take_observed() == [], "neither sale landed"
    assert isinstance(desk.exit("abc", 0, "portfolio_stop_loss"), Order)
    fills += _pass(desk, Market().talk(40))
    assert [bool(fill.failure) for fill in fills] == [False, True, True, False]
    assert _ended(desk) == sum(fill.cash_change_lamports for fill in fills) / budget


def test_an_entry_that_a_halt_cancels_is_a_round_trip_without_profit() -> None:
    desk = _desk()
    _begun(desk)
    assert desk.apply(command("halt"))
    assert len(desk.cancel_not_permitted()) == 1
    assert _ended(desk) == 0.0


def test_a_sale_that_a_halt_cancels_does_not_end_the_round_trip() -> None:
    desk = _desk()
    budget = _begun(desk)
    fills = _pass(desk, Market().talk(9))
    _sent(desk, SELL_SIDE, 2)
    assert desk.apply(command("halt"))
    assert len(desk.cancel_not_permitted()) == 1
    assert desk.take_observed() == []
    assert desk.apply(command("risk_reset"))
    assert isinstance(desk.exit("abc", 0, "portfolio_stop_loss"), Order)
    fills += _pass(desk, Market().talk(20))
    assert _ended(desk) == sum(fill.cash_change_lamports for fill in fills) / budget


def test_a_dead_token_ends_the_round_trip_at_its_last_value() -> None:
    desk = _desk()
    budget = _begun(desk)
    (bought,) = _pass(desk, Market().talk(9))
    ts = desk.state.market_state.last_ts
    settled = desk.settle(Order("abc", 2, 0, SELL_SIDE, REASONS[DEAD], ts, 1, ts, 0.0, 0, 0, 0))
    assert settled is not None
    assert settled[1].network_fee_lamports == 0, "it is no transaction"
    value = _ended(desk)
    assert value == (bought.cash_change_lamports + settled[1].cash_change_lamports) / budget
    assert -1.0 < value < 0.0


@pytest.mark.parametrize("statuses", [[OrderStatus.SIGNED, OrderStatus.EXPIRED], [OrderStatus.CANCELLED]])
def test_a_report_without_a_fill_ends_a_round_trip_without_profit(statuses: list[OrderStatus]) -> None:
    desk = _desk(ReportingVenue(SURE))
    _begun(desk)
    (order,) = desk.state.pending
    for status in statuses:
        assert desk.take_observed() == []
        desk.on_report(report_on(order, status))
    assert _ended(desk) == 0.0
    assert desk.on_report(report_on(order, statuses[-1])) is None, "it is outdated"
    assert desk.take_observed() == []


def test_reported_fills_are_those_of_the_round_trip() -> None:
    desk = _desk(ReportingVenue(SURE))
    budget = _begun(desk)
    cash = 0
    for number, side in ((1, BUY_SIDE), (2, SELL_SIDE), (3, SELL_SIDE)):
        order = desk.state.pending[0] if number == 1 else _sent(desk, side, number)
        assert desk.take_observed() == []
        is_lost = number == 2
        statuses = [OrderStatus.SIGNED, OrderStatus.SUBMITTED, OrderStatus.FAILED if is_lost else OrderStatus.LANDED]
        for status in statuses:
            done = desk.on_report(reported(order, status))
        assert done is not None and done.fill is not None
        cash += done.fill.cash_change_lamports
    assert _ended(desk) == cash / budget


def test_open_round_trips_continue_from_the_state() -> None:
    desk = _desk()
    budget = _begun(desk)
    (bought,) = _pass(desk, Market().talk(9))
    again = Desk(
        PaperVenue(SURE),
        Limits(1e9),
        NO_STOPS,
        state=STATE.validate_json(STATE.dump_json(desk.state)),
    )
    _sent(again, SELL_SIDE, 2)
    (sold,) = _pass(again, Market().talk(20))
    assert _ended(again) == (bought.cash_change_lamports + sold.cash_change_lamports) / budget
