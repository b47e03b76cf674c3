import math
from typing import Any

import pytest

from memesnipe.market.events import FIELDS, HOLDERS, KIND_NAMES, PRICE
from memesnipe.market.plausible import LAST_TS, OLDEST_TS, RANGES, SOL_USD
from memesnipe.market.record_rules import (
    ASSIGNED_BY_A_RUN,
    FUTURE,
    MALFORMED,
    OUT_OF_ORDER,
    OUT_OF_RANGE,
    TOO_OLD,
    error_of,
    time_error,
)


def error(message: dict[str, Any]) -> str | None:
    found = error_of(message)
    return found.message if found is not None else None


GOOD: dict[str, Any] = {
    "ts": 1_700_000_040_000_000_000, "kind": "price", "venue": "pump_curve", "side": "buy",
    "slot": 7, "sol_usd": 200.0, "lp_fee_bps": 0, "price_usd": 1e-5, "volume_usd": 2e-4,
    "liquidity_usd": 2000.0, "sol_lamports": 1000, "token_raw": 1000, "pool_sol_lamports": 40 * 10**9,
    "pool_token_raw": 804_750_000_000_000, "real_sol_lamports": 10 * 10**9, "real_token_raw": 524_850_000_000_000,
    "trader": 2**32 - 1, "protocol_fee_bps": 95, "creator_fee_bps": 30, "supply_raw": 10**15, "mint": "mint",
}  # fmt: skip
QUIET: dict[str, Any] = {
    "seq": 1,
    "ts": 2**60 + 2**59,
    "token": 0,
    "venue": "",
    "side": "",
    "flags": 0,
    "slot": 0,
    "sol_usd": 0.0,
}
OTHERS: list[dict[str, Any]] = [
    {"kind": "social", "mint": "mint", "sentiment": 0.5, "mentions": 3},
    {"kind": "depth", "mint": "mint", "change_usd": -10.0, "liquidity_usd": 0.0},
    {"kind": "bridge", "inflow_usd": 1e6},
    {"kind": "funding", "mint": "mint", "rate": -0.001, "mark_usd": 0.1},
    {"kind": "onchain", "mint": "mint", "amount_usd": 0.0, "holders": 12, "action": HOLDERS},
    {"kind": "sol_price"},
]
HUGE = 10**400


def test_a_valid_message_has_no_error() -> None:
    assert error(GOOD) is None
    assert set(GOOD) == {*FIELDS[PRICE], "mint"} - {*ASSIGNED_BY_A_RUN}


@pytest.mark.parametrize("other", OTHERS, ids=lambda other: other["kind"])
def test_only_trades_require_reserves_side_and_sol_price(other: dict[str, Any]) -> None:
    assert error(QUIET | other) is None
    assert {o["kind"] for o in OTHERS} | {"price"} == set(KIND_NAMES.values())
    assert "sol_usd" in str(error(QUIET | other | {"sol_usd": -1.0}))
    for name in {*other} - {"kind", "mint"}:
        assert name in str(error({k: v for k, v in (QUIET | other).items() if k != name}))
        assert name in str(error(QUIET | other | {name: math.nan}))
    assert "mint" in str(error(QUIET | other | {"mint": 5}))


@pytest.mark.parametrize("name", [name for name in FIELDS[1] if name not in ("kind", *ASSIGNED_BY_A_RUN)])
def test_a_missing_field_is_an_error(name: str) -> None:
    assert name in str(error({k: v for k, v in GOOD.items() if k != name}))


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, None, "12", [], {}, True, HUGE, -HUGE])
@pytest.mark.parametrize("name", ["ts", "slot", "price_usd", "sol_lamports", "protocol_fee_bps"])
def test_a_value_that_is_not_a_valid_number_is_an_error(name: str, value: Any) -> None:
    assert name in str(error(GOOD | {name: value}))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ts", 1.5),
        ("ts", 2**63),
        ("slot", -1),
        ("slot", 2**32),
        ("trader", -1),
        ("trader", 2**32),
        ("protocol_fee_bps", 2**15),
        ("sol_lamports", 1e9),
        ("supply_raw", 2**63),
        ("supply_raw", 0.5),
        ("lp_fee_bps", 0.5),
    ],
)
def test_a_number_that_the_field_cannot_represent_is_an_error(name: str, value: Any) -> None:
    assert name in str(error(GOOD | {name: value}))


@pytest.mark.parametrize("name", ["price_usd", "sol_usd", "pool_sol_lamports", "pool_token_raw"])
@pytest.mark.parametrize("value", [0, -1])
def test_a_price_or_reserve_must_be_positive(name: str, value: int) -> None:
    assert name in str(error(GOOD | {name: value}))


