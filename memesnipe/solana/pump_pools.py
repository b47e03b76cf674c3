"""The token accounts of a coin's curve and of the pool to which it migrates."""

from solders.pubkey import Pubkey

from memesnipe.solana.addresses import TOKEN_PROGRAMS, token_address
from memesnipe.solana.instructions.pumpfun import bonding_curve
from memesnipe.solana.instructions.pumpswap import canonical_pool


def pool_accounts(mint: Pubkey) -> frozenset[str]:
    """Return the addresses that the accounts have if they exist, under both token programs."""
    owners = (bonding_curve(mint), canonical_pool(mint))
    return frozenset(str(token_address(owner, mint, program)) for owner in owners for program in TOKEN_PROGRAMS)
