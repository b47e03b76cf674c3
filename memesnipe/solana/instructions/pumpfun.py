"""Trades on pump.fun's curve: ``buy_v3``, ``buy_exact_quote_in_v3``, ``sell_v3``, and v2 of them for cashback coins.

Sources: ``docs/instructions/TRADE_V3.md`` of ``pump-fun/pump-public-docs`` at 2293f9a for the accounts and arguments of
v3, the IDL of pump-sdk 2.0.0 for v2. Which accounts of v3 are writable is inferred from the accounts of the same names
in v2. A v3 trade of a cashback coin fails with error 6094.
"""

from dataclasses import dataclass
from typing import Any, Final

from solders.instruction import AccountMeta, Instruction
from solders.pubkey import Pubkey

from memesnipe.solana.addresses import (
    ASSOCIATED_TOKEN,
    PUMP,
    PUMP_EVENT_AUTHORITY,
    PUMP_FEE_CONFIG,
    PUMP_FEES,
    PUMP_GLOBAL,
    SYSTEM,
    TOKEN,
    WRAPPED_SOL,
    pda,
    token_address,
)
from memesnipe.solana.instructions.layout import AccountLayout, InstructionFormat, decode_any
from memesnipe.solana.instructions.pumpfun_accounts import TradeV2Accounts, TradeV3Accounts

_V3_ACCOUNTS: Final = AccountLayout(
    TradeV3Accounts,
    """global_config base_mint quote_mint base_token_program quote_token_program bonding_curve:w
    associated_base_bonding_curve:w associated_quote_bonding_curve:w user:ws associated_base_user:w
    associated_quote_user:w user_volume_accumulator:w fee_config buyback_fee_recipient:w system_program event_authority
    program""",
)
_V2_BEGIN: Final = """global_config base_mint quote_mint base_token_program quote_token_program
    associated_token_program fee_recipient:w associated_quote_fee_recipient:w buyback_fee_recipient:w
    associated_quote_buyback_fee_recipient:w bonding_curve:w associated_base_bonding_curve:w
    associated_quote_bonding_curve:w user:ws associated_base_user:w associated_quote_user:w creator_vault:w
    associated_creator_vault:w sharing_config"""
_V2_END: Final = """user_volume_accumulator:w associated_user_volume_accumulator:w fee_config fee_program
    system_program event_authority program"""
_BUY_V2_ACCOUNTS: Final = AccountLayout(TradeV2Accounts, f"{_V2_BEGIN} global_volume_accumulator {_V2_END}")
_SELL_V2_ACCOUNTS: Final = AccountLayout(TradeV2Accounts, f"{_V2_BEGIN} {_V2_END}")


@dataclass(frozen=True, slots=True)
class BuyV3:
    """Buy ``amount`` raw tokens for at most ``max_sol_cost`` lamports with fees."""

    accounts: TradeV3Accounts
    amount: int
    max_sol_cost: int
    partial_fill: bool | None = None  # of mayhem coins


@dataclass(frozen=True, slots=True)
class BuyExactQuoteInV3:
    """Spend ``spendable_quote_in`` lamports with fees for at least ``min_tokens_out`` raw tokens."""

    accounts: TradeV3Accounts
    spendable_quote_in: int
    min_tokens_out: int
    partial_fill: bool | None = None  # of mayhem coins


@dataclass(frozen=True, slots=True)
class SellV3:
    """Sell ``amount`` raw tokens for at least ``min_sol_output`` lamports after fees."""

    accounts: TradeV3Accounts
    amount: int
    min_sol_output: int


@dataclass(frozen=True, slots=True)
class BuyV2:
    """As `BuyV3`, with the accounts to which fees and cashback are paid at once."""

    accounts: TradeV2Accounts
    amount: int
    max_sol_cost: int


@dataclass(frozen=True, slots=True)
class BuyExactQuoteInV2:
    """As `BuyExactQuoteInV3`, with the accounts to which fees and cashback are paid at once."""

    accounts: TradeV2Accounts
    spendable_quote_in: int
    min_tokens_out: int


@dataclass(frozen=True, slots=True)
class SellV2:
    """As `SellV3`, with the accounts to which fees and cashback are paid at once."""

    accounts: TradeV2Accounts
    amount: int
    min_sol_output: int


Trade = BuyV3 | BuyExactQuoteInV3 | SellV3 | BuyV2 | BuyExactQuoteInV2 | SellV2

