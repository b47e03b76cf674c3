"""The accounts of the local chain that mainnet has not."""

from solders.pubkey import Pubkey

from memesnipe.solana.addresses import PUMP, pda


def sol_vault(mint: Pubkey) -> Pubkey:
    """Return the account without data that holds the lamports of a coin's curve, and its rent."""
    return pda(PUMP, b"local-sol-vault", mint)
