"""Emulated programs: random trades over the chain are the pool maths to the lamport, and conserve lamports."""

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st
from solders.account import Account
from solders.pubkey import Pubkey

from memesnipe.feeds.pumpfun.chain_events import PoolTradeEvent
from memesnipe.feeds.pumpfun.decoder import Decoder
from memesnipe.feeds.pumpfun.own_trades import own_trade
from memesnipe.localnet.market import BUYBACK_WALLET, FEE_RECIPIENT, keypair_of
from memesnipe.localnet.programs.cashback import earned
from memesnipe.localnet.programs.creation import create_coin
from memesnipe.localnet.programs.state import rent
from memesnipe.localnet.programs.vault import sol_vault
from memesnipe.localnet.tokens import token_account
from memesnipe.market.events import LAMPORTS_PER_SOL as SOL
from memesnipe.market.events import PUMPSWAP
from memesnipe.market.pools import BPS, MIGRATION_FEE_LAMPORTS, Pool, fees_of, moved, quote_buy, quote_sell
from memesnipe.market.wide import mul_div_up
from memesnipe.solana.addresses import PUMP, PUMP_AMM, TOKEN, TOKEN_2022, WRAPPED_SOL, pda, token_address
from memesnipe.solana.curve_quotes import pool_of
from memesnipe.solana.instructions import pumpfun, pumpswap
from memesnipe.solana.instructions.pumpswap_accounts import accumulator_address
from memesnipe.solana.instructions.pumpswap_cashback import cashback_address
from memesnipe.solana.instructions.spl import create_token_account
from tests.localnet.programs.market import ME, OneCoin, spent

ACCOUNTS_RENT = rent(170) + rent(137)  # of the token account and the accumulator, in the first trade
AMOUNTS = st.lists(st.tuples(st.booleans(), st.floats(0.0001, 1.0)), min_size=3, max_size=12)


@settings(max_examples=8, deadline=None)
@given(AMOUNTS)
def test_trades_on_the_curve_are_the_pool_maths_to_the_lamport(amounts: list[tuple[bool, float]]) -> None:
    coin = OneCoin()
    curve = coin.market.curve(coin.mint)
    assert curve is not None
    pool, held, kept = pool_of(curve), 0, 0
    is_first = True
    for is_buy, share in [(True, 0.5), *amounts]:
        if is_buy:
            quote = quote_buy(pool, int(share * 5 * SOL))
            signature = coin.market.buy(ME, coin.mint, int(share * 5 * SOL))
            sign, paid = 1, quote.sol_lamports + quote.fee_lamports
        else:
            quote = quote_sell(pool, max(int(held * share), 1))
            if quote.token_raw == 0 or held == 0:
                continue
            signature = coin.market.sell(ME, coin.mint, quote.token_raw)
            sign, paid = -1, quote.fee_lamports - quote.sol_lamports
        record = coin.land(signature)
        assert record.execution.err is None
        assert spent(record) == paid + (ACCOUNTS_RENT if is_first else 0)
        is_first = False
        held, kept = held + sign * quote.token_raw, kept + quote.fee_lamports
        pool = pool._replace(
            sol_lamports=pool.sol_lamports + sign * quote.sol_lamports,
            token_raw=pool.token_raw - sign * quote.token_raw,
            real_sol_lamports=pool.real_sol_lamports + sign * quote.sol_lamports,
            real_token_raw=pool.real_token_raw - sign * quote.token_raw,
        )
        after = coin.market.curve(coin.mint)
        assert after is not None
        assert pool_of(after) == pool
        assert coin.held() == held
        assert after.protocol_fees + after.creator_fees == kept
        vault = coin.chain.account(sol_vault(coin.mint))
        assert vault is not None
        assert vault.lamports == rent(0) + pool.real_sol_lamports + kept


