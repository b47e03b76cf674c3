"""No event that passes for one can stop the cores, or leave a number in them that JSON or the database cannot hold."""

import math
from dataclasses import asdict
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter

from memesnipe.market.events import DEV_TRANSFER, FIELDS, HOLDERS, KIND_NAMES, MIGRATION, PRICE, Event, rows
from memesnipe.market.plausible import RANGES, SOL_USD
from memesnipe.market.record_rules import VENUE_CODES, error_of
from memesnipe.market.sequencer import Sequencer
from memesnipe.protocol.account import Account
from memesnipe.sdk import BUY, FUNDING, HOLD, SELL, SHORT, Strategy
from memesnipe.sdk import PRICE as TRADES
from memesnipe.trading.execution import local_execution
from memesnipe.trading.gate import Limits
from memesnipe.trading.ledger import Ledger, LedgerPolicy, LedgerState
from memesnipe.trading.steps import Step
from tests.payloads import allocations, fill_message
from tests.support import CURVE, FAMILIES, START_TS, SURE, genome, price_message


class Fade(Strategy):
    """Shorts at every funding, and buys at every trade: it is in everything."""

    family = "fade"
    subscriptions = (FUNDING, TRADES)

    def on_event(p, s, e):
        if e.kind == FUNDING:
            return SHORT if e.rate >= 0.0 else BUY
        return SELL if e.side < 0 else HOLD


GENOMES = [genome("flip"), genome("trend", take_profit=0.5), genome("fade"), genome("buy_once", max_hold_s=30.0)]
LEDGER = TypeAdapter(LedgerState)
CAPITAL_USD = 10_000.0
RATIO = 10.0  # how far beyond its range a field goes
USUAL = price_message(0, "A", "buy", CURVE, 10**9, 10**9) | {
    "sentiment": 0.5, "mentions": 3.0, "change_usd": -10.0, "inflow_usd": 1e6, "rate": 0.001, "mark_usd": 0.1,
    "amount_usd": 100.0, "holders": 12.0, "action": HOLDERS,
}  # fmt: skip


def _range(name: str) -> tuple[Any, Any]:
    return SOL_USD if name == "sol_usd" else RANGES[name]


def _within(name: str) -> st.SearchStrategy[Any]:
    """The ends of a field's range, and what lies between, every order of magnitude alike."""
    least, most = _range(name)
    kind: Any = type(USUAL[name])
    lowest = least if least > 0 else 1.0
    decided_between_events = st.floats(math.log(lowest), math.log(most)).map(
        lambda x: min(max(kind(math.exp(x)), least), most)
    )
    return st.sampled_from([kind(least), kind(most)]) | (
        decided_between_events if least >= 0 else decided_between_events.map(lambda x: -x)
    )


def _beyond(name: str) -> st.SearchStrategy[Any]:
    """What lies just beyond the range, and values that have done harm before."""
    least, most = _range(name)
    kind: Any = type(USUAL[name])
    harmful = [1e-300, 5e-324, 1e305, 1.7e308, math.inf, math.nan] if kind is float else [2**63 - 1, -(2**63)]
    return st.sampled_from([kind(most * RATIO), kind(least * RATIO if least < 0 else least / RATIO), *harmful])


@st.composite
def messages(draw: st.DrawFn) -> dict[str, Any]:
    """An event of which some fields are extreme, and in every fifth one is beyond what can be."""
    kind = draw(st.sampled_from([*FIELDS, PRICE, FUNDING, FUNDING]))
    own = [name for name in FIELDS[kind] if name in RANGES or name == "sol_usd"]
    message = {name: USUAL[name] for name in FIELDS[kind] if name in USUAL}
    message |= {"kind": KIND_NAMES[kind], "mint": draw(st.sampled_from(["A", "B"])), "trader": 7}
    message["side"] = draw(st.sampled_from(["buy", "sell"]))
    message["venue"] = draw(st.sampled_from([*VENUE_CODES][1:])) if kind == PRICE else ""
    for name in draw(st.lists(st.sampled_from(own), max_size=2)):
        message[name] = draw(_within(name))
    if draw(st.integers(0, 4)) == 0:
        name = draw(st.sampled_from(own))
        message[name] = draw(_beyond(name))
    if "action" in message:
        message["action"] = draw(st.sampled_from([HOLDERS, DEV_TRANSFER, MIGRATION]))
    return message


