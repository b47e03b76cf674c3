"""The binary layouts of the events (borsh), written from the programs' IDLs, and their decoding.

An event is a discriminator of 8 bytes and its fields one after another. Programs append fields to their events from
time to time, and never insert any: an event may end after any field from the last required one on, and bytes after the
last known field are skipped.
"""

import struct
from collections.abc import Sequence
from typing import Any, Final, Generic, TypeVar

import msgspec

from memesnipe.feeds.pumpfun.chain_events import (
    BuyEvent,
    ChainEvent,
    CompleteEvent,
    CreateEvent,
    CreatePoolEvent,
    DepositEvent,
    MigrationEvent,
    PostCompleteBuyEvent,
    SellEvent,
    TradeEvent,
    WithdrawEvent,
)
from memesnipe.feeds.pumpfun.programs import PUMP, PUMP_AMM

DISCRIMINATOR_BYTES: Final = 8
CODES: Final = {"key": "32s", "u64": "Q", "i64": "q", "u16": "H", "u8": "B", "bool": "?", "i128": "16s"}
STRING: Final = "string"
SHARES: Final = "shares"  # a list of a key and a u16 each
_ITEM_BYTES: Final = {STRING: 1, SHARES: 34}

E = TypeVar("E", bound=ChainEvent)


class LayoutError(Exception):
    """The bytes are no event of this layout; the text says why."""


class _Fixed:
    """Successive fields of fixed size; those that the event has not are skipped."""

    def __init__(self, fields: Sequence[tuple[str, str]], used: Sequence[str]) -> None:
        self.fields = fields
        codes = [CODES[kind] if name in used else f"{struct.calcsize(CODES[kind])}x" for name, kind in fields]
        self.ends = [struct.calcsize("<" + "".join(codes[: n + 1])) for n in range(len(codes))]
        self.size = self.ends[-1]
        self.struct = struct.Struct("<" + "".join(codes))
        kinds = [kind for name, kind in fields if name in used]
        self.wide = [at for at, kind in enumerate(kinds) if kind == "i128"]
        self._used = used

    def first(self, size: int) -> "_Fixed | None":
        """Return the part that ends after ``size`` bytes, None if no field ends there."""
        return _Fixed(self.fields[: self.ends.index(size) + 1], self._used) if size in self.ends else None

    def read(self, data: bytes, at: int) -> list[Any]:
        values = list(self.struct.unpack_from(data, at))
        for index in self.wide:
            values[index] = int.from_bytes(values[index], "little", signed=True)
        return values


class Layout(Generic[E]):
    """The layout of one event.

    Args:
        name: the event's name in the IDL.
        event: the class of the decoded event; its fields are some of those of the layout, in its order.
        fields: ``name:type`` of every field, separated by white space.
    """

    def __init__(self, name: str, event: type[E], fields: str) -> None:
        self.name, self.event = name, event
        self.fields = [(one.split(":")[0], one.split(":")[1]) for one in fields.split()]
        self.used = event.__struct_fields__
        self._required = sum(field.required for field in msgspec.structs.fields(event))
        self._parts: list[_Fixed | str] = []
        fixed: list[tuple[str, str]] = []
        for field in self.fields:
            if field[1] in CODES:
                fixed.append(field)
                continue
            if fixed:
                self._parts.append(_Fixed(fixed, self.used))
            self._parts.append(field[1])
            fixed = []
        if fixed:
            self._parts.append(_Fixed(fixed, self.used))

    def decode(self, data: bytes) -> E:
        """Return the event.

        Args:
            data: the discriminator, which is not compared, and the fields.

        Raises:
            LayoutError: the bytes end before the last required field or within a field.
        """
        values: list[Any] = []
        at = DISCRIMINATOR_BYTES
        for part in self._parts:
            if isinstance(part, str):
                if at == len(data):
                    break
                at = _after_items(data, at, part)
            else:
                if len(data) - at < part.size:
                    values += _last_values(part, data, at)
                    break
                values += part.read(data, at)
                at += part.size
        if len(values) < self._required:
            raise LayoutError(f"{len(data)} bytes end before {self.used[len(values)]}")
        return self.event(*values)

    def appended_bytes(self, data: bytes) -> int:
        """Return how many bytes of a decoded event follow the last known field: fields that were appended to it."""
        at = DISCRIMINATOR_BYTES
        for part in self._parts:
            if at >= len(data):
                return 0
            at = _after_items(data, at, part) if isinstance(part, str) else at + part.size
        return max(len(data) - at, 0)


def _last_values(part: _Fixed, data: bytes, at: int) -> list[Any]:
    """Return the values of an event that ends within this part."""
    if at == len(data):
        return []
    shorter = part.first(len(data) - at)
    if shorter is None:
        raise LayoutError(f"{len(data)} bytes end within a field")
    return shorter.read(data, at)


def _after_items(data: bytes, at: int, kind: str) -> int:
    """Return the offset after a string or a list."""
    begin = at + 4
    end = begin + int.from_bytes(data[at:begin], "little") * _ITEM_BYTES[kind]
    if max(begin, end) > len(data):
        raise LayoutError(f"{len(data)} bytes end within a {kind}")
    return end


