"""Fills from balances: lamports are conserved exactly, rent is no part of the price, and an error trades nothing."""

import json
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from memesnipe.engine.orders import Fill
from memesnipe.feeds.pumpfun.own_trades import own_trade
from memesnipe.solana.executed import Executed
from memesnipe.solana.fills import NOT_TRADED, PoolTrade, fill_from, wallet_change
from tests.solana.executed_transactions import MINT, RENT, SALE, TIP, WALLET, executed, order

RECORDED = Path(__file__).parents[2] / "../shared/reference/specs/pump/raw_buy_tx.json"
TIPS = frozenset({TIP})
AMOUNTS = st.integers(0, 10**10)
ACCOUNT = st.none() | AMOUNTS


def filled(transaction: Executed, *, is_sale: bool = False, trade: PoolTrade | None = None) -> Fill:
    change = wallet_change(transaction, WALLET, MINT, TIPS)
    return fill_from(SALE if is_sale else order(), transaction, change, trade, 5)


def test_a_buy_that_creates_its_token_account() -> None:
    spent = 900_000 + 115_000 + RENT
    fill = filled(executed(wallet=-spent, token=(None, 480), fee=105_000, tip=10_000))
    assert (fill.token_raw, fill.sol_lamports, fill.pool_fee_lamports) == (480, 900_000, 0)
    assert fill.network_fee_lamports == 115_000 + RENT
    assert fill.cash_change_lamports == -spent


def test_a_sale_that_closes_its_token_account_gets_the_rent_back() -> None:
    fill = filled(executed(wallet=900_000 - 15_000 + RENT, token=(480, None), fee=5_000, tip=10_000), is_sale=True)
    assert (fill.token_raw, fill.sol_lamports, fill.network_fee_lamports) == (480, 900_000, 15_000 - RENT)


def test_wrapped_sol_is_the_wallets_sol_and_its_rent_is_not() -> None:
    fill = filled(executed(wallet=-5_000 - RENT, token=(480, 0), wrapped=(None, 700_000)), is_sale=True)
    assert fill.sol_lamports == 700_000 + RENT - RENT
    assert fill.network_fee_lamports == 5_000 + RENT
    assert fill.cash_change_lamports == 700_000 - 5_000 - RENT


def test_the_pools_event_gives_the_exact_fee() -> None:
    trade = PoolTrade(900_000, 11_250, 900_000)
    fill = filled(executed(wallet=-900_000 - 11_250 - 5_000, token=(3, 483)), trade=trade)
    assert (fill.sol_lamports, fill.pool_fee_lamports, fill.network_fee_lamports) == (900_000, 11_250, 5_000)


def test_an_error_costs_the_fee_and_trades_nothing() -> None:
    fill = filled(executed(wallet=-5_000, token=(3, 3), err={"InstructionError": [2, {"Custom": 6002}]}))
    assert fill.failure == '{"InstructionError":[2,{"Custom":6002}]}'
    assert (fill.token_raw, fill.sol_lamports, fill.network_fee_lamports) == (0, 0, 5_000)


def test_a_success_without_tokens_is_a_failure() -> None:
    assert filled(executed(wallet=-5_000, token=(3, 3))).failure == NOT_TRADED


@given(
    wallet=st.integers(-(10**9), 10**10), token=st.tuples(ACCOUNT, ACCOUNT), wrapped=st.tuples(ACCOUNT, ACCOUNT),
    tip=st.integers(0, 10**7), fee=st.integers(5_000, 10**7), is_sale=st.booleans(), has_err=st.booleans(),
    trade=st.none() | st.builds(PoolTrade, AMOUNTS, AMOUNTS, AMOUNTS),
)  # fmt: skip
def test_cash_changes_by_what_the_wallet_changes(
    wallet: int, token: tuple[int | None, int | None], wrapped: tuple[int | None, int | None], tip: int, fee: int,
    is_sale: bool, has_err: bool, trade: PoolTrade | None,
) -> None:  # fmt: skip
    err = {"InstructionError": [0, {"Custom": 1}]} if has_err else None
    transaction = executed(wallet=wallet, token=token, wrapped=wrapped, tip=tip, fee=fee, err=err)
    fill = filled(transaction, is_sale=is_sale, trade=trade)
    assert fill.cash_change_lamports == wallet + (wrapped[1] or 0) - (wrapped[0] or 0)
    moved = (token[1] or 0) - (token[0] or 0)
    assert fill.token_raw == (0 if fill.failure else -moved if is_sale else moved)
    assert bool(fill.failure) == (has_err or (-moved if is_sale else moved) <= 0)


@pytest.mark.skipif(not RECORDED.is_file(), reason="the recorded transaction is not here")
def test_a_recorded_transaction_that_buys_and_sells_is_no_trade() -> None:
    result = json.loads(RECORDED.read_text())["result"]
    message = result["transaction"]["message"]
    message["accountKeys"] = [key["pubkey"] for key in message["accountKeys"]]  # recorded in another encoding
    transaction = msgspec.convert(result, Executed)
    owner = transaction.accounts[0]
    change = wallet_change(transaction, owner, "HfJVjBdkhAD2ynVM8PdTSii4ECZdsxNTCx5wpEqUpump", frozenset())
    assert (change.lamports, change.token_raw, change.rent_lamports) == (706_655_008 - 708_131_176, 0, 0)
    assert own_trade(transaction.meta.log_messages or [], owner) is None
    first_sale = next(n for n, line in enumerate(transaction.meta.log_messages or []) if line.endswith("Sell")) - 1
    bought = own_trade((transaction.meta.log_messages or [])[:first_sale], owner)
    assert bought is None, "events before 2025 do not have the fee"