@settings(max_examples=4, deadline=None)
@given(AMOUNTS)
def test_trades_in_the_pool_are_the_pool_maths_to_the_lamport(amounts: list[tuple[bool, float]]) -> None:
    coin = migrated()
    state = coin.market.pool(coin.mint)
    assert state is not None
    base, quote = (
        vault.amount
        for key in (state.pool_base_token_account, state.pool_quote_token_account)
        if (vault := token_account(coin.chain.account(key)))
    )
    pool = Pool(PUMPSWAP, quote, base, quote, base, 10**15, 0, 0, 30)
    owed, held, is_first = 0, coin.held(), True
    for is_buy, share in amounts:
        fees = fees_of(pool)
        budget, amount = int(share * 20 * SOL), max(int(held * share), 1)
        traded = quote_buy(pool, budget) if is_buy else quote_sell(pool, amount)
        if traded.token_raw == 0 or (not is_buy and held == 0):
            continue
        signature = coin.market.buy(ME, coin.mint, budget) if is_buy else coin.market.sell(ME, coin.mint, amount)
        record = coin.land(signature)
        assert record.execution.err is None
        sign = 1 if is_buy else -1
        paid = sign * traded.sol_lamports + traded.fee_lamports
        assert spent(record) == paid + (rent(137) if is_first else 0)
        is_first = False
        owed += sum(mul_div_up(traded.sol_lamports, bps, BPS) for bps in (fees.protocol, fees.creator))
        sol = sign * traded.pool_sol_lamports
        pool = Pool(
            PUMPSWAP,
            pool.sol_lamports + sol,
            pool.token_raw - sign * traded.token_raw,
            pool.real_sol_lamports + sol,
            pool.real_token_raw - sign * traded.token_raw,
            *pool[5:],
        )
        held += sign * traded.token_raw
        after = coin.market.pool(coin.mint)
        vault = token_account(coin.chain.account(state.pool_quote_token_account))
        assert after is not None
        assert vault is not None
        assert after.virtual_quote_reserves == -owed == -(after.protocol_fees + after.creator_fees)
        assert vault.amount + after.virtual_quote_reserves == pool.sol_lamports
        assert coin.held() == held


def migrated() -> OneCoin:
    coin = OneCoin()
    coin.complete()
    curve = coin.market.curve(coin.mint)
    assert curve is not None
    assert curve.complete
    opening = curve.real_quote_reserves - MIGRATION_FEE_LAMPORTS
    tokens = token_account(coin.chain.account(token_address(pumpfun.bonding_curve(coin.mint), coin.mint, TOKEN_2022)))
    assert tokens is not None
    assert coin.err(coin.market.migrate(coin.mint)) is None
    pool = coin.market.pool(coin.mint)
    assert pool is not None
    base, quote = (
        token_account(coin.chain.account(key)) for key in (pool.pool_base_token_account, pool.pool_quote_token_account)
    )
    assert base is not None
    assert quote is not None
    assert (base.amount, quote.amount) == (tokens.amount, opening)
    return coin


def test_the_last_buy_goes_on_into_the_future_pool() -> None:
    coin = OneCoin()
    record = coin.land(coin.market.buy(ME, coin.mint, 100 * SOL))
    assert record.execution.err is None
    assert coin.held() > 793_100_000 * 10**6
    assert 100 * SOL - 3 <= spent(record) - ACCOUNTS_RENT <= 100 * SOL  # each part's fees are rounded up
    assert coin.err(coin.market.buy(ME, coin.mint, SOL)) == 6005