@pytest.mark.parametrize(
    "name",
    ["volume_usd", "sol_lamports", "token_raw", "supply_raw", "lp_fee_bps", "protocol_fee_bps", "creator_fee_bps"],
)
def test_an_amount_or_fee_must_not_be_negative(name: str) -> None:
    assert name in str(error(GOOD | {name: -1}))


@pytest.mark.parametrize("name", ["kind", "venue", "side"])
@pytest.mark.parametrize("value", ["nonsense", None, 1, [], {}])
def test_an_unknown_name_is_an_error(name: str, value: Any) -> None:
    assert name in str(error(GOOD | {name: value}))


@pytest.mark.parametrize("mint", [None, "", 5])
def test_a_trade_without_a_token_is_an_error(mint: Any) -> None:
    assert "mint" in str(error(GOOD | {"mint": mint}))


@pytest.mark.parametrize("side", ["", "short", "cover"])
def test_a_trade_is_a_buy_or_a_sale(side: str) -> None:
    assert "side" in str(error(GOOD | {"side": side}))
    assert error(GOOD | {"side": "sell"}) is None


@pytest.mark.parametrize("name", ["lp_fee_bps", "protocol_fee_bps", "creator_fee_bps"])
def test_total_fees_are_below_100_percent(name: str) -> None:
    others = 125 - GOOD[name]
    assert error(GOOD | {name: 9_999 - others}) is None
    assert "fees" in str(error(GOOD | {name: 10_000 - others}))


def test_an_unknown_supply_is_valid() -> None:
    assert error(GOOD | {"supply_raw": 0}) is None


def _with(name: str, value: float) -> str | None:
    """Return the error of a message with this value of the field."""
    message = next(m for m in (GOOD, *(QUIET | other for other in OTHERS)) if name in m)
    return error(message | {name: type(message[name])(value) if float(value).is_integer() else value})


@pytest.mark.parametrize("name", [*RANGES, "sol_usd"])
def test_ranges_include_their_ends(name: str) -> None:
    minimum, maximum = SOL_USD if name == "sol_usd" else RANGES[name]
    others = sum(GOOD[fee] for fee in ("lp_fee_bps", "protocol_fee_bps", "creator_fee_bps") if fee != name)
    assert _with(name, minimum) is None
    assert _with(name, maximum - others if name.endswith("_bps") else maximum) is None
    below, beyond = (minimum * 2 - 1 if minimum <= 0 else minimum / 2), maximum * 2
    for value in (below if minimum != 1 else 0, beyond):
        assert str(_with(name, value)).startswith(f"{name} is ")


def test_every_number_without_its_own_rule_has_a_range() -> None:
    """Times, positions and codes have their own rules; numbers used in arithmetic have ranges."""
    otherwise = {"ts", "seq", "token", "kind", "venue", "side", "flags", "slot", "sol_usd", "trader"}
    assert {name for fields in FIELDS.values() for name in fields} == otherwise | {*RANGES}


@pytest.mark.parametrize(
    ("ts", "last_ts", "now_ns", "category"),
    [
        (OLDEST_TS, 0, None, None),
        (OLDEST_TS - 1, 0, None, TOO_OLD),
        (-1, 0, None, TOO_OLD),
        (LAST_TS, 0, None, None),
        (LAST_TS + 1, 0, None, FUTURE),
        (OLDEST_TS + 5, OLDEST_TS + 5, None, None),
        (OLDEST_TS + 5, OLDEST_TS + 6, None, OUT_OF_ORDER),
        (OLDEST_TS + 5, 0, OLDEST_TS, None),
        (OLDEST_TS + 6, 0, OLDEST_TS, FUTURE),
    ],
)
def test_an_invalid_time_has_a_category(ts: int, last_ts: int, now_ns: int | None, category: str | None) -> None:
    found = time_error(ts, last_ts, now_ns, ahead_ns=5)
    assert (found.category if found else None) == category
    assert found is None or str(ts) in found.message


@pytest.mark.parametrize(
    ("changed", "category"),
    [
        ({"kind": "x"}, MALFORMED), ({"venue": ""}, MALFORMED), ({"side": "cover"}, MALFORMED),
        ({"mint": "two words"}, MALFORMED), ({"slot": "7"}, MALFORMED), ({"slot": 2**32}, OUT_OF_RANGE),
        ({"price_usd": math.nan}, OUT_OF_RANGE), ({"creator_fee_bps": 9_905}, OUT_OF_RANGE),
    ],
)  # fmt: skip
def test_an_error_has_its_category(changed: dict[str, Any], category: str) -> None:
    found = error_of(GOOD | changed)
    assert found is not None
    assert found.category == category


def test_the_message_contains_value_and_range() -> None:
    assert error(GOOD | {"price_usd": -1.0}) == "price_usd is -1.0: must be from 1e-18 to 1e+12"
    assert error(QUIET | OTHERS[2] | {"sol_usd": 0.05}) == ("sol_usd is 0.05: must be 0 (unknown) or from 0.1 to 10000")