_POOL_TRADE_END: Final = (
    "cashback_fee_basis_points:u64 cashback:u64 buyback_fee_basis_points:u64 buyback_fee:u64 "
    "virtual_quote_reserves:i128 can_boost:bool base_supply:u64 holder_rewards_bps:u64 holder_rewards:u64"
)
# In BuyEvent and SellEvent base_amount is base_amount_out or _in, quote_amount is quote_amount_in or _out, and
# pool_quote_amount is quote_amount_in_with_lp_fee or quote_amount_out_without_lp_fee.
_POOL_TRADE: Final = """
    timestamp:i64 base_amount:u64 quote_limit:u64 user_base_token_reserves:u64 user_quote_token_reserves:u64
    pool_base_token_reserves:u64 pool_quote_token_reserves:u64 quote_amount:u64 lp_fee_basis_points:u64 lp_fee:u64
    protocol_fee_basis_points:u64 protocol_fee:u64 pool_quote_amount:u64 user_quote_amount:u64 pool:key user:key
    user_base_token_account:key user_quote_token_account:key protocol_fee_recipient:key
    protocol_fee_recipient_token_account:key coin_creator:key coin_creator_fee_basis_points:u64 coin_creator_fee:u64
"""
# base_amount and quote_amount are base_amount_in or _out and quote_amount_in or _out.
_LIQUIDITY: Final = """
    timestamp:i64 lp_token_amount:u64 base_limit:u64 quote_limit:u64 user_base_token_reserves:u64
    user_quote_token_reserves:u64 pool_base_token_reserves:u64 pool_quote_token_reserves:u64 base_amount:u64
    quote_amount:u64 lp_mint_supply:u64 pool:key user:key user_base_token_account:key user_quote_token_account:key
    user_pool_token_account:key
"""

# By program and discriminator.
LAYOUTS: Final[dict[str, dict[bytes, Layout[Any]]]] = {
    PUMP: {
        bytes.fromhex("1b72a94ddeeb6376"): Layout(
            "CreateEvent",
            CreateEvent,
            """name:string symbol:string uri:string mint:key bonding_curve:key user:key creator:key timestamp:i64
            virtual_token_reserves:u64 virtual_sol_reserves:u64 real_token_reserves:u64 token_total_supply:u64
            token_program:key is_mayhem_mode:bool is_cashback_enabled:bool quote_mint:key virtual_quote_reserves:u64
            creator_fee_bps:u64 is_holder_reward:bool""",
        ),
        bytes.fromhex("bddb7fd34ee661ee"): Layout(
            "TradeEvent",
            TradeEvent,
            """mint:key sol_amount:u64 token_amount:u64 is_buy:bool user:key timestamp:i64 virtual_sol_reserves:u64
            virtual_token_reserves:u64 real_sol_reserves:u64 real_token_reserves:u64 fee_recipient:key
            fee_basis_points:u64 fee:u64 creator:key creator_fee_basis_points:u64 creator_fee:u64 track_volume:bool
            total_unclaimed_tokens:u64 total_claimed_tokens:u64 current_sol_volume:u64 last_update_timestamp:i64
            ix_name:string mayhem_mode:bool cashback_fee_basis_points:u64 cashback:u64 buyback_fee_basis_points:u64
            buyback_fee:u64 shareholders:shares quote_mint:key quote_amount:u64 virtual_quote_reserves:u64
            real_quote_reserves:u64 holder_rewards_bps:u64 holder_rewards:u64""",
        ),
        bytes.fromhex("5f72619cd42e9808"): Layout(
            "CompleteEvent",
            CompleteEvent,
            "user:key mint:key bonding_curve:key timestamp:i64 quote_mint:key",
        ),
        bytes.fromhex("6fb06d8b316cd5fb"): Layout(
            "PostCompleteBuyEvent",
            PostCompleteBuyEvent,
            """user:key mint:key bonding_curve:key quote_mint:key timestamp:i64 base_out:u64 quote_in:u64 fee_bps:u64
            fee:u64 creator_fee_bps:u64 creator_fee:u64 buyback_fee:u64 pool_base_before:u64 pool_quote_before:u64
            pool_base_after:u64 pool_quote_after:u64""",
        ),
        bytes.fromhex("bde95db95c94ea94"): Layout(
            "CompletePumpAmmMigrationEvent",
            MigrationEvent,
            """user:key mint:key mint_amount:u64 sol_amount:u64 pool_migration_fee:u64 bonding_curve:key timestamp:i64
            pool:key quote_mint:key""",
        ),
    },
    PUMP_AMM: {
        bytes.fromhex("67f4521f2cf57777"): Layout(
            "BuyEvent",
            BuyEvent,
            _POOL_TRADE
            + """track_volume:bool total_unclaimed_tokens:u64 total_claimed_tokens:u64 current_sol_volume:u64
            last_update_timestamp:i64 min_base_amount_out:u64 ix_name:string """
            + _POOL_TRADE_END,
        ),
        bytes.fromhex("3e2f370aa503dc2a"): Layout("SellEvent", SellEvent, _POOL_TRADE + _POOL_TRADE_END),
        bytes.fromhex("b1310cd2a076a774"): Layout(
            "CreatePoolEvent",
            CreatePoolEvent,
            """timestamp:i64 index:u16 creator:key base_mint:key quote_mint:key base_mint_decimals:u8
            quote_mint_decimals:u8 base_amount_in:u64 quote_amount_in:u64 pool_base_amount:u64 pool_quote_amount:u64
            minimum_liquidity:u64 initial_liquidity:u64 lp_token_amount_out:u64 pool_bump:u8 pool:key lp_mint:key
            user_base_token_account:key user_quote_token_account:key coin_creator:key is_mayhem_mode:bool
            creator_fee_bps:u64 can_edit_creator_fee:bool is_holder_reward:bool""",
        ),
        bytes.fromhex("78f83d531f8e6b90"): Layout("DepositEvent", DepositEvent, _LIQUIDITY),
        bytes.fromhex("1609851aa02c47c0"): Layout("WithdrawEvent", WithdrawEvent, _LIQUIDITY),
    },
}

# The program that writes each event.
PROGRAM_OF: Final[dict[type, str]] = {
    layout.event: program for program, layouts in LAYOUTS.items() for layout in layouts.values()
}
