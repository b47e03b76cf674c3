"""What PumpSwap and Jupiter refuse lands with their error code, pays its fee and changes nothing else."""

from dataclasses import replace

import pytest
from solders.account import Account
from solders.instruction import AccountMeta, Instruction
from solders.pubkey import Pubkey

from memesnipe.localnet import swap_quotes
from memesnipe.localnet.market import BUYBACK_WALLET
from memesnipe.market.events import LAMPORTS_PER_SOL as SOL
from memesnipe.solana.addresses import JUPITER, PUMP_AMM, TOKEN, TOKEN_2022, WRAPPED_SOL, token_address
from memesnipe.solana.instructions import jupiter, pumpswap
from memesnipe.solana.instructions.spl import create_token_account
from memesnipe.solana.pump_accounts import PumpPool
from tests.localnet.programs.market import ME, OneCoin
from tests.localnet.programs.test_programs import migrated

USER = ME.pubkey()
WRAP = create_token_account(USER, USER, WRAPPED_SOL, TOKEN)


@pytest.fixture(scope="module")
def coin() -> OneCoin:
    return migrated()


def accounts(coin: OneCoin) -> pumpswap.PoolTradeAccounts:
    pool = pumpswap.canonical_pool(coin.mint)
    return pumpswap.pool_trade_accounts(pool, coin.mint, TOKEN_2022, USER, BUYBACK_WALLET)


def state(coin: OneCoin) -> object:
    return coin.market.pool(coin.mint), coin.market.vaults(coin.mint), coin.held()


def test_trades_that_the_pool_refuses(coin: OneCoin) -> None:
    known = accounts(coin)
    elsewhere = replace(known, pool_base_token_account=known.pool_quote_token_account)
    expected = {
        pumpswap.PoolBuy(known, 10**9, 1): 6004,
        pumpswap.PoolBuy(known, 0, SOL): 6001,
        pumpswap.PoolBuy(known, 10**15, SOL): 6016,
        pumpswap.PoolBuyExactQuoteIn(known, SOL, 10**15): 6040,
        pumpswap.PoolBuyExactQuoteIn(known, 1, 0): 6002,
        pumpswap.PoolSell(known, 10**9, SOL): 6004,
        pumpswap.PoolSell(known, 0, 0): 6001,
        pumpswap.PoolSell(elsewhere, 10**9, 0): 6014,
        pumpswap.PoolBuyExactQuoteIn(known, SOL, 1): 1,  # of SPL Token: no SOL is wrapped
        pumpswap.PoolBuyExactQuoteIn(replace(known, pool=USER), SOL, 1): 3012,  # no pool
    }
    before = state(coin)
    for trade, code in expected.items():
        assert coin.err(coin.market.send(ME, WRAP, pumpswap.encode(trade))) == code, trade
    assert state(coin) == before


def test_a_pool_of_a_cashback_coin_refuses_v2() -> None:
    coin = migrated()
    address = pumpswap.canonical_pool(coin.mint)
    account = coin.chain.account(address)
    assert account is not None
    changed = replace(PumpPool.decode(bytes(account.data)), is_cashback_coin=True)
    coin.chain.set_account(address, Account(account.lamports, changed.encode(), PUMP_AMM))
    sale = pumpswap.encode(pumpswap.PoolSell(accounts(coin), 10**9, 0))
    assert coin.err(coin.market.send(ME, WRAP, sale)) == 6079


def test_routes_that_jupiter_refuses(coin: OneCoin) -> None:
    quote = swap_quotes.quote(coin.chain, WRAPPED_SOL, coin.mint, SOL)
    found = swap_quotes.instructions(quote, USER, 0)
    route = jupiter.decode(bytes(found.swap.data), list(found.swap.accounts))
    assert isinstance(route, jupiter.RouteV2)
    other = AccountMeta(Pubkey.from_bytes(bytes([9] * 32)), is_signer=False, is_writable=False)
    expected = {
        replace(route, quoted_out_amount=route.quoted_out_amount + 1): 6001,
        replace(route, remaining_accounts=()): 6008,
        replace(route, remaining_accounts=route.remaining_accounts[:5]): 6008,
        replace(route, remaining_accounts=(other, *route.remaining_accounts[1:])): 6016,
    }
    before = state(coin)
    for one, code in expected.items():
        assert coin.err(coin.market.send(ME, *found.setup, jupiter.encode(one), found.cleanup)) == code
    assert coin.err(coin.market.send(ME, Instruction(JUPITER, bytes(8), []))) == 101
    assert state(coin) == before
    assert coin.err(coin.market.send(ME, *found.setup, found.swap, found.cleanup)) is None
    assert coin.chain.account(token_address(USER, WRAPPED_SOL, TOKEN)) is None  # unwrapped
