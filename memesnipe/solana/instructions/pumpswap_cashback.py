"""The accounts of v1 trades in PumpSwap's pools of cashback coins, which v2 trades refuse.

A v1 trade pays its fees at once. The creator's fee of a cashback coin goes to a token account of the trader's volume
accumulator, from which he can claim it.

Sources: the IDL of PumpSwap's SDK 1.20.0 for the named accounts and the arguments; for the accounts that follow them,
``docs/PUMP_CASHBACK_README.md`` of ``pump-fun/pump-public-docs`` at 6a0d5e0, ``offlinePumpAmm.ts`` of PumpSwap's SDK,
and ``chainstacklabs/pumpfun-bonkfun-bot`` pull request 168, which counts 27 accounts of a buy and 26 of a sale on
mainnet.
"""

from dataclasses import dataclass
from typing import Final

from solders.instruction import AccountMeta, Instruction
from solders.pubkey import Pubkey

from memesnipe.solana.addresses import (
    ASSOCIATED_TOKEN,
    PUMP_AMM,
    PUMP_AMM_EVENT_AUTHORITY,
    PUMP_FEES,
    SYSTEM,
    TOKEN,
    WRAPPED_SOL,
    pda,
    token_address,
)
from memesnipe.solana.instructions.layout import AccountLayout
from memesnipe.solana.instructions.pumpswap_accounts import accumulator_address, common_accounts

INIT_ACCUMULATOR: Final = bytes.fromhex("5e06ca73ff60e8b7")  # init_user_volume_accumulator
GLOBAL_VOLUME_ACCUMULATOR: Final = pda(PUMP_AMM, b"global_volume_accumulator")


@dataclass(frozen=True, slots=True)
class CashbackTradeAccounts:
    """The 27 accounts of a v1 buy of a cashback coin; a v1 sale has no `global_volume_accumulator`."""

    pool: Pubkey
    user: Pubkey
    global_config: Pubkey
    base_mint: Pubkey
    quote_mint: Pubkey
    user_base_token_account: Pubkey
    user_quote_token_account: Pubkey
    pool_base_token_account: Pubkey
    pool_quote_token_account: Pubkey
    protocol_fee_recipient: Pubkey
    protocol_fee_recipient_token_account: Pubkey
    base_token_program: Pubkey
    quote_token_program: Pubkey
    system_program: Pubkey
    associated_token_program: Pubkey
    event_authority: Pubkey
    program: Pubkey
    coin_creator_vault_ata: Pubkey
    coin_creator_vault_authority: Pubkey
    fee_config: Pubkey
    fee_program: Pubkey
    user_volume_accumulator: Pubkey
    cashback_token_account: Pubkey  # of the accumulator, for wrapped SOL
    pool_v2: Pubkey
    buyback_wallet: Pubkey
    buyback_token_account: Pubkey  # must exist
    global_volume_accumulator: Pubkey = GLOBAL_VOLUME_ACCUMULATOR


_BEGIN: Final = """pool:w user:ws global_config base_mint quote_mint user_base_token_account:w
    user_quote_token_account:w pool_base_token_account:w pool_quote_token_account:w protocol_fee_recipient
    protocol_fee_recipient_token_account:w base_token_program quote_token_program system_program
    associated_token_program event_authority program coin_creator_vault_ata:w coin_creator_vault_authority"""
_END: Final = "pool_v2 buyback_wallet buyback_token_account:w"
BUY_ACCOUNTS: Final = AccountLayout(
    CashbackTradeAccounts,
    f"""{_BEGIN} global_volume_accumulator user_volume_accumulator:w fee_config fee_program cashback_token_account:w
    {_END}""",
)
SELL_ACCOUNTS: Final = AccountLayout(
    CashbackTradeAccounts,
    f"{_BEGIN} fee_config fee_program cashback_token_account:w user_volume_accumulator:w {_END}",
)


def cashback_address(wallet: Pubkey) -> Pubkey:
    """Return the token account that collects a wallet's cashback from pools that are quoted in SOL."""
    return token_address(accumulator_address(wallet), WRAPPED_SOL, TOKEN)


def pool_v2_address(mint: Pubkey) -> Pubkey:
    """Return the account ``pool_v2`` of a coin, which v1 trades name."""
    return pda(PUMP_AMM, b"pool-v2", mint)


def cashback_trade_accounts(
    pool: Pubkey,
    mint: Pubkey,
    base_token_program: Pubkey,
    user: Pubkey,
    coin_creator: Pubkey,
    protocol_fee_recipient: Pubkey,
    buyback_wallet: Pubkey,
) -> CashbackTradeAccounts:
    """Return the accounts of a v1 trade in a cashback coin's pool that is quoted in SOL.

    Args:
        pool: address of the pool.
        mint: of its coin.
        base_token_program: of the mint.
        user: who trades.
        coin_creator: in the account of the pool.
        protocol_fee_recipient: one of the eight in the account `PUMP_AMM_GLOBAL_CONFIG`.
        buyback_wallet: one of the eight in the account `PUMP_AMM_GLOBAL_CONFIG`.
    """
    vault = pda(PUMP_AMM, b"creator_vault", coin_creator)
    return CashbackTradeAccounts(
        **common_accounts(pool, mint, base_token_program, user),
        protocol_fee_recipient=protocol_fee_recipient,
        protocol_fee_recipient_token_account=token_address(protocol_fee_recipient, WRAPPED_SOL, TOKEN),
        associated_token_program=ASSOCIATED_TOKEN,
        coin_creator_vault_ata=token_address(vault, WRAPPED_SOL, TOKEN),
        coin_creator_vault_authority=vault,
        fee_program=PUMP_FEES,
        cashback_token_account=cashback_address(user),
        pool_v2=pool_v2_address(mint),
        buyback_wallet=buyback_wallet,
        buyback_token_account=token_address(buyback_wallet, WRAPPED_SOL, TOKEN),
    )


def create_accumulator(wallet: Pubkey) -> Instruction:
    """Create the wallet's volume accumulator, which must not exist (``init_user_volume_accumulator``)."""
    keys = (wallet, wallet, accumulator_address(wallet), SYSTEM, PUMP_AMM_EVENT_AUTHORITY, PUMP_AMM)
    metas = [AccountMeta(key, is_signer=at == 0, is_writable=at in (0, 2)) for at, key in enumerate(keys)]
    return Instruction(PUMP_AMM, INIT_ACCUMULATOR, metas)
