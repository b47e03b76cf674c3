"""What PumpSwap and Jupiter refuse lands with their error code, pays its fee and changes nothing else."""

from dataclasses import replace

import pytest
from solders.account import Account
from solders.instruction import AccountMeta, Instruction
from solders.pubkey import Pubkey

from memesnipe.localnet import swap_quotes
from memesnipe.localnet.market import BUYBACK_WALLET, FEE_RECIPIENT, keypair_of
from memesnipe.market.events import LAMPORTS_PER_SOL as SOL
from memesnipe.solana.addresses import JUPITER, PUMP_AMM, TOKEN, TOKEN_2022, WRAPPED_SOL, token_address
from memesnipe.solana.instructions import jupiter, pumpswap
from memesnipe.solana.instructions.pumpswap_cashback import (
    CashbackTradeAccounts,
    cashback_trade_accounts,
    create_accumulator,
)
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


@pytest.fixture(scope="module")
def cashback_coin() -> OneCoin:
    coin = migrated()
    address = pumpswap.canonical_pool(coin.mint)
    account = coin.chain.account(address)
    assert account is not None
    changed = replace(PumpPool.decode(bytes(account.data)), is_cashback_coin=True)
    coin.chain.set_account(address, Account(account.lamports, changed.encode(), PUMP_AMM))
    return coin


def v1_accounts(coin: OneCoin) -> CashbackTradeAccounts:
    pool = pumpswap.canonical_pool(coin.mint)
    creator = coin.market.pool(coin.mint).coin_creator  # type: ignore[union-attr]
    return cashback_trade_accounts(pool, coin.mint, TOKEN_2022, USER, creator, FEE_RECIPIENT, BUYBACK_WALLET)


def test_a_pool_of_a_cashback_coin_refuses_v2(cashback_coin: OneCoin) -> None:
    sale = pumpswap.encode(pumpswap.PoolSell(accounts(cashback_coin), 10**9, 0))
    assert cashback_coin.err(cashback_coin.market.send(ME, WRAP, sale)) == 6079


def test_v1_trades_that_the_pool_of_a_cashback_coin_refuses(cashback_coin: OneCoin) -> None:
    coin, known = cashback_coin, v1_accounts(cashback_coin)
    other = keypair_of("nobody").pubkey()
    expected = {
        pumpswap.PoolBuyExactQuoteIn(replace(known, user_volume_accumulator=other), SOL, 0, True): 6060,
        pumpswap.PoolSell(known, 10**9, 0): 6060,  # the wallet has none yet
        pumpswap.PoolBuyExactQuoteIn(replace(known, cashback_token_account=other), SOL, 0, True): 6061,
        pumpswap.PoolBuyExactQuoteIn(replace(known, pool_v2=other), SOL, 0, True): 6062,
        pumpswap.PoolBuyExactQuoteIn(replace(known, protocol_fee_recipient=other), SOL, 0, True): 6013,
        pumpswap.PoolBuyExactQuoteIn(replace(known, buyback_wallet=other), SOL, 0, True): 6053,
        pumpswap.PoolBuyExactQuoteIn(known, SOL, 10**15, True): 6040,
    }
    before = state(coin)
    for trade, code in expected.items():
        assert coin.err(coin.market.send(ME, WRAP, pumpswap.encode(trade))) == code, trade
    whole = pumpswap.encode(pumpswap.PoolSell(known, 10**9, 0))
    of_the_idl = Instruction(PUMP_AMM, bytes(whole.data), whole.accounts[:21])
    assert coin.err(coin.market.send(ME, WRAP, of_the_idl)) == 6059
    assert state(coin) == before


def test_a_pool_of_another_coin_refuses_the_accounts_of_cashback(coin: OneCoin) -> None:
    trade = pumpswap.PoolBuyExactQuoteIn(v1_accounts(coin), SOL, 0, True)
    assert coin.err(coin.market.send(ME, WRAP, pumpswap.encode(trade))) == 6062


def test_an_accumulator_is_created_once_and_at_its_address(cashback_coin: OneCoin) -> None:
    coin, created = cashback_coin, create_accumulator(USER)
    metas = [*created.accounts[:2], AccountMeta(keypair_of("nobody").pubkey(), False, True), *created.accounts[3:]]
    assert coin.err(coin.market.send(ME, Instruction(PUMP_AMM, bytes(created.data), metas))) == 2006
    assert coin.err(coin.market.send(ME, Instruction(PUMP_AMM, bytes(created.data), metas[:5]))) == 3005
    assert coin.err(coin.market.send(ME, created)) is None
    assert coin.err(coin.market.send(ME, created)) == 0  # of the system program: the account is in use


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