FORMATS: Final = (
    InstructionFormat(BuyV3, PUMP, "07051dc4f5176550", _V3_ACCOUNTS, "amount:Q max_sol_cost:Q", "flag"),
    InstructionFormat(
        BuyExactQuoteInV3, PUMP, "e1f7501ed5b38488", _V3_ACCOUNTS, "spendable_quote_in:Q min_tokens_out:Q", "flag"
    ),
    InstructionFormat(SellV3, PUMP, "1c92de7726c469d5", _V3_ACCOUNTS, "amount:Q min_sol_output:Q"),
    InstructionFormat(BuyV2, PUMP, "b817ee6167c5d33d", _BUY_V2_ACCOUNTS, "amount:Q max_sol_cost:Q"),
    InstructionFormat(
        BuyExactQuoteInV2, PUMP, "c2ab1c46684d5b2f", _BUY_V2_ACCOUNTS, "spendable_quote_in:Q min_tokens_out:Q"
    ),
    InstructionFormat(SellV2, PUMP, "5df6823ce7e940b2", _SELL_V2_ACCOUNTS, "amount:Q min_sol_output:Q"),
)
_BY_KIND: Final[dict[type, InstructionFormat[Any]]] = {one.kind: one for one in FORMATS}


def encode(trade: Trade) -> Instruction:
    """Return the instruction of a trade."""
    return _BY_KIND[type(trade)].encode(trade)


def decode(data: bytes, accounts: list[AccountMeta]) -> Trade:
    """Return the trade of an instruction of pump.fun.

    Raises:
        DecodeError: it is none of these trades, or malformed.
    """
    trade: Trade = decode_any(FORMATS, PUMP, data, accounts)
    return trade


def bonding_curve(mint: Pubkey) -> Pubkey:
    """Return the address of a coin's curve."""
    return pda(PUMP, b"bonding-curve", mint)


def trade_v3_accounts(
    mint: Pubkey, base_token_program: Pubkey, user: Pubkey, buyback_fee_recipient: Pubkey
) -> TradeV3Accounts:
    """Return the accounts of a v3 trade of a coin that is quoted in SOL.

    Args:
        mint: of the coin.
        base_token_program: of the mint; Token-2022 for coins of ``create_v2``.
        user: who trades.
        buyback_fee_recipient: one of the eight in the account `PUMP_GLOBAL`.
    """
    curve = bonding_curve(mint)
    return TradeV3Accounts(
        global_config=PUMP_GLOBAL,
        base_mint=mint,
        quote_mint=WRAPPED_SOL,
        base_token_program=base_token_program,
        quote_token_program=TOKEN,
        bonding_curve=curve,
        associated_base_bonding_curve=token_address(curve, mint, base_token_program),
        associated_quote_bonding_curve=token_address(curve, WRAPPED_SOL, TOKEN),
        user=user,
        associated_base_user=token_address(user, mint, base_token_program),
        associated_quote_user=token_address(user, WRAPPED_SOL, TOKEN),
        user_volume_accumulator=pda(PUMP, b"user_volume_accumulator", user),
        fee_config=PUMP_FEE_CONFIG,
        buyback_fee_recipient=buyback_fee_recipient,
        system_program=SYSTEM,
        event_authority=PUMP_EVENT_AUTHORITY,
        program=PUMP,
    )


def trade_v2_accounts(
    mint: Pubkey,
    base_token_program: Pubkey,
    user: Pubkey,
    creator: Pubkey,
    fee_recipient: Pubkey,
    buyback_fee_recipient: Pubkey,
) -> TradeV2Accounts:
    """Return the accounts of a v2 trade of a coin that is quoted in SOL.

    Args:
        mint: of the coin.
        base_token_program: of the mint.
        user: who trades.
        creator: in the account of the curve.
        fee_recipient: one of those in the account `PUMP_GLOBAL`.
        buyback_fee_recipient: one of the eight in the account `PUMP_GLOBAL`.
    """
    v3 = trade_v3_accounts(mint, base_token_program, user, buyback_fee_recipient)
    vault = pda(PUMP, b"creator-vault", creator)
    return TradeV2Accounts(
        **{name: getattr(v3, name) for name in TradeV3Accounts.__slots__},
        associated_token_program=ASSOCIATED_TOKEN,
        fee_recipient=fee_recipient,
        associated_quote_fee_recipient=token_address(fee_recipient, WRAPPED_SOL, TOKEN),
        associated_quote_buyback_fee_recipient=token_address(buyback_fee_recipient, WRAPPED_SOL, TOKEN),
        creator_vault=vault,
        associated_creator_vault=token_address(vault, WRAPPED_SOL, TOKEN),
        sharing_config=pda(PUMP_FEES, b"sharing-config", mint),
        associated_user_volume_accumulator=token_address(v3.user_volume_accumulator, WRAPPED_SOL, TOKEN),
        fee_program=PUMP_FEES,
    )