class Cores:
    """Executor and ledger, as the actors move them."""

    def __init__(self) -> None:
        limits = Limits(500.0, 1_000.0, 10_000.0, 10_000, max_price_deviation=0.2, max_dev_out=0.5, max_pull=0.5)
        families = {**FAMILIES, "fade": Fade()}
        policy = LedgerPolicy(CAPITAL_USD, 0.5, 0.6, SURE.dead_after_ns)
        self.execution = local_execution(
            families, SURE, shadow_capital_usd=1_000.0, limits={Account.PAPER: limits}, policies={Account.PAPER: policy}
        )
        self.fills = 0
        self.ledger = Ledger(policy)
        allocated = {g.spec_id: 1_000.0 for g in GENOMES}
        self.execution.apply(allocations(GENOMES, usd=allocated))

    def take(self, raw: list[dict[str, Any]]) -> None:
        events, _ = Sequencer(20, 600).stamp(raw)
        steps: dict[int, Step] = {step.seq: step for step in self.execution.advance(events)} if len(events) else {}
        for event in rows(events):
            self.apply(event, steps)

    def apply(self, event: Event, steps: dict[int, Step]) -> None:
        self.ledger.on_event(event)
        step = steps.get(event.seq)
        if step is None:
            return
        for done in step.fills:
            self.ledger.on_fill(fill_message(done.fill))
            self.fills += 1
        mark = self.ledger.mark()
        assert not list(_unfit([mark.equity_lamports, mark.equity_usd, mark.cash_usd]))
        assert not list(_unfit([asdict(order) for order in step.orders] + [asdict(done.fill) for done in step.fills]))

    def assert_fit(self) -> None:
        kept = LEDGER.dump_json(self.ledger.state)
        assert LEDGER.validate_json(kept) == self.ledger.state, "it cannot be taken up again"
        results = [asdict(result) for result in self.execution.arenas[0].engine.results()]
        for state in (asdict(self.ledger.state), asdict(self.execution.accounts[Account.PAPER].desk.state), results):
            assert not list(_unfit(state))


def _unfit(value: Any, path: str = "") -> Any:
    """The numbers in a state that JSON or the database cannot hold, and where they are."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list | tuple) else ()
    for key, part in inner:
        yield from _unfit(part, f"{path}.{key}")
    if (isinstance(value, float) and not math.isfinite(value)) or (isinstance(value, int) and abs(value) >= 2**63):
        yield path, value


def _timed(raw: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [message | {"ts": START_TS + i * 3 * 10**9, "slot": i} for i, message in enumerate(raw)]


@settings(max_examples=100, deadline=None)
@given(st.lists(messages(), min_size=20, max_size=80))
def test_every_valid_event_leaves_the_cores_with_finite_state(raw: list[dict[str, Any]]) -> None:
    cores = Cores()
    cores.take(_timed(raw))
    cores.assert_fit()


USUAL_TRADE = {name: USUAL[name] for name in FIELDS[PRICE] if name in USUAL} | {"kind": "price", "mint": "A"}
PERP = {name: USUAL[name] for name in ("venue", "side", "slot", "sol_usd", "mark_usd", "rate")} | {
    "kind": "funding", "mint": "A", "venue": "", "side": "",
}  # fmt: skip
NEWS = PERP | {"kind": "onchain", "action": DEV_TRANSFER, "holders": 1.0}


@pytest.mark.parametrize(
    "poison",
    [
        [USUAL_TRADE | {"sol_usd": 1e-300}],
        [USUAL_TRADE | {"sol_usd": 1e308}],
        [PERP | {"mark_usd": 1e305}],
        [PERP | {"rate": 1e300}],
        [PERP | {"mark_usd": 1e-300}, PERP | {"mark_usd": 1e300}],
        [NEWS | {"amount_usd": 1.7e308}] * 2,
    ],
    ids=["tiny sol", "huge sol", "huge mark", "huge rate", "a mark that explodes", "twice all the money"],
)
def test_events_that_once_stopped_an_actor_are_rejected(poison: list[dict[str, Any]]) -> None:
    good = [USUAL_TRADE, PERP, NEWS | {"amount_usd": 1.0}]
    assert all(error_of(m) is None for m in _timed(good))
    assert all(error_of(m) for m in _timed(poison))
    cores = Cores()
    cores.take(_timed([*poison, *good, *poison, *good * 20]))
    cores.assert_fit()
    assert cores.fills > 0
    assert cores.ledger.state.capital_lamports == int(CAPITAL_USD / USUAL["sol_usd"] * 1e9)
