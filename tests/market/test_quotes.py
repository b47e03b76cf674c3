"""Quotes of described pools: the 600 of PumpSwap's own SDK, curves, and invalid descriptions."""

from pathlib import Path
from typing import Any

import orjson
import pytest

from memesnipe.errors import InputError
from memesnipe.market.pools import Pool, quote_buy_tokens
from memesnipe.market.quotes import pool_from, price, quote_all, quote_one

QUOTES = Path(__file__).resolve().parents[3] / "shared/data/pumpswap_quotes.json"
CURVE = {"v_sol": 40 * 10**9, "v_tok": "804750000000000"}
AMM = {"venue": "amm", "quote_reserve": 50 * 10**9, "base_reserve": 10**15}
IN, OUT = "buy_exact_quote_in", "buy_exact_base_out"
PUMPSWAP = {
    "base_reserve": "60257379582069", "quote_reserve": "41416994790", "virtual_quote_reserves": "19241377916",
    "base_supply": "1000000000000000", "coin_creator": True,
}  # fmt: skip
ROW = PUMPSWAP | {
    "op": "buy_exact_quote_in", "quote_in": "188850314", "base_out": "184808803862", "internal_quote": "186610981"
}  # fmt: skip


@pytest.mark.skipif(not QUOTES.is_file(), reason=f"the quotes of PumpSwap's SDK are not at {QUOTES}")
def test_all_quotes_of_the_sdk_match() -> None:
    result = quote_all(orjson.loads(QUOTES.read_bytes()))
    assert (result["count"], result["mismatches"]) == (600, 0)


def test_rows_with_other_expectations_are_reported() -> None:
    result = quote_all([ROW, ROW | {"internal_quote": 186610980}, {**ROW, "quote_out": 5}])
    assert (result["mismatches"], result["mismatched_rows"]) == (2, [2, 3])
    assert result["quotes"][0] == result["quotes"][1]
    assert quote_one(ROW)["mismatches"] == 0


def test_a_curve_has_standard_defaults() -> None:
    pool = pool_from(CURVE)
    assert pool == Pool(1, 40 * 10**9, 804_750_000_000_000, 10 * 10**9, 524_850_000_000_000, 0, 0, 95, 30)
    other = pool_from(CURVE | {"real_sol": 5, "real_tok": 7, "protocol_fee_bps": 100, "creator_fee_bps": 0})
    assert other[3:] == (5, 7, 0, 0, 100, 0)


def test_a_quote_has_amounts_fees_and_prices() -> None:
    quoted = price(pool_from(CURVE), "buy_exact_base_out", 10**12)
    known = quote_buy_tokens(pool_from(CURVE), 10**12)
    assert quoted["quote_in_total"] == known.sol_lamports + known.fee_lamports
    assert (quoted["internal_quote"], quoted["fee_lamports"]) == (known.sol_lamports, known.fee_lamports)
    assert quoted["fees_bps"] == {"lp": 0, "protocol": 95, "creator": 30}
    assert quoted["price_before"] == 40e9 / 804_750e9
    assert quoted["price_after"] == (40e9 + known.sol_lamports) / (804_750e9 - 1e12)
    assert quoted["price_impact"] == pytest.approx(0.0025, rel=0.01)


def test_a_sale_lowers_the_price_and_the_fee_of_an_amm_stays_in_the_pool() -> None:
    quoted = quote_one(AMM, "sell_exact_base_in", "1000000000000")
    assert quoted["price_impact"] < 0
    assert quoted["quote_out"] == quoted["internal_quote"] - quoted["fee_lamports"]
    assert quoted["price_after"] == (50e9 - quoted["quote_out"]) / (1e15 + 1e12)
    assert quoted["fees_bps"]["lp"] == 25


@pytest.mark.parametrize(
    ("value", "op", "amount", "message"),
    [
        ([1], None, None, "is a list: must be an object"),
        (PUMPSWAP, None, "1", "give --op, one of buy_exact_quote_in"),
        (PUMPSWAP, IN, None, "give --amount, or quote_in in the file"),
        (PUMPSWAP, "steal", "1", "op is 'steal': must be one of"),
        (PUMPSWAP, IN, "0", "amount is '0': is too small, it must be at least 1"),
        (PUMPSWAP, IN, "-5", "amount is '-5'"),
        (PUMPSWAP, IN, "1.5", "amount is '1.5'"),
        (PUMPSWAP, IN, "9" * 5000, "amount is '999"),
        (PUMPSWAP, OUT, "60257379582069", "the pool gives nothing for it"),
        (
            AMM | {"quote_reserve": 10**15},
            "buy_exact_base_out",
            10**15 - 1,
            "exceeds the maximum of 10000000000000000 lamports",
        ),
        (AMM | {"quote_reserve": 2**62}, IN, 1, "quote_reserve is 4611686018427387904: is too large"),
        (
            AMM | {"base_reserve": "1" + "0" * 40},
            "buy_exact_quote_in",
            1,
            "is too large, it must be at most 46116860184",
        ),
        (
            AMM | {"base_reserve": -5},
            "buy_exact_quote_in",
            1,
            "base_reserve is -5: is too small, it must be at least 1",
        ),
        (AMM | {"base_reserve": "-" + "9" * 99}, IN, 1, "is too small"),
        (AMM | {"base_reserve": [5]}, IN, 1, "base_reserve is [5]: must be an integer"),
        (AMM | {"base_reserves": 5}, IN, 1, "no field base_reserves; did you mean base_reserve?"),
        (
            PUMPSWAP | {"virtual_quote_reserves": 10**16},
            "buy_exact_quote_in",
            1,
            "virtual_quote_reserves are 10000041416",
        ),
        (
            PUMPSWAP | {"base_supply": 5},
            "buy_exact_quote_in",
            1,
            "base_reserve is 60257379582069: must be at most base_s",
        ),
        (
            CURVE | {"real_sol": 41 * 10**9},
            "buy_exact_quote_in",
            1,
            "real_sol is 41000000000: must be at most 40000000000",
        ),
        (ROW | {"quote_in": True}, None, None, "quote_in is True"),
        (ROW | {"quote_reserve": 1.5}, None, None, "quote_reserve is 1.5"),
        (ROW | {"coin_creator": "yes"}, None, None, "coin_creator is 'yes': must be true or false"),
        ({**PUMPSWAP, "coin_creator": None}, IN, "1", "coin_creator is None: must be true or false"),
        ({n: v for n, v in PUMPSWAP.items() if n != "coin_creator"}, IN, "1", "coin_creator is missing: must be true"),
        ({"base_reserve": 5}, IN, "1", "quote_reserve is missing"),
        ({"v_sol": 5}, IN, "1", "v_tok is missing"),
        ({"v_sol": 5, "v_tok": 5}, IN, "1", "real_sol is missing, and cannot be derived"),
        (
            AMM | {"lp_fee_bps": 10_000},
            "buy_exact_quote_in",
            "1",
            "lp_fee_bps is 10000: is too large, it must be at most 9999",
        ),
        (AMM | {"venue": "moon"}, IN, "1", "venue is 'moon': must be pump_curve, pumpswap or amm"),
    ],
)
def test_invalid_descriptions_are_rejected_with_the_field(
    value: Any, op: str | None, amount: Any, message: str
) -> None:
    with pytest.raises(InputError) as error:
        quote_one(value, op, amount)
    assert message in str(error.value)
    assert "\n" not in str(error.value)


def test_an_invalid_row_is_named() -> None:
    with pytest.raises(InputError, match="row 2: op is None"):
        quote_all([ROW, PUMPSWAP])