def test_errors_of_the_curve_land_and_pay_their_fee() -> None:
    coin = OneCoin()
    coin.land(coin.market.buy(ME, coin.mint, SOL))
    held = coin.held()
    accounts = pumpfun.trade_v3_accounts(coin.mint, TOKEN_2022, ME.pubkey(), BUYBACK_WALLET)
    expected = {
        pumpfun.BuyV3(accounts, 10**12, 1): 6002,
        pumpfun.BuyV3(accounts, 0, 1): 6020,
        pumpfun.BuyExactQuoteInV3(accounts, SOL, 10**15): 6042,
        pumpfun.SellV3(accounts, held, 2 * SOL): 6003,
        pumpfun.SellV3(accounts, 0, 0): 6022,
        pumpfun.SellV3(accounts, held + 1, 0): 1,  # the token program's: insufficient funds
    }
    for trade, code in expected.items():
        before = coin.chain.account(ME.pubkey())
        record = coin.land(coin.market.send(ME, pumpfun.encode(trade)))
        after = coin.chain.account(ME.pubkey())
        assert record.execution.err is not None
        assert record.execution.err["InstructionError"][1] == {"Custom": code}
        assert record.execution.logs[-1] == f"Program {pumpfun.PUMP} failed: custom program error: {code:#x}"
        assert before is not None
        assert after is not None
        assert before.lamports - after.lamports == record.execution.fee > 0
    assert coin.held() == held


def test_two_trades_in_one_transaction_see_each_other() -> None:
    coin = OneCoin()
    accounts = pumpfun.trade_v3_accounts(coin.mint, TOKEN_2022, ME.pubkey(), BUYBACK_WALLET)
    buy = pumpfun.encode(pumpfun.BuyExactQuoteInV3(accounts, SOL, 0))
    account = create_token_account(ME.pubkey(), ME.pubkey(), coin.mint, TOKEN_2022)
    record = coin.land(coin.market.send(ME, account, buy, buy))
    assert record.execution.err is None
    both = coin.held()
    other = OneCoin()
    other.land(other.market.buy(ME, other.mint, SOL))
    other.land(other.market.buy(ME, other.mint, SOL))
    assert both == other.held()
    assert coin.market.curve(coin.mint) == other.market.curve(other.mint)


def test_v2_trades_pay_their_fees_at_once() -> None:
    coin = OneCoin()
    curve = coin.market.curve(coin.mint)
    assert curve is not None
    user = ME.pubkey()
    accounts = pumpfun.trade_v2_accounts(coin.mint, TOKEN_2022, user, curve.creator, FEE_RECIPIENT, BUYBACK_WALLET)
    before = coin.chain.account(FEE_RECIPIENT)
    account = create_token_account(user, user, coin.mint, TOKEN_2022)
    trade = pumpfun.encode(pumpfun.BuyExactQuoteInV2(accounts, 10 * SOL, 0))
    assert coin.err(coin.market.send(ME, account, trade)) is None
    after = coin.chain.account(FEE_RECIPIENT)
    quote = quote_buy(pool_of(curve), 10 * SOL)
    assert before is not None
    assert after is not None
    assert after.lamports - before.lamports == mul_div_up(quote.sol_lamports, 95, BPS)
    assert coin.held() == quote.token_raw


