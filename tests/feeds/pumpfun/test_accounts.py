"""Accounts of pools and mints are read at every length they have had, and anything else is refused."""

import contextlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from solders.pubkey import Pubkey

from memesnipe.feeds.pumpfun.accounts import Account, AccountError, MintAccount, accounts_of, mint_of, pool_of
from memesnipe.feeds.pumpfun.coins import base58
from memesnipe.feeds.pumpfun.programs import PUMP, PUMP_AMM
from memesnipe.feeds.pumpfun.quotes import WRAPPED_SOL_KEY
from tests.feeds.pumpfun.chain import MAKER, MINT
from tests.feeds.pumpfun.node import (
    SUPPLY,
    TOKEN_2022,
    TOKEN_PROGRAM,
    account,
    authority_of,
    mint_data,
    pool_data,
    with_extension,
)
from tests.feeds.pumpfun.recorded import SHARED


def the_account(owner: str, data: bytes) -> Account:
    (found,) = accounts_of({"value": [account(owner, data)]}, 1)
    assert found is not None
    return found


@pytest.mark.parametrize("size", [211, 243, 244, 245, 261, 269, 270, 300, 1_000])
def test_a_pool_is_read_at_every_length(size: int) -> None:
    found = pool_of(the_account(PUMP_AMM, pool_data(size=size)))
    assert (found.base_mint, found.quote_mint) == (MINT, WRAPPED_SOL_KEY)
    assert found.coin_creator == (MAKER if size >= 243 else b"")
    assert not found.is_of_migration


def test_the_pool_of_a_migration_is_the_first_of_its_coins_authority() -> None:
    authority = authority_of(MINT)
    assert pool_of(the_account(PUMP_AMM, pool_data(creator=authority))).is_of_migration
    assert not pool_of(the_account(PUMP_AMM, pool_data(creator=authority, index=1))).is_of_migration


@pytest.mark.parametrize(
    ("owner", "data"),
    [
        (PUMP, pool_data()),
        (PUMP_AMM, b"\0" + pool_data()[1:]),
        (PUMP_AMM, pool_data(size=210)),
        (PUMP_AMM, b""),
        (TOKEN_PROGRAM, mint_data()),
    ],
)
def test_other_accounts_are_no_pools(owner: str, data: bytes) -> None:
    with pytest.raises(AccountError):
        pool_of(the_account(owner, data))


def test_mints_of_both_token_programs_are_read() -> None:
    assert mint_of(the_account(TOKEN_PROGRAM, mint_data(9))) == MintAccount(SUPPLY, 9)
    assert mint_of(the_account(TOKEN_2022, with_extension(mint_data(6, 5)))) == MintAccount(5, 6)


@pytest.mark.parametrize(
    ("owner", "data"),
    [
        (PUMP_AMM, mint_data()),
        (TOKEN_PROGRAM, mint_data(is_initialized=False)),
        (TOKEN_PROGRAM, mint_data().ljust(165, b"\0")),  # an account of a holder has this length
        (TOKEN_2022, mint_data().ljust(165, b"\0") + b"\2" + bytes(20)),
        (TOKEN_2022, mint_data()[:-1]),
    ],
)
def test_other_accounts_are_no_mints(owner: str, data: bytes) -> None:
    with pytest.raises(AccountError):
        mint_of(the_account(owner, data))


def test_data_that_is_no_base64_is_refused() -> None:
    with pytest.raises(AccountError, match="no base64"):
        pool_of(Account(PUMP_AMM, ("?", "base64")))


@pytest.mark.parametrize(
    "result", [None, {}, {"value": None}, {"value": [1]}, {"value": []}, {"value": [None, None]}, {"value": ["a"]}]
)
def test_results_of_another_form_are_refused(result: object) -> None:
    with pytest.raises(AccountError, match="getMultipleAccounts"):
        accounts_of(result, 1)


@given(st.binary(max_size=400))
def test_no_data_raises_another_error(data: bytes) -> None:
    for owner, read in ((PUMP_AMM, pool_of), (TOKEN_2022, mint_of)):
        with contextlib.suppress(AccountError):
            read(the_account(owner, data))


def test_programs_are_addresses() -> None:
    assert base58(bytes(Pubkey.from_string(TOKEN_2022))) == TOKEN_2022


TRENDING = SHARED / "data/wire/geckoterminal/trending_pools.json"


@pytest.mark.skipif(not TRENDING.is_file(), reason="there are no recorded pools")
def test_recorded_pools_are_at_the_address_of_their_coins_authority() -> None:
    """The seeds are right: 17 of the 18 recorded pools of PumpSwap are those of a migration."""
    pools = [pool for pool in _pools_in(json.loads(TRENDING.read_text())) if pool[2] == "pumpswap"]
    of_migration = 0
    for address, mint, _ in pools:
        seeds = [b"pool", b"\0\0", authority_of(mint), mint, WRAPPED_SOL_KEY]
        found, _ = Pubkey.find_program_address(seeds, Pubkey.from_string(PUMP_AMM))
        of_migration += str(found) == address
    assert (len(pools), of_migration) == (18, 17)


def _pools_in(found: Any) -> list[tuple[str, bytes, str]]:
    """Return the address, the mint and the exchange of every pool in a reply."""
    if isinstance(found, dict) and found.get("type") == "pool" and "relationships" in found:
        related = {name: one["data"]["id"] for name, one in found["relationships"].items() if "id" in one["data"]}
        mint = bytes(Pubkey.from_string(related["base_token"].removeprefix("solana_")))
        return [(found["id"].removeprefix("solana_"), mint, related["dex"])]
    values = found.values() if isinstance(found, dict) else found if isinstance(found, list) else []
    return [pool for value in values for pool in _pools_in(value)]
