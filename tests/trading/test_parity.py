"""What parity compares, and which way is worse."""

import pytest

from memesnipe.engine.orders import Fill, Order
from memesnipe.market.events import BUY_SIDE, COVER_SIDE, SELL_SIDE
from memesnipe.trading.parity import MISSED_BPS, Parity, parity_bps, slippage_bps


def _fill(side: int, token_raw: int, sol_lamports: int, fee: int = 0, failure: str = "") -> Fill:
    order = Order("abc", 1, 0, side, "signal", 1, 1, 2, 0.1, 1, 1, 1)
    return Fill(order, 2, 1, token_raw, sol_lamports, fee, 5000, sol_lamports, failure)


def test_a_higher_purchase_price_and_a_lower_sale_price_are_worse() -> None:
    assert parity_bps(_fill(BUY_SIDE, 1000, 10_100), _fill(BUY_SIDE, 1000, 10_000)) == pytest.approx(100)
    assert parity_bps(_fill(SELL_SIDE, 1000, 9_900), _fill(SELL_SIDE, 1000, 10_000)) == pytest.approx(100)
    assert parity_bps(_fill(SELL_SIDE, 1000, 10_100), _fill(SELL_SIDE, 1000, 10_000)) == pytest.approx(-100)


def test_parity_compares_prices_and_not_sizes() -> None:
    assert parity_bps(_fill(BUY_SIDE, 500, 5_000, 50), _fill(BUY_SIDE, 1000, 10_000, 100)) == pytest.approx(0)


def test_pool_fees_are_part_of_the_price() -> None:
    assert parity_bps(_fill(BUY_SIDE, 1000, 10_000, 100), _fill(BUY_SIDE, 1000, 10_000)) == pytest.approx(100)
    assert parity_bps(_fill(SELL_SIDE, 1000, 10_000, 100), _fill(SELL_SIDE, 1000, 10_000)) == pytest.approx(100)


def test_one_failed_fill_is_the_largest_error_and_two_are_none() -> None:
    landed, lost = _fill(BUY_SIDE, 1000, 10_000), _fill(BUY_SIDE, 0, 0, failure="did not land")
    assert (parity_bps(lost, landed), parity_bps(landed, lost)) == (MISSED_BPS, -MISSED_BPS)
    assert parity_bps(lost, lost) is None, "it shows nothing"


def test_slippage_is_the_difference_from_the_quote_of_the_desk() -> None:
    bought = Fill(Order("a", 1, 0, BUY_SIDE, "x", 1, 1, 2, 0.1, 10_100, 0, 1_000), 2, 1, 990, 10_000, 100, 5, 0, "")
    assert slippage_bps(bought) == pytest.approx((1_000 / 990 - 1) * 10_000), "10,100 for 990 instead of 1,000 tokens"
    sold = Fill(Order("a", 2, 0, SELL_SIDE, "x", 1, 1, 2, 0.0, 0, 990, 10_000), 2, 1, 990, 10_000, 100, 5, 0, "")
    assert slippage_bps(sold) == pytest.approx(100), "9,900 after fees instead of 10,000"
    assert slippage_bps(_fill(BUY_SIDE, 0, 0, failure="slipped")) is None
    assert slippage_bps(_fill(COVER_SIDE, 0, 1)) is None


def test_perps_are_not_compared() -> None:
    assert parity_bps(_fill(COVER_SIDE, 0, 1), _fill(COVER_SIDE, 0, 9)) is None


def test_the_record_is_the_mean_of_the_latest_absolute_errors() -> None:
    record = Parity()
    assert record.error_bps == 0.0
    for _ in range(30):
        record.add(1000.0)
    for error in (10.0, -10.0) * 10:
        record.add(error)
    assert (record.fills, record.error_bps) == (50, 10.0)