@settings(max_examples=6, deadline=None)
@given(AMOUNTS)
def test_v1_trades_of_cashback_coins_are_the_pool_maths_to_the_lamport(amounts: list[tuple[bool, float]]) -> None:
    coin = migrated()
    address = pumpswap.canonical_pool(coin.mint)
    account, state = coin.chain.account(address), coin.market.pool(coin.mint)
    assert account is not None
    assert state is not None
    data = replace(state, is_cashback_coin=True).encode()
    coin.chain.set_account(address, Account(account.lamports, data, PUMP_AMM))
    user = ME.pubkey()
    protocol, cashback = token_address(FEE_RECIPIENT, WRAPPED_SOL, TOKEN), cashback_address(user)
    paid_before = sol_in(coin, protocol)
    base, quote = coin.market.vaults(coin.mint) or (0, 0)
    pool = Pool(PUMPSWAP, quote, base, quote, base, 10**15, 0, 0, 1)
    owed, held, is_first = [0, 0], coin.held(), True
    for is_buy, share in [(True, 0.1), *amounts]:
        fees, budget, amount = fees_of(pool), int(share * 20 * SOL), max(int(held * share), 1)
        traded = quote_buy(pool, budget) if is_buy else quote_sell(pool, amount)
        if traded.token_raw == 0 or (not is_buy and (held == 0 or traded.sol_lamports <= traded.fee_lamports)):
            continue
        record = coin.land(
            coin.market.buy(ME, coin.mint, budget) if is_buy else coin.market.sell(ME, coin.mint, amount)
        )
        assert record.execution.err is None, record.execution.logs
        sign = 1 if is_buy else -1
        rents = (rent(137) + rent(165)) * is_first
        assert spent(record) == sign * traded.sol_lamports + traded.fee_lamports + rents
        is_first, held = False, held + sign * traded.token_raw
        for at, bps in enumerate((fees.protocol, fees.creator)):
            owed[at] += mul_div_up(traded.sol_lamports, bps, BPS)
        sol, raw = sign * traded.pool_sol_lamports, sign * traded.token_raw
        pool = moved(pool, sol, -raw)
        assert (coin.held(), coin.market.vaults(coin.mint)) == (held, (pool.token_raw, pool.sol_lamports))
        (event,) = (one for one in Decoder().decode(0, record.execution.logs).events if isinstance(one, PoolTradeEvent))
        assert event.pool_quote_token_reserves + sign * event.pool_quote_amount == pool.sol_lamports
        assert (event.cashback_fee_basis_points, event.coin_creator_fee_basis_points) == (fees.creator, 0)
        assert [sol_in(coin, protocol) - paid_before, sol_in(coin, cashback)] == owed
        accumulator = coin.chain.account(accumulator_address(user))
        assert accumulator is not None
        assert earned(bytes(accumulator.data)) == owed[1]
        after = coin.market.pool(coin.mint)
        assert after is not None
        assert (after.virtual_quote_reserves, after.protocol_fees, after.creator_fees) == (0, 0, 0)


def sol_in(coin: OneCoin, address: Pubkey) -> int:
    """Return the wrapped SOL in a token account; 0 if there is none."""
    found = token_account(coin.chain.account(address))
    return found.amount if found else 0


def test_cashback_on_the_curve_goes_to_the_accumulator() -> None:
    coin = OneCoin()
    mint = keypair_of("cashback")
    created = create_coin(mint.pubkey(), ME.pubkey(), "c", "c", is_cashback=True)
    assert coin.err(coin.market.send(ME, created, signers=[mint])) is None
    curve = coin.market.curve(mint.pubkey())
    assert curve is not None
    vault = coin.chain.account(pda(PUMP, b"creator-vault", ME.pubkey()))
    quote = quote_buy(pool_of(curve), 10 * SOL)
    record = coin.land(coin.market.buy(ME, mint.pubkey(), 10 * SOL))
    assert record.execution.err is None
    accumulator = coin.chain.account(pda(PUMP, b"user_volume_accumulator", ME.pubkey()))
    assert accumulator is not None
    assert accumulator.lamports == rent(137) + mul_div_up(quote.sol_lamports, 30, BPS)
    assert coin.chain.account(pda(PUMP, b"creator-vault", ME.pubkey())) == vault
    trade = own_trade(record.execution.logs, str(ME.pubkey()))
    assert trade is not None
    assert (trade.sol_lamports, trade.fee_lamports) == (quote.sol_lamports, quote.fee_lamports)


def test_a_curve_that_is_not_complete_does_not_migrate() -> None:
    coin = OneCoin()
    assert coin.err(coin.market.migrate(coin.mint)) == 6006
    whole = migrated()
    assert whole.err(whole.market.migrate(whole.mint)) == 6081


def test_a_seed_makes_a_market() -> None:
    def trades(seed: int) -> list[tuple[int, int]]:
        coin = OneCoin(seed)
        found = []
        for _ in range(40):
            signature = coin.market.step()
            assert signature is not None
            record = coin.land(signature)
            assert record.execution.err is None
            curve = coin.market.curve(coin.mint)
            assert curve is not None
            found.append((curve.real_quote_reserves, curve.real_token_reserves))
        return found

    assert trades(1) == trades(1) != trades(2)
