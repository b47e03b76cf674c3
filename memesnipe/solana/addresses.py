"""Addresses on mainnet: programs, mints, and the accounts that take tips.

Sources: the IDLs of pump.fun and PumpSwap (``pump-fun/pump-public-docs``), Jupiter's and Jito's documentation
(``jup-ag/docs``, ``jito-labs/jito-docs``), and the documents of Solana's own programs.
"""

from typing import Final

from solders.pubkey import Pubkey

SYSTEM: Final = Pubkey.from_string("11111111111111111111111111111111")
TOKEN: Final = Pubkey.from_string("TokenkegQfeZyiNwAJbNbGKPFXCWuBvf9Ss623VQ5DA")
TOKEN_2022: Final = Pubkey.from_string("TokenzQdBNbLqP5VEhdkAS6EPFLC1PHnBqCXEpPxuEb")
ASSOCIATED_TOKEN: Final = Pubkey.from_string("ATokenGPvbdGVxr1b2hvZbsiqW5xWH25efTNsLJA8knL")
COMPUTE_BUDGET: Final = Pubkey.from_string("ComputeBudget111111111111111111111111111111")
TOKEN_PROGRAMS: Final = frozenset({TOKEN, TOKEN_2022})

PUMP: Final = Pubkey.from_string("6EF8rrecthR5Dkzon8Nwu78hRvfCKubJ14M5uBEwF6P")
PUMP_AMM: Final = Pubkey.from_string("pAMMBay6oceH9fJKBRHGP5D4bD4sWpmSwMn52FMfXEA")
PUMP_FEES: Final = Pubkey.from_string("pfeeUxB6jkeY1Hxd7CsFCAjcbHA9rWtchMGdZ6VojVZ")
JUPITER: Final = Pubkey.from_string("JUP6LkbZbjS1jKKwapdHNy74zcZ3tLUZoi5QNyVTaV4")

WRAPPED_SOL: Final = Pubkey.from_string("So11111111111111111111111111111111111111112")

JITO_TIP_ACCOUNTS: Final = tuple(
    Pubkey.from_string(address)
    for address in (
        "96gYZGLnJYVFmbjzopPSU6QiEV5fGqZNyN9nmNhvrZU5",
        "HFqU5x63VTqvQss8hp11i4wVV8bD44PvwucfZ2bU7gRe",
        "Cw8CFyM9FkoMi7K7Crf6HNQqf4uEMzpKw6QNghXLvLkY",
        "ADaUMid9yfUytqMBgopwjb2DTLSokTSzL1zt6iGPaS49",
        "DfXygSm4jCyNCybVYYK6DwvWqjKee8pbDmJGcLWNDXjh",
        "ADuUkR4vqLUMWXxW9gh6D6L8pMSawimctcNZ5pGwDcEt",
        "DttWaMuVvTiduZRnguLF7jNxTgiMBZ1hyAumKUiL2KRL",
        "3AVi9Tg9Uo68tJfuvoKvqKNWKkC5wPdSSdeBnizKZ6jT",
    )
)


def pda(program: Pubkey, *seeds: bytes | Pubkey) -> Pubkey:
    """Return the address that a program derives from seeds."""
    address, _ = Pubkey.find_program_address([bytes(seed) for seed in seeds], program)
    return address


def token_address(owner: Pubkey, mint: Pubkey, token_program: Pubkey) -> Pubkey:
    """Return the address of the associated token account of an owner for a mint."""
    return pda(ASSOCIATED_TOKEN, owner, token_program, mint)


# Accounts to which the programs write their events (Anchor's ``emit_cpi``).
PUMP_EVENT_AUTHORITY: Final = pda(PUMP, b"__event_authority")
PUMP_AMM_EVENT_AUTHORITY: Final = pda(PUMP_AMM, b"__event_authority")
JUPITER_EVENT_AUTHORITY: Final = pda(JUPITER, b"__event_authority")

PUMP_GLOBAL: Final = pda(PUMP, b"global")
PUMP_AMM_GLOBAL_CONFIG: Final = pda(PUMP_AMM, b"global_config")
PUMP_FEE_CONFIG: Final = pda(PUMP_FEES, b"fee_config", PUMP)
PUMP_AMM_FEE_CONFIG: Final = pda(PUMP_FEES, b"fee_config", PUMP_AMM)
