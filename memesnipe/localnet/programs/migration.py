"""``migrate_v2`` of pump.fun: the liquidity of a complete curve moves to a pool of PumpSwap.

Whoever sends it pays for the new accounts and gets the migration fee. The pool has no mint of liquidity tokens here.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from solders.instruction import AccountMeta, Instruction
from solders.pubkey import Pubkey

from memesnipe.feeds.pumpfun.chain_events import CreatePoolEvent, MigrationEvent
from memesnipe.localnet.event_encoding import event_line
from memesnipe.localnet.programs import Expansion, MarketAccounts, ProgramError
from memesnipe.localnet.programs.state import anchor_error, create, pay, read, token_amount, write
from memesnipe.localnet.programs.vault import sol_vault
from memesnipe.market.pools import MIGRATION_FEE_LAMPORTS
from memesnipe.solana.addresses import PUMP, PUMP_AMM, TOKEN, TOKEN_2022, WRAPPED_SOL, pda, token_address
from memesnipe.solana.instructions.pumpfun import bonding_curve
from memesnipe.solana.instructions.pumpswap import canonical_pool, pool_authority
from memesnipe.solana.instructions.spl import create_token_account, sync_native, transfer_checked
from memesnipe.solana.pump_accounts import BondingCurve, PumpPool

MIGRATE_V2: Final = bytes.fromhex("bbcb121fceedfe29")
_NOT_COMPLETE: Final = 6006
_MIGRATED: Final = 6081
_ROLES: Final = ("mint", "curve", "curve_tokens", "user", "pool", "pool_tokens", "pool_sol", "vault")


def migrate(mint: Pubkey, user: Pubkey) -> Instruction:
    """Return the migration of a coin of ``create_v2``, with those of the IDL's accounts that are used."""
    curve, pool = bonding_curve(mint), canonical_pool(mint)
    keys = [
        mint,
        curve,
        token_address(curve, mint, TOKEN_2022),
        user,
        pool,
        token_address(pool, mint, TOKEN_2022),
        token_address(pool, WRAPPED_SOL, TOKEN),
        sol_vault(mint),
    ]
    return Instruction(PUMP, MIGRATE_V2, [AccountMeta(key, key == user, key != mint) for key in keys])


def expand_migration(accounts: Sequence[AccountMeta], state: MarketAccounts) -> Expansion:
    """Return what a migration causes.

    Raises:
        ProgramError: the curve is not complete, or has migrated.
    """
    keys = dict(zip(_ROLES, (meta.pubkey for meta in accounts), strict=False))
    mint, pool_address = keys["mint"], canonical_pool(keys["mint"])
    curve = read(state, bonding_curve(mint), PUMP, BondingCurve.decode)
    if not isinstance(curve, BondingCurve) or not curve.complete:
        raise ProgramError(_NOT_COMPLETE, anchor_error("BondingCurveNotComplete", _NOT_COMPLETE, ""))
    if state.account(pool_address) is not None:
        raise ProgramError(_MIGRATED, anchor_error("BondingCurveAlreadyMigrated", _MIGRATED, ""))
    base = token_amount(state, keys["curve_tokens"])
    quote = curve.real_quote_reserves - MIGRATION_FEE_LAMPORTS
    pool = PumpPool(
        pool_bump=0,
        index=0,
        creator=pool_authority(mint),
        base_mint=mint,
        quote_mint=WRAPPED_SOL,
        lp_mint=pda(PUMP_AMM, b"pool_lp_mint", pool_address),
        pool_base_token_account=keys["pool_tokens"],
        pool_quote_token_account=keys["pool_sol"],
        lp_supply=0,
        coin_creator=curve.creator,
        is_cashback_coin=curve.is_cashback_coin,
    )
    emptied = replace(curve, real_quote_reserves=0)

    def commit() -> None:
        write(state, pool_address, pool.encode())
        write(state, keys["curve"], emptied.encode())

    return Expansion(
        _instructions(keys, base, quote, len(pool.encode())), _lines(keys, pool, base, quote, state), commit
    )


def _instructions(keys: dict[str, Pubkey], base: int, quote: int, pool_bytes: int) -> list[Instruction]:
    user, pool, mint, vault = keys["user"], keys["pool"], keys["mint"], keys["vault"]
    return [
        create(user, pool, pool_bytes, PUMP_AMM),
        create_token_account(user, pool, mint, TOKEN_2022),
        create_token_account(user, pool, WRAPPED_SOL, TOKEN),
        transfer_checked(keys["curve_tokens"], mint, keys["pool_tokens"], keys["curve"], base, 6, TOKEN_2022),
        pay(vault, keys["pool_sol"], quote),
        sync_native(keys["pool_sol"], TOKEN),
        pay(vault, user, MIGRATION_FEE_LAMPORTS),
    ]


def _lines(keys: dict[str, Pubkey], pool: PumpPool, base: int, quote: int, state: MarketAccounts) -> list[str]:
    """Return the log: PumpSwap is invoked to create the pool, then pump.fun says what has moved."""
    mint, address = bytes(keys["mint"]), bytes(keys["pool"])
    created = event_line(
        CreatePoolEvent,
        timestamp=state.unix_timestamp,
        creator=bytes(pool.creator),
        base_mint=mint,
        quote_mint=bytes(WRAPPED_SOL),
        base_mint_decimals=6,
        quote_mint_decimals=9,
        base_amount_in=base,
        quote_amount_in=quote,
        pool_base_amount=base,
        pool_quote_amount=quote,
        pool=address,
        lp_mint=bytes(pool.lp_mint),
        coin_creator=bytes(pool.coin_creator),
        creator_fee_bps=pool.creator_fee_bps,
    )
    migrated = event_line(
        MigrationEvent,
        user=bytes(keys["user"]),
        mint=mint,
        mint_amount=base,
        sol_amount=quote,
        pool_migration_fee=MIGRATION_FEE_LAMPORTS,
        bonding_curve=bytes(keys["curve"]),
        timestamp=state.unix_timestamp,
        pool=address,
        quote_mint=bytes(WRAPPED_SOL),
    )
    return [
        "Program log: Instruction: MigrateV2",
        f"Program {PUMP_AMM} invoke [2]",
        "Program log: Instruction: CreatePool",
        created,
        f"Program {PUMP_AMM} success",
        migrated,
    ]
