"""The look-ahead check accepts valid strategies, and detects those that read later events in memory."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from memesnipe.bench.market import make_market
from memesnipe.engine.fills import FillModel
from memesnipe.engine.lookahead import CUT_OFF, REPLACED, Finding, Lookahead
from memesnipe.market.events import EVENT, Events
from memesnipe.sdk import BUY, HOLD, PRICE, SELL, SOCIAL, Strategy, param
from memesnipe.sdk.registry import discover

MODEL = FillModel()


@intrinsic
def _price_ahead(typing_context: Any, event: Any, steps: Any) -> Any:
    """Return the price in the record ``steps`` after this one in memory."""

    def generate(context: Any, builder: Any, signature: Any, args: Any) -> Any:
        address = builder.ptrtoint(args[0], ir.IntType(64))
        ahead = builder.mul(args[1], ir.IntType(64)(EVENT.itemsize))
        field = builder.add(builder.add(address, ahead), ir.IntType(64)(EVENT.fields["price_usd"][1]))
        return builder.load(builder.inttoptr(field, ir.DoubleType().as_pointer()))

    return types.float64(event, types.int64), generate


class ReadsNext(Strategy):
    family = "reads_next"
    subscriptions = (PRICE,)

    def on_event(p: Any, s: Any, e: Any) -> int:
        return BUY if _price_ahead(e, 1) > e.price_usd else SELL


class ReadsFar(Strategy):
    family = "reads_far"
    subscriptions = (PRICE,)
    ratio = param(0.1, 0.5, default=0.2)

    def on_event(p: Any, s: Any, e: Any) -> int:
        return BUY if _price_ahead(e, 50) < e.price_usd * p.ratio else HOLD


class Valid(Strategy):
    family = "valid"
    subscriptions = (PRICE,)
    min_volume = param(0.1, 100.0, default=1.0, log=True)

    def on_event(p: Any, s: Any, e: Any) -> int:
        if e.volume_usd < p.min_volume:
            return HOLD
        return BUY if e.side > 0 else SELL


class Silent(Strategy):
    family = "silent"
    subscriptions = (SOCIAL,)

    def on_event(p: Any, s: Any, e: Any) -> int:
        return BUY


FAMILIES: dict[str, Strategy] = {cls.family: cls() for cls in (ReadsNext, ReadsFar, Valid, Silent)}


@pytest.fixture(scope="module")
def events() -> Events:
    return make_market(3000, 40, seed=5)


@pytest.fixture(autouse=True)
def _skip_source_checks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Disable the linter, which would reject the strategies that look ahead before they are compiled."""
    monkeypatch.setattr("memesnipe.sdk.loops.check", lambda strategy: Path(__file__).read_text())


def _check(events: Events, family: str, **options: Any) -> Finding:
    return Lookahead(events, FAMILIES, MODEL, **options).check(family)


@pytest.mark.parametrize("family", ["reads_next", "reads_far"])
def test_a_strategy_that_looks_ahead_is_detected(events: Events, family: str) -> None:
    found = _check(events, family)
    assert found.verdict == "looks ahead"
    assert found.difference is not None
    assert found.difference.future in (CUT_OFF, REPLACED)
    assert found.difference.order != found.difference.order_then
    assert "with the future after event" in str(found.difference)
    assert found.to_dict()["difference"]["spec_id"] == found.difference.spec_id


@pytest.mark.parametrize("seed", range(5))
def test_detection_does_not_depend_on_the_seed(events: Events, seed: int) -> None:
    assert _check(events, "reads_next", seed=seed, cuts=6, random_genomes=1).difference is not None


def test_a_valid_strategy_is_clean(events: Events) -> None:
    found = _check(events, "valid", cuts=10, random_genomes=3)
    assert (found.verdict, found.cuts, found.genomes) == ("clean", 10, 4)
    assert found.compared > found.orders > 100


def test_without_orders_the_verdict_is_no_orders(events: Events) -> None:
    found = _check(events, "silent", cuts=3)
    assert (found.verdict, found.orders, found.compared, found.cuts) == ("no orders", 0, 0, 3)


def test_the_seed_determines_the_finding(events: Events) -> None:
    assert _check(events, "reads_next", cuts=4) == _check(events, "reads_next", cuts=4)


def test_the_events_are_not_modified(events: Events) -> None:
    before = events.tobytes()
    _check(events, "valid", cuts=2)
    assert events.tobytes() == before


def test_a_short_tape_has_fewer_cuts(events: Events) -> None:
    assert _check(events[:4], "valid").cuts == 3
    assert _check(np.ascontiguousarray(events[:1]), "valid").cuts == 0


def test_a_bundled_family_is_clean(events: Events) -> None:
    found = Lookahead(events, discover(), MODEL, cuts=6).check("mean_revert_1h")
    assert found.verdict == "clean"
