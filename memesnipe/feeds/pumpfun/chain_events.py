"""The events of pump.fun and PumpSwap that are decoded, with the fields that are used.

Amounts are lamports and raw tokens, timestamps seconds since 1970, keys 32 bytes. A field with a default was appended
to the event at some time, and is absent from older ones.
"""

from typing import TypeAlias

import msgspec


class CreateEvent(msgspec.Struct, frozen=True, gc=False):
    """A coin and its bonding curve were created."""

    mint: bytes
    user: bytes
    creator: bytes
    timestamp: int
    virtual_token_reserves: int
    virtual_sol_reserves: int
    real_token_reserves: int
    token_total_supply: int
    is_mayhem_mode: bool = False
    quote_mint: bytes = b""


class TradeEvent(msgspec.Struct, frozen=True, gc=False):
    """A trade on a bonding curve; the reserves are those after it."""

    mint: bytes
    sol_amount: int
    token_amount: int
    is_buy: bool
    user: bytes
    timestamp: int
    virtual_sol_reserves: int
    virtual_token_reserves: int
    real_sol_reserves: int
    real_token_reserves: int
    fee_basis_points: int = -1  # absent before 2025
    creator: bytes = b""
    creator_fee_basis_points: int = 0
    mayhem_mode: bool = False
    cashback_fee_basis_points: int = 0
    quote_mint: bytes = b""
    holder_rewards_bps: int = 0


class CompleteEvent(msgspec.Struct, frozen=True, gc=False):
    """The last tokens of a curve were sold."""

    user: bytes
    mint: bytes
    timestamp: int
    quote_mint: bytes = b""


class PostCompleteBuyEvent(msgspec.Struct, frozen=True, gc=False):
    """The part of the buy that completed a curve which went on into the future pool."""

    user: bytes
    mint: bytes
    quote_mint: bytes
    timestamp: int
    base_out: int
    quote_in: int
    pool_base_after: int
    pool_quote_after: int


class MigrationEvent(msgspec.Struct, frozen=True, gc=False):
    """The liquidity of a complete curve moved to a PumpSwap pool."""

    mint: bytes
    mint_amount: int
    sol_amount: int
    timestamp: int
    pool: bytes
    quote_mint: bytes = b""


class CreatePoolEvent(msgspec.Struct, frozen=True, gc=False):
    """A PumpSwap pool was created, by a migration or by anyone."""

    timestamp: int
    base_mint: bytes
    quote_mint: bytes
    base_mint_decimals: int
    pool_base_amount: int
    pool_quote_amount: int
    pool: bytes
    coin_creator: bytes = b""


class PoolTradeEvent(msgspec.Struct, frozen=True, gc=False):
    """A trade in a PumpSwap pool; the reserves are those before it."""

    timestamp: int
    base_amount: int
    pool_base_token_reserves: int
    pool_quote_token_reserves: int
    quote_amount: int  # without fees
    lp_fee_basis_points: int
    protocol_fee_basis_points: int
    pool_quote_amount: int  # paid into the pool or out of it: with the liquidity providers' fee
    pool: bytes
    user: bytes
    coin_creator: bytes = b""
    coin_creator_fee_basis_points: int = 0
    cashback_fee_basis_points: int = 0
    virtual_quote_reserves: int = 0  # signed; part of the quote reserves for pricing
    base_supply: int = 0  # 0: unknown
    holder_rewards_bps: int = 0


class BuyEvent(PoolTradeEvent, frozen=True, gc=False):
    """A buy in a PumpSwap pool."""


class SellEvent(PoolTradeEvent, frozen=True, gc=False):
    """A sale in a PumpSwap pool."""


class LiquidityEvent(msgspec.Struct, frozen=True, gc=False):
    """A change of a PumpSwap pool's liquidity; the reserves are those before it."""

    timestamp: int
    pool_quote_token_reserves: int
    quote_amount: int
    pool: bytes


class DepositEvent(LiquidityEvent, frozen=True, gc=False):
    """Liquidity was added."""


class WithdrawEvent(LiquidityEvent, frozen=True, gc=False):
    """Liquidity was removed."""


ChainEvent: TypeAlias = (
    CreateEvent
    | TradeEvent
    | CompleteEvent
    | PostCompleteBuyEvent
    | MigrationEvent
    | CreatePoolEvent
    | BuyEvent
    | SellEvent
    | DepositEvent
    | WithdrawEvent
)
