"""Swaps through Jupiter: ``route_v2`` and ``shared_accounts_route_v2``.

Sources: discriminators, arguments, and the accounts of user, tokens and mints from Jupiter's documentation and public
clients. The other accounts of ``shared_accounts_route_v2`` (3, 4 and 8 to 11) are inferred from those of its first
version. The plan is kept as bytes: a vector of steps, each a variant of an enum of exchanges, a share in basis points,
and two indices; the enum grows with each exchange.
"""

from dataclasses import dataclass
from typing import Any, Final

from solders.instruction import AccountMeta, Instruction
from solders.pubkey import Pubkey

from memesnipe.solana.addresses import JUPITER
from memesnipe.solana.instructions.layout import AccountLayout, InstructionFormat, decode_any

BPS: Final = 10_000


@dataclass(frozen=True, slots=True)
class RouteAccounts:
    """The accounts of ``route_v2`` before those of the exchanges."""

    user_transfer_authority: Pubkey
    user_source_token_account: Pubkey
    user_destination_token_account: Pubkey
    source_mint: Pubkey
    destination_mint: Pubkey
    source_token_program: Pubkey
    destination_token_program: Pubkey
    destination_token_account: Pubkey | None  # takes the output instead, where there is one
    event_authority: Pubkey
    program: Pubkey


@dataclass(frozen=True, slots=True)
class SharedRouteAccounts:
    """The accounts of ``shared_accounts_route_v2`` before those of the exchanges."""

    program_authority: Pubkey
    user_transfer_authority: Pubkey
    source_token_account: Pubkey
    program_source_token_account: Pubkey
    program_destination_token_account: Pubkey
    destination_token_account: Pubkey
    source_mint: Pubkey
    destination_mint: Pubkey
    source_token_program: Pubkey
    destination_token_program: Pubkey
    event_authority: Pubkey
    program: Pubkey


@dataclass(frozen=True, slots=True)
class RouteV2:
    """Swap exactly ``in_amount`` for at least `min_out`."""

    accounts: RouteAccounts
    in_amount: int
    quoted_out_amount: int
    slippage_bps: int
    platform_fee_bps: int
    positive_slippage_bps: int
    plan: bytes
    remaining_accounts: tuple[AccountMeta, ...] = ()


@dataclass(frozen=True, slots=True)
class SharedAccountsRouteV2:
    """Swap exactly ``in_amount`` for at least `min_out`, through token accounts of the program."""

    accounts: SharedRouteAccounts
    id: int
    in_amount: int
    quoted_out_amount: int
    slippage_bps: int
    platform_fee_bps: int
    positive_slippage_bps: int
    plan: bytes
    remaining_accounts: tuple[AccountMeta, ...] = ()


Route = RouteV2 | SharedAccountsRouteV2

_AMOUNTS: Final = (
    "in_amount:Q quoted_out_amount:Q slippage_bps:H platform_fee_bps:H positive_slippage_bps:H"  # then the plan
)
FORMATS: Final = (
    InstructionFormat(
        RouteV2,
        JUPITER,
        "bb64facc31c4af14",
        AccountLayout(
            RouteAccounts,
            """user_transfer_authority:s user_source_token_account:w user_destination_token_account:w source_mint
            destination_mint source_token_program destination_token_program destination_token_account:wo
            event_authority program""",
        ),
        _AMOUNTS,
        tail="bytes",
        has_remaining=True,
    ),
    InstructionFormat(
        SharedAccountsRouteV2,
        JUPITER,
        "d19853937cfed8e9",
        AccountLayout(
            SharedRouteAccounts,
            """program_authority user_transfer_authority:s source_token_account:w program_source_token_account:w
            program_destination_token_account:w destination_token_account:w source_mint destination_mint
            source_token_program destination_token_program event_authority program""",
        ),
        f"id:B {_AMOUNTS}",
        tail="bytes",
        has_remaining=True,
    ),
)
_BY_KIND: Final[dict[type, InstructionFormat[Any]]] = {one.kind: one for one in FORMATS}


def encode(route: Route) -> Instruction:
    """Return the instruction of a swap."""
    return _BY_KIND[type(route)].encode(route)


def decode(data: bytes, accounts: list[AccountMeta]) -> Route:
    """Return the swap of an instruction of Jupiter.

    Raises:
        DecodeError: it is neither of these swaps, or malformed.
    """
    route: Route = decode_any(FORMATS, JUPITER, data, accounts)
    return route


def min_out(route: Route) -> int:
    """Return the least output that a swap accepts: the quote less the tolerance, rounded up."""
    return -(-route.quoted_out_amount * (BPS - route.slippage_bps) // BPS)
