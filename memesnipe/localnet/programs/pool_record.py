"""The record of the pool that a coin gets when its curve is sold out."""

from solders.pubkey import Pubkey

from memesnipe.solana.addresses import PUMP_AMM, TOKEN, TOKEN_2022, WRAPPED_SOL, pda, token_address
from memesnipe.solana.instructions.pumpswap import canonical_pool, pool_authority
from memesnipe.solana.pump_accounts import PumpPool


def new_pool(mint: Pubkey, creator: Pubkey) -> PumpPool:
    """Return the pool of a coin against SOL; a creator other than `NO_KEY` is paid a share."""
    address = canonical_pool(mint)
    return PumpPool(
        pool_bump=0,
        index=0,
        creator=pool_authority(mint),
        base_mint=mint,
        quote_mint=WRAPPED_SOL,
        lp_mint=pda(PUMP_AMM, b"pool_lp_mint", address),
        pool_base_token_account=token_address(address, mint, TOKEN_2022),
        pool_quote_token_account=token_address(address, WRAPPED_SOL, TOKEN),
        lp_supply=0,
        coin_creator=creator,
    )
