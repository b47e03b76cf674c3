"""The accounts that every trade in a pool of PumpSwap names, in v1 as in v2."""

from solders.pubkey import Pubkey

from memesnipe.solana.addresses import (
    PUMP_AMM,
    PUMP_AMM_EVENT_AUTHORITY,
    PUMP_AMM_FEE_CONFIG,
    PUMP_AMM_GLOBAL_CONFIG,
    SYSTEM,
    TOKEN,
    WRAPPED_SOL,
    pda,
    token_address,
)


def accumulator_address(wallet: Pubkey) -> Pubkey:
    """Return the account in which PumpSwap adds up what a wallet trades."""
    return pda(PUMP_AMM, b"user_volume_accumulator", wallet)


def common_accounts(pool: Pubkey, mint: Pubkey, base_token_program: Pubkey, user: Pubkey) -> dict[str, Pubkey]:
    """Return the accounts, by name, of a trade in a pool that is quoted in SOL.

    Args:
        pool: address of the pool.
        mint: of its coin.
        base_token_program: of the mint.
        user: who trades.
    """
    return {
        "pool": pool,
        "user": user,
        "global_config": PUMP_AMM_GLOBAL_CONFIG,
        "base_mint": mint,
        "quote_mint": WRAPPED_SOL,
        "user_base_token_account": token_address(user, mint, base_token_program),
        "user_quote_token_account": token_address(user, WRAPPED_SOL, TOKEN),
        "pool_base_token_account": token_address(pool, mint, base_token_program),
        "pool_quote_token_account": token_address(pool, WRAPPED_SOL, TOKEN),
        "base_token_program": base_token_program,
        "quote_token_program": TOKEN,
        "system_program": SYSTEM,
        "user_volume_accumulator": accumulator_address(user),
        "fee_config": PUMP_AMM_FEE_CONFIG,
        "event_authority": PUMP_AMM_EVENT_AUTHORITY,
        "program": PUMP_AMM,
    }
