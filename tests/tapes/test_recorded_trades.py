"""The curve's arithmetic, plain and compiled, and the import, checked on trades recorded from the chain."""

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from memesnipe.market.events import PUMP_CURVE, rows
from memesnipe.market.pools import (
    Fees,
    Pool,
    Quote,
    moved,
    pool_after,
    quote_buy,
    quote_buy_tokens,
    quote_sell,
    share_fee,
)
from memesnipe.tapes.chain_order import chain_order
from memesnipe.tapes.importer import Imported, import_swaps
from tests.market.test_pools import COMPILED

TRADES = Path(__file__).resolve().parents[3] / "shared/data/pump_curve_trades.csv.gz"
pytestmark = pytest.mark.skipif(not TRADES.is_file(), reason=f"the recorded trades are not at {TRADES}")


@pytest.fixture(scope="module")
def trades() -> pd.DataFrame:
    return pd.read_csv(TRADES)


@pytest.fixture(scope="module")
def imported() -> Imported:
    return import_swaps(TRADES, 200.0)


def _pool_before(row: Any) -> Pool:
    """Return the pool before a recorded trade; the row has the pool after it."""
    sign = 1 if row.is_buy else -1
    sol, token = sign * int(row.amount_in_sol), -sign * int(row.amount_in_token)
    return Pool(
        PUMP_CURVE,
        int(row.virtual_sol_reserves) - sol,
        int(row.virtual_token_reserves) - token,
        int(row.real_sol_reserves) - sol,
        int(row.real_token_reserves) - token,
        10**15,
        0,
        int(row.fee_basis_points),
        int(row.creator_fee_basis_points),
    )


def _forms(row: Any) -> tuple[Quote, Quote]:
    """Return the quotes of a recorded trade by the plain and by the compiled function."""
    before, token_raw = _pool_before(row), int(row.amount_in_token)
    name, plain = ("quote_buy_tokens", quote_buy_tokens) if row.is_buy else ("quote_sell", quote_sell)
    return plain(before, token_raw), COMPILED[name](before, token_raw)


def test_every_recorded_trade_is_priced_exactly_with_fees(trades: pd.DataFrame) -> None:
    assert len(trades) == 2501
    for row in trades.itertuples():
        fee = row.fee_amount + row.creator_fee_amount
        recorded = Quote(row.amount_in_token, row.amount_in_sol, fee, row.amount_in_sol)
        for quote in _forms(row):
            assert quote == recorded, row.transaction_signature


def test_every_part_of_a_recorded_fee_is_exact(trades: pd.DataFrame) -> None:
    for row in trades.itertuples():
        sol = int(row.amount_in_sol)
        assert share_fee(sol, Fees(0, row.fee_basis_points, 0)) == row.fee_amount
        assert share_fee(sol, Fees(0, 0, row.creator_fee_basis_points)) == row.creator_fee_amount


def test_every_recorded_trade_leaves_the_recorded_pool(trades: pd.DataFrame) -> None:
    for row in trades.itertuples():
        quote, _ = _forms(row)
        sign = 1 if row.is_buy else -1
        after = moved(_pool_before(row), sign * quote.pool_sol_lamports, -sign * quote.token_raw)
        recorded = (
            row.virtual_sol_reserves, row.virtual_token_reserves, row.real_sol_reserves, row.real_token_reserves
        )  # fmt: skip
        assert after[1:5] == recorded


def test_a_recorded_payment_buys_at_least_the_recorded_tokens(trades: pd.DataFrame) -> None:
    for row in trades[trades.is_buy].itertuples():
        budget = int(row.amount_in_sol + row.fee_amount + row.creator_fee_amount)
        quote = quote_buy(_pool_before(row), budget)
        assert quote == COMPILED["quote_buy"](_pool_before(row), budget)
        assert quote.token_raw >= row.amount_in_token
        assert quote.sol_lamports + quote.fee_lamports <= budget


def test_the_tape_has_the_recorded_pools(trades: pd.DataFrame, imported: Imported) -> None:
    recorded = {
        (row.virtual_sol_reserves, row.virtual_token_reserves, row.real_sol_reserves, row.real_token_reserves)
        for row in trades.itertuples()
    }
    for event in rows(imported.tape.events):
        pool = pool_after(event)
        assert pool[1:5] in recorded
        assert (pool.venue, pool.supply_raw, pool.lp_fee_bps) == (PUMP_CURVE, 10**15, 0)


def test_all_but_two_recorded_trades_chain(imported: Imported) -> None:
    events = imported.tape.events
    left: dict[int, int] = {}
    steps = chained = 0
    for event in events:
        token, sol = int(event["token"]), int(event["pool_sol_lamports"])
        if token in left:
            steps += 1
            chained += left[token] == sol - int(event["side"]) * int(event["sol_lamports"])
        left[token] = sol
    assert (chained, steps) == (2494, 2496)


def test_every_recorded_trade_is_imported_once(trades: pd.DataFrame, imported: Imported) -> None:
    events, mints = imported.tape.events, imported.tape.mints
    on_tape = sorted(
        (mints[e["token"]], int(e["slot"]), int(e["pool_sol_lamports"]), int(e["pool_token_raw"]), int(e["side"]))
        for e in events
    )
    recorded = sorted(
        (r.token_address, r.block_num, r.virtual_sol_reserves, r.virtual_token_reserves, 1 if r.is_buy else -1)
        for r in trades.itertuples()
    )
    assert on_tape == recorded
    assert not imported.rejected
    assert not imported.assumed_pools
    assert (events["ts"][1:] >= events["ts"][:-1]).all()


def test_chain_order_does_not_depend_on_the_order_of_slots_in_the_file(trades: pd.DataFrame) -> None:
    swaps = pd.DataFrame(
        {
            "ts": trades.block_time, "slot": trades.block_num, "mint": trades.token_address,
            "side": trades.is_buy.map({True: 1, False: -1}), "sol_lamports": trades.amount_in_sol,
            "pool_sol_lamports": trades.virtual_sol_reserves,
        }
    )  # fmt: skip
    reordered = swaps.sort_values("slot", ascending=False, kind="stable").reset_index(drop=True)
    columns = ["slot", "mint", "pool_sol_lamports"]
    for _, one in swaps.iloc[chain_order(swaps)].groupby("mint"):
        other = reordered.iloc[chain_order(reordered)]
        other = other[other.mint == one.mint.iloc[0]]
        assert one[columns].to_numpy().tolist() == other[columns].to_numpy().tolist()
