"""Swaps in the PumpSwap pool of a coin's migration, with SOL wrapped before and unwrapped after.

v2 instructions, and v1 for cashback coins, which v2 refuses. The creator's fee is that of the tier if the pool has a
creator; a fee of the pool's own (`creator_fee_bps`) counts only while a switch of the program is on, and has no route.
Source: ``fees.ts`` of PumpSwap's SDK.
"""

from solders.instruction import Instruction
from solders.pubkey import Pubkey
from solders.system_program import TransferParams, transfer

from memesnipe.market.events import PUMPSWAP
from memesnipe.market.pools import Pool, quote_buy, quote_sell
from memesnipe.solana.addresses import TOKEN, WRAPPED_SOL, token_address
from memesnipe.solana.direct.accounts import CoinAccounts
from memesnipe.solana.instructions import pumpswap
from memesnipe.solana.instructions.pumpswap_accounts import accumulator_address
from memesnipe.solana.instructions.pumpswap_cashback import (
    CashbackTradeAccounts,
    cashback_trade_accounts,
    create_accumulator,
)
from memesnipe.solana.instructions.spl import close_account, create_token_account, sync_native
from memesnipe.solana.pump_accounts import NO_KEY, PumpPool
from memesnipe.solana.swap_plan import NoRouteError, Swap

NAME = "PumpSwap"


def check_pool(pool: PumpPool, coin: CoinAccounts) -> None:
    """Check that the maths of the pool are known.

    Raises:
        NoRouteError: they are not.
    """
    address = pumpswap.canonical_pool(coin.mint)
    vaults = (
        token_address(address, coin.mint, coin.token_program),
        token_address(address, WRAPPED_SOL, TOKEN),
    )
    if (pool.base_mint, pool.quote_mint) != (coin.mint, WRAPPED_SOL):
        raise NoRouteError(f"{NAME}: the pool is quoted in {pool.quote_mint}, not in SOL")
    if (pool.pool_base_token_account, pool.pool_quote_token_account) != vaults:
        raise NoRouteError(f"{NAME}: the pool has other vaults than those derived from it")
    if pool.is_mayhem_mode or pool.creator_fee_bps:
        raise NoRouteError(f"{NAME}: the pool has fees of its own")
    if pool.is_cashback_coin and pool.coin_creator == NO_KEY:
        raise NoRouteError(f"{NAME}: which accounts a cashback coin without a creator takes is not known")
    if coin.pool_config is None or coin.pool_config.disable_flags:
        raise NoRouteError(f"{NAME}: functions of the program are switched off")


def expected_out(swap: Swap, pool: PumpPool, coin: CoinAccounts) -> int:
    """Return what a swap brings now: raw tokens or lamports, after fees.

    Raises:
        NoRouteError: it brings nothing.
    """
    effective = coin.pool_quote + pool.virtual_quote_reserves
    real = min(effective, coin.pool_quote)
    has_creator = int(pool.coin_creator != NO_KEY)
    priced = Pool(PUMPSWAP, effective, coin.pool_tokens, real, coin.pool_tokens, coin.supply, 0, 0, has_creator)
    if swap.side == "buy":
        out = quote_buy(priced, swap.amount_in).token_raw
    else:
        quote = quote_sell(priced, swap.amount_in)
        out = quote.sol_lamports - quote.fee_lamports
    if out <= 0:
        raise NoRouteError(f"{NAME}: the swap brings nothing")
    return out


def pool_instructions(
    swap: Swap, pool: PumpPool, coin: CoinAccounts, wallet: Pubkey, min_out: int
) -> list[Instruction]:
    """Return the instructions of a swap; what is left of wrapped SOL is unwrapped."""
    wrapped = token_address(wallet, WRAPPED_SOL, TOKEN)
    setup = [create_token_account(wallet, wallet, WRAPPED_SOL, TOKEN)]
    if swap.side == "buy":
        paid = TransferParams(from_pubkey=wallet, to_pubkey=wrapped, lamports=swap.amount_in)
        setup += [transfer(paid), sync_native(wrapped, TOKEN)]
    elif pool.is_cashback_coin:
        setup += _for_cashback(coin, wallet)
    accounts = _accounts(pool, coin, wallet)
    trade: pumpswap.PoolTrade = pumpswap.PoolSell(accounts, swap.amount_in, min_out)
    if swap.side == "buy":
        track_volume = True if pool.is_cashback_coin else None
        trade = pumpswap.PoolBuyExactQuoteIn(accounts, swap.amount_in, min_out, track_volume)
    return [*setup, pumpswap.encode(trade), close_account(wrapped, wallet, wallet, TOKEN)]


def _accounts(pool: PumpPool, coin: CoinAccounts, wallet: Pubkey) -> pumpswap.PoolTradeAccounts | CashbackTradeAccounts:
    assert coin.pool_config is not None  # noqa: S101 - checked
    address, program, config = pumpswap.canonical_pool(coin.mint), coin.token_program, coin.pool_config
    if not pool.is_cashback_coin:
        return pumpswap.pool_trade_accounts(address, coin.mint, program, wallet, config.buyback_recipient)
    return cashback_trade_accounts(
        address, coin.mint, program, wallet, pool.coin_creator, config.fee_recipient, config.buyback_recipient
    )


def _for_cashback(coin: CoinAccounts, wallet: Pubkey) -> list[Instruction]:
    """Return what creates the accounts for cashback.

    A buy creates them itself; whether a sale does is documented nowhere.
    """
    missing = [] if coin.has_accumulator else [create_accumulator(wallet)]
    if not coin.has_cashback_account:
        missing.append(create_token_account(wallet, accumulator_address(wallet), WRAPPED_SOL, TOKEN))
    return missing
