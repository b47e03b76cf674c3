"""Accounts of curves and pools: decoding inverts encoding, old ones are shorter, and the feed reads them."""

import base64
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from solders.pubkey import Pubkey

from memesnipe.feeds.pumpfun.accounts import Account, pool_of
from memesnipe.solana.addresses import PUMP_AMM, WRAPPED_SOL
from memesnipe.solana.instructions.pumpswap import pool_authority
from memesnipe.solana.pump_accounts import BondingCurve, PumpAccountError, PumpPool

RECORDED = Path(__file__).parents[3] / "shared/reference/specs/pump/raw_bonding_curve_account.json"
U64 = st.integers(0, 2**64 - 1)
KEYS = st.binary(min_size=32, max_size=32).map(Pubkey)
FLAGS = st.booleans()
CURVES = st.builds(BondingCurve, U64, U64, U64, U64, U64, FLAGS, KEYS, FLAGS, FLAGS, KEYS, U64, FLAGS, FLAGS, U64, U64)
POOLS = st.builds(
    PumpPool,
    *(st.integers(0, 255), st.integers(0, 65_535), KEYS, KEYS, KEYS, KEYS, KEYS, KEYS, U64, KEYS, FLAGS, FLAGS),
    *(st.integers(-(2**127), 2**127 - 1), U64, FLAGS, U64, U64),
)


@given(CURVES)
def test_decoding_a_curve_inverts_encoding(curve: BondingCurve) -> None:
    assert BondingCurve.decode(curve.encode()) == curve


@given(POOLS)
def test_decoding_a_pool_inverts_encoding(pool: PumpPool) -> None:
    assert PumpPool.decode(pool.encode()) == pool


@given(POOLS)
def test_the_feed_reads_the_same_pool(pool: PumpPool) -> None:
    found = pool_of(Account(str(PUMP_AMM), (base64.b64encode(pool.encode()).decode(), "base64")))
    assert (found.base_mint, found.quote_mint) == (bytes(pool.base_mint), bytes(pool.quote_mint))


def test_the_feed_sees_that_a_pool_is_of_a_migration() -> None:
    mint, other = Pubkey.from_bytes(bytes([1] * 32)), Pubkey.from_bytes(bytes([2] * 32))
    pool = PumpPool(255, 0, pool_authority(mint), mint, WRAPPED_SOL, other, other, other, 0)
    account = Account(str(PUMP_AMM), (base64.b64encode(pool.encode()).decode(), "base64"))
    assert pool_of(account).is_of_migration


@pytest.mark.skipif(not RECORDED.exists(), reason="the recorded account is not there")
def test_a_recorded_curve_of_2024_is_decoded() -> None:
    value: Any = json.loads(RECORDED.read_text())["result"]["value"]
    curve = BondingCurve.decode(base64.b64decode(value["data"][0]))
    assert curve.token_total_supply == 10**15
    assert curve.virtual_quote_reserves - curve.real_quote_reserves == 30 * 10**9
    assert curve.virtual_token_reserves - curve.real_token_reserves == 279_900_000 * 10**6
    assert not curve.complete


@given(CURVES, st.data())
def test_what_is_no_account_is_refused(curve: BondingCurve, data: st.DataObject) -> None:
    with pytest.raises(PumpAccountError):
        BondingCurve.decode(curve.encode()[: data.draw(st.integers(0, 47))])
    with pytest.raises(PumpAccountError):
        PumpPool.decode(curve.encode())
