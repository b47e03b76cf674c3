"""Trades in PumpSwap's pools: ``buy_v2``, ``buy_exact_quote_in_v2``, ``sell_v2``, and v1 of them for cashback coins.

Source of v2: ``docs/instructions/PUMP_SWAP_TRADE_V2.md`` of ``pump-fun/pump-public-docs`` at 2293f9a. Its
discriminators are those of pump.fun's instructions of the same names. Which of its accounts are writable is inferred
from the accounts of the same names in the v1 instructions of the IDL. A v2 trade in the pool of a cashback coin fails
with error 6079; `pumpswap_cashback` has the sources of v1. The accounts of a trade say which of the two it is.
"""

from dataclasses import dataclass
from typing import Any, Final

from solders.instruction import AccountMeta, Instruction
from solders.pubkey import Pubkey

from memesnipe.solana.addresses import (
    PUMP,
    PUMP_AMM,
    TOKEN,
    WRAPPED_SOL,
    pda,
    token_address,
)
from memesnipe.solana.instructions.layout import AccountLayout, InstructionFormat, decode_any
from memesnipe.solana.instructions.pumpswap_accounts import common_accounts
from memesnipe.solana.instructions.pumpswap_cashback import BUY_ACCOUNTS, SELL_ACCOUNTS, CashbackTradeAccounts

_CANONICAL_INDEX: Final = b"\0\0"


@dataclass(frozen=True, slots=True)
class PoolTradeAccounts:
    """The 17 accounts of a v2 trade."""

    pool: Pubkey
    user: Pubkey
    global_config: Pubkey
    base_mint: Pubkey
    quote_mint: Pubkey
    user_base_token_account: Pubkey  # must exist
    user_quote_token_account: Pubkey  # of wrapped SOL; must exist
    pool_base_token_account: Pubkey
    pool_quote_token_account: Pubkey
    base_token_program: Pubkey
    quote_token_program: Pubkey
    system_program: Pubkey
    user_volume_accumulator: Pubkey
    fee_config: Pubkey
    buyback_fee_recipient: Pubkey  # a token account of the quote mint; must exist
    event_authority: Pubkey
    program: Pubkey


@dataclass(frozen=True, slots=True)
class PoolBuy:
    """Buy ``base_amount_out`` raw tokens for at most ``max_quote_amount_in`` lamports with fees."""

    accounts: PoolTradeAccounts | CashbackTradeAccounts
    base_amount_out: int
    max_quote_amount_in: int
    track_volume: bool | None = None  # of v1 alone, which requires it


@dataclass(frozen=True, slots=True)
class PoolBuyExactQuoteIn:
    """Spend ``spendable_quote_in`` lamports with fees for at least ``min_base_amount_out`` raw tokens."""

    accounts: PoolTradeAccounts | CashbackTradeAccounts
    spendable_quote_in: int
    min_base_amount_out: int
    track_volume: bool | None = None  # of v1 alone, which requires it


@dataclass(frozen=True, slots=True)
class PoolSell:
    """Sell ``base_amount_in`` raw tokens for at least ``min_quote_amount_out`` lamports after fees."""

    accounts: PoolTradeAccounts | CashbackTradeAccounts
    base_amount_in: int
    min_quote_amount_out: int


PoolTrade = PoolBuy | PoolBuyExactQuoteIn | PoolSell

ACCOUNTS: Final = AccountLayout(
    PoolTradeAccounts,
    """pool:w user:ws global_config base_mint quote_mint user_base_token_account:w user_quote_token_account:w
    pool_base_token_account:w pool_quote_token_account:w base_token_program quote_token_program system_program
    user_volume_accumulator:w fee_config buyback_fee_recipient:w event_authority program""",
)
_BUY, _BUY_IN = "base_amount_out:Q max_quote_amount_in:Q", "spendable_quote_in:Q min_base_amount_out:Q"
_SELL = "base_amount_in:Q min_quote_amount_out:Q"
FORMATS: Final = (
    InstructionFormat(PoolBuy, PUMP_AMM, "b817ee6167c5d33d", ACCOUNTS, _BUY),
    InstructionFormat(PoolBuyExactQuoteIn, PUMP_AMM, "c2ab1c46684d5b2f", ACCOUNTS, _BUY_IN),
    InstructionFormat(PoolSell, PUMP_AMM, "5df6823ce7e940b2", ACCOUNTS, _SELL),
)
CASHBACK_FORMATS: Final = (
    InstructionFormat(PoolBuy, PUMP_AMM, "66063d1201daebea", BUY_ACCOUNTS, _BUY, "flag"),
    InstructionFormat(PoolBuyExactQuoteIn, PUMP_AMM, "c62e1552b4d9e870", BUY_ACCOUNTS, _BUY_IN, "flag"),
    InstructionFormat(PoolSell, PUMP_AMM, "33e685a4017f83ad", SELL_ACCOUNTS, _SELL),
)
_BY_KIND: Final[dict[type, InstructionFormat[Any]]] = {one.kind: one for one in FORMATS}
_CASHBACK_BY_KIND: Final[dict[type, InstructionFormat[Any]]] = {one.kind: one for one in CASHBACK_FORMATS}


def encode(trade: PoolTrade) -> Instruction:
    """Return the instruction of a trade."""
    formats = _CASHBACK_BY_KIND if isinstance(trade.accounts, CashbackTradeAccounts) else _BY_KIND
    return formats[type(trade)].encode(trade)


def decode(data: bytes, accounts: list[AccountMeta]) -> PoolTrade:
    """Return the trade of an instruction of PumpSwap.

    Raises:
        DecodeError: it is none of these trades, or malformed.
    """
    trade: PoolTrade = decode_any((*FORMATS, *CASHBACK_FORMATS), PUMP_AMM, data, accounts)
    return trade


def pool_authority(mint: Pubkey) -> Pubkey:
    """Return the account of pump.fun that creates the pool of a coin when its curve is complete."""
    return pda(PUMP, b"pool-authority", mint)


def canonical_pool(mint: Pubkey) -> Pubkey:
    """Return the pool of a coin that is quoted in SOL, to which its complete curve migrates."""
    return pda(PUMP_AMM, b"pool", _CANONICAL_INDEX, pool_authority(mint), mint, WRAPPED_SOL)


def pool_trade_accounts(
    pool: Pubkey, mint: Pubkey, base_token_program: Pubkey, user: Pubkey, buyback_wallet: Pubkey
) -> PoolTradeAccounts:
    """Return the accounts of a trade in a pool that is quoted in SOL.

    Args:
        pool: address of the pool.
        mint: of its coin.
        base_token_program: of the mint.
        user: who trades.
        buyback_wallet: one of the eight in the account `PUMP_AMM_GLOBAL_CONFIG`.
    """
    return PoolTradeAccounts(
        **common_accounts(pool, mint, base_token_program, user),
        buyback_fee_recipient=token_address(buyback_wallet, WRAPPED_SOL, TOKEN),
    )
