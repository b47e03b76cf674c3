"""PumpSwap's arithmetic, plain and compiled, against quotes of its own SDK."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from memesnipe.market import pools as arithmetic
from memesnipe.market.events import PUMPSWAP
from memesnipe.market.pools import Pool, Quote, fees_of, moved, share_fee
from tests.market.test_pools import COMPILED

QUOTES = Path(__file__).resolve().parents[3] / "shared/data/pumpswap_quotes.json"
pytestmark = pytest.mark.skipif(not QUOTES.is_file(), reason=f"the quotes are not at {QUOTES}")
OPERATIONS = {
    "buy_exact_quote_in": ("quote_buy", "quote_in"),
    "buy_exact_base_out": ("quote_buy_tokens", "base_out"),
    "sell_exact_base_in": ("quote_sell", "base_in"),
}


@pytest.fixture(scope="module")
def recorded() -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = json.loads(QUOTES.read_text())
    return rows


def _pool(row: dict[str, Any]) -> Pool:
    real_sol, token = int(row["quote_reserve"]), int(row["base_reserve"])
    sol = real_sol + int(row["virtual_quote_reserves"])
    has_creator = int(row["coin_creator"])
    return Pool(PUMPSWAP, sol, token, real_sol, token, int(row["base_supply"]), 0, 0, has_creator)


def _forms(row: dict[str, Any]) -> tuple[Quote, Quote]:
    """Return the quote of the plain and of the compiled function."""
    name, amount = OPERATIONS[row["op"]]
    given = (_pool(row), int(row[amount]))
    return getattr(arithmetic, name)(*given), COMPILED[name](*given)


def _exact(row: dict[str, Any], quote: Quote) -> bool:
    """Return whether a quote equals the SDK's amounts."""
    paid, received = quote.sol_lamports + quote.fee_lamports, quote.sol_lamports - quote.fee_lamports
    if row["op"] == "buy_exact_quote_in":
        return quote.token_raw == int(row["base_out"]) and paid <= int(row["quote_in"])
    if row["op"] == "buy_exact_base_out":
        return quote.token_raw == int(row["base_out"]) and paid == int(row["quote_in_total"])
    return quote.token_raw == int(row["base_in"]) and received == int(row["quote_out"])


def test_every_quote_equals_the_sdks(recorded: list[dict[str, Any]]) -> None:
    assert len(recorded) == 600
    assert set(Counter(row["op"] for row in recorded)) == set(OPERATIONS)
    for row in recorded:
        plain, compiled = _forms(row)
        assert plain == compiled, row
        assert _exact(row, plain), row
        assert plain.sol_lamports == int(row["internal_quote"]), row


def test_every_fee_is_the_sum_of_its_parts_and_the_lp_part_stays_in_the_pool(recorded: list[dict[str, Any]]) -> None:
    for row in recorded:
        pool, (quote, _) = _pool(row), _forms(row)
        fees = fees_of(pool)
        assert quote.fee_lamports == share_fee(quote.sol_lamports, fees)
        lp_lamports = -(-quote.sol_lamports * fees.lp // 10_000)
        is_buy = row["op"].startswith("buy")
        sign = 1 if is_buy else -1
        assert quote.pool_sol_lamports == quote.sol_lamports + sign * lp_lamports
        after = moved(pool, sign * quote.pool_sol_lamports, -sign * quote.token_raw)
        assert after.sol_lamports * after.token_raw >= pool.sol_lamports * pool.token_raw
