"""Swaps in the PumpSwap pool of a coin's migration: v2 instructions, with SOL wrapped before and unwrapped after."""

from solders.instruction import Instruction
from solders.pubkey import Pubkey
from solders.system_program import TransferParams, transfer

from memesnipe.market.events import PUMPSWAP
from memesnipe.market.pools import Pool, quote_buy, quote_sell
from memesnipe.solana.addresses import TOKEN, WRAPPED_SOL, token_address
from memesnipe.solana.direct.accounts import CoinAccounts
from memesnipe.solana.instructions import pumpswap
from memesnipe.solana.instructions.spl import close_account, create_token_account, sync_native
from memesnipe.solana.pump_accounts import PumpPool
from memesnipe.solana.swap_plan import NoRouteError, Swap

NAME = "PumpSwap"
_CREATOR_FEE_BPS = (0, 30)  # 0: the coin has no creator's fee; 30: it follows the tiers


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
    if pool.is_mayhem_mode or pool.creator_fee_bps not in _CREATOR_FEE_BPS:
        raise NoRouteError(f"{NAME}: the pool has fees of its own")
    if pool.is_cashback_coin:
        raise NoRouteError(f"{NAME}: v2 trades refuse cashback coins")
    if coin.pool_config is None or coin.pool_config.disable_flags:
        raise NoRouteError(f"{NAME}: functions of the program are switched off")


def expected_out(swap: Swap, pool: PumpPool, coin: CoinAccounts) -> int:
    """Return what a swap brings now: raw tokens or lamports, after fees.

    Raises:
        NoRouteError: it brings nothing.
    """
    effective = coin.pool_quote + pool.virtual_quote_reserves
    real = min(effective, coin.pool_quote)
    priced = Pool(
        PUMPSWAP, effective, coin.pool_tokens, real, coin.pool_tokens, coin.supply, 0, 0, pool.creator_fee_bps
    )
    if swap.side == "buy":
        out = quote_buy(priced, swap.amount_in).token_raw
    else:
        quote = quote_sell(priced, swap.amount_in)
        out = quote.sol_lamports - quote.fee_lamports
    if out <= 0:
        raise NoRouteError(f"{NAME}: the swap brings nothing")
    return out


def pool_instructions(swap: Swap, coin: CoinAccounts, wallet: Pubkey, min_out: int) -> list[Instruction]:
    """Return the instructions of a swap; what is left of wrapped SOL is unwrapped."""
    assert coin.pool_config is not None  # noqa: S101 - checked
    wrapped = token_address(wallet, WRAPPED_SOL, TOKEN)
    pool, recipient = pumpswap.canonical_pool(coin.mint), coin.pool_config.buyback_recipient
    accounts = pumpswap.pool_trade_accounts(pool, coin.mint, coin.token_program, wallet, recipient)
    setup = [create_token_account(wallet, wallet, WRAPPED_SOL, TOKEN)]
    if swap.side == "buy":
        paid = TransferParams(from_pubkey=wallet, to_pubkey=wrapped, lamports=swap.amount_in)
        setup += [transfer(paid), sync_native(wrapped, TOKEN)]
    kind = pumpswap.PoolBuyExactQuoteIn if swap.side == "buy" else pumpswap.PoolSell
    trade = pumpswap.encode(kind(accounts, swap.amount_in, min_out))
    return [*setup, trade, close_account(wrapped, wallet, wallet, TOKEN)]
