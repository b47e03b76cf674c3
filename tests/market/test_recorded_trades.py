"""The curve's arithmetic and the import against trades as the chain recorded them."""

from pathlib import Path

import pandas as pd
import pytest

from memesnipe.market.chain_order import chain_order
from memesnipe.market.events import PUMP_CURVE
from memesnipe.market.pools import Pool, fee_lamports, quote_buy, quote_buy_tokens, quote_sell
from memesnipe.market.swaps import Imported, import_swaps

TRADES = Path(__file__).resolve().parents[3] / "shared/data/pump_curve_trades.csv.gz"
pytestmark = pytest.mark.skipif(not TRADES.is_file(), reason=f"the recorded trades are not at {TRADES}")


@pytest.fixture(scope="module")
def trades() -> pd.DataFrame:
    return pd.read_csv(TRADES)


@pytest.fixture(scope="module")
def imported() -> Imported:
    return import_swaps(TRADES, 200.0)


def _pool_before(row: pd.Series) -> Pool:
    """The row has the pool after the trade."""
    after = Pool(
        PUMP_CURVE, int(row.virtual_sol_reserves), int(row.virtual_token_reserves), int(row.real_sol_reserves),
        int(row.real_token_reserves), (int(row.fee_basis_points), int(row.creator_fee_basis_points)),
    )  # fmt: skip
    sign = 1 if row.is_buy else -1
    return after.moved(-sign * int(row.amount_in_sol), sign * int(row.amount_in_token))


def test_every_recorded_trade_is_priced_to_the_lamport(trades: pd.DataFrame) -> None:
    assert len(trades) == 2501
    for _, row in trades.iterrows():
        before, tokens = _pool_before(row), int(row.amount_in_token)
        quote = quote_buy_tokens(before, tokens) if row.is_buy else quote_sell(before, tokens)
        assert (quote.token_raw, quote.sol_lamports) == (tokens, row.amount_in_sol), row.transaction_signature


def test_every_recorded_fee_is_exact_share_by_share(trades: pd.DataFrame) -> None:
    for _, row in trades.iterrows():
        sol, before = int(row.amount_in_sol), _pool_before(row)
        protocol, creator = before.fees_bps
        assert fee_lamports(sol, (protocol,)) == row.fee_amount
        assert fee_lamports(sol, (creator,)) == row.creator_fee_amount
        quote = quote_buy_tokens(before, int(row.amount_in_token)) if row.is_buy else None
        assert quote is None or quote.fee_lamports == row.fee_amount + row.creator_fee_amount


def test_what_a_recorded_buyer_paid_buys_what_he_got_or_more(trades: pd.DataFrame) -> None:
    for _, row in trades[trades.is_buy].iterrows():
        budget = int(row.amount_in_sol + row.fee_amount + row.creator_fee_amount)
        quote = quote_buy(_pool_before(row), budget)
        assert quote.token_raw >= row.amount_in_token
        assert quote.sol_lamports + quote.fee_lamports <= budget


def test_all_but_two_of_the_recorded_steps_chain(imported: Imported) -> None:
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


def test_every_recorded_trade_is_on_the_tape_once(trades: pd.DataFrame, imported: Imported) -> None:
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


def test_the_order_does_not_depend_on_the_order_of_the_rows_of_other_slots(trades: pd.DataFrame) -> None:
    swaps = pd.DataFrame(
        {
            "ts": trades.block_time, "slot": trades.block_num, "mint": trades.token_address,
            "side": trades.is_buy.map({True: 1, False: -1}), "sol_lamports": trades.amount_in_sol,
            "pool_sol_lamports": trades.virtual_sol_reserves,
        }
    )  # fmt: skip
    turned = swaps.sort_values("slot", ascending=False, kind="stable").reset_index(drop=True)
    columns = ["slot", "mint", "pool_sol_lamports"]
    for _, one in swaps.iloc[chain_order(swaps)].groupby("mint"):
        other = turned.iloc[chain_order(turned)]
        other = other[other.mint == one.mint.iloc[0]]
        assert one[columns].to_numpy().tolist() == other[columns].to_numpy().tolist()
