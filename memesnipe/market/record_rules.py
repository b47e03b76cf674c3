"""The rules of a record: one table that defines which records from any source are valid events.

`error_of` applies it to single messages (in the sequencer), `memesnipe.market.validation` to whole arrays (of tapes and
imports). Both apply the rules in the same order, so that both report the same first error of a record.
"""

import re
from typing import Any, Final, NamedTuple

import numpy as np

from memesnipe.market.events import (
    BUY_SIDE,
    DEPTH,
    EVENT,
    FIELDS,
    FUNDING,
    KIND_NAMES,
    NS_PER_S,
    ONCHAIN,
    PRICE,
    SELL_SIDE,
    SIDE_NAMES,
    VENUE_NAMES,
)
from memesnipe.market.plausible import FEE_BPS_BELOW, LAST_TS, MAX_MINT_LENGTH, OLDEST_TS, RANGES, SOL_USD

# Categories of errors.
MALFORMED: Final = "malformed"  # unknown kind, venue, side or address; a field that is missing or of the wrong type
OUT_OF_RANGE: Final = "out_of_range"  # a number that is not finite or outside its range
TOO_OLD: Final = "too_old"  # before 2020, like times in s, ms or us read as ns
OUT_OF_ORDER: Final = "out_of_order"  # earlier than the previous record
FUTURE: Final = "future"  # later than the clock
JUMP: Final = "jump"  # live: so long after the previous record that every token would be dead
DUPLICATE: Final = "duplicate"  # import: the same trade a second time
CATEGORIES: Final = (MALFORMED, OUT_OF_RANGE, TOO_OLD, OUT_OF_ORDER, FUTURE, JUMP, DUPLICATE)

KIND_CODES: Final = {name: code for code, name in KIND_NAMES.items()}
VENUE_CODES: Final = {name: code for code, name in VENUE_NAMES.items()}
SIDE_CODES: Final = {name: code for code, name in SIDE_NAMES.items()}
CODED_FIELDS: Final = {"kind": KIND_CODES, "venue": VENUE_CODES, "side": SIDE_CODES}
ASSIGNED_BY_A_RUN: Final = ("seq", "flags", "token")  # a feed gives a mint instead of a token

# How far ahead of the clock a recorded event may be: allows wrong time zones and clocks, but no wrong units.
MAX_AHEAD_NS: Final = 86_400 * NS_PER_S
FEES: Final = ("lp_fee_bps", "protocol_fee_bps", "creator_fee_bps")
# The other kinds may concern the whole market.
NEEDS_MINT: Final = frozenset({PRICE, DEPTH, FUNDING, ONCHAIN})
_MINT: Final = re.compile(f"[!-~]{{1,{MAX_MINT_LENGTH}}}")

# The codes that a record of each kind may have, by coded field.
CODES: Final[dict[int, dict[str, frozenset[int]]]] = {
    kind: {"venue": frozenset(VENUE_NAMES), "side": frozenset(SIDE_NAMES)} for kind in FIELDS
}
CODES[PRICE] = {"venue": frozenset(VENUE_NAMES) - {0}, "side": frozenset({BUY_SIDE, SELL_SIDE})}


class Error(NamedTuple):
    """The reason why a record is invalid: a category, and one line with the field and its value."""

    category: str
    message: str


class Number(NamedTuple):
    """The rule of a numeric field: the types allowed in a message, and the range of its values."""

    name: str
    types: Any
    minimum: float
    maximum: float
    or_zero: bool  # 0 means unknown and is allowed besides the range

    def error(self, value: Any) -> Error:
        """Return the error of a number outside the range."""
        zero = "0 (unknown) or " if self.or_zero else ""
        return Error(OUT_OF_RANGE, f"{self.name} is {value!r}: must be {zero}from {self.minimum:g} to {self.maximum:g}")


def _number(kind: int, name: str) -> Number:
    dtype = EVENT[name]
    if name == "sol_usd":
        return Number(name, (int, float), *SOL_USD, or_zero=kind != PRICE)
    if dtype.kind == "f":
        return Number(name, (int, float), *RANGES[name], or_zero=False)
    minimum, maximum = RANGES.get(name, (np.iinfo(dtype).min, np.iinfo(dtype).max))
    return Number(name, int, int(minimum), int(maximum), or_zero=False)


NUMBERS: Final[dict[int, tuple[Number, ...]]] = {
    kind: tuple(_number(kind, name) for name in fields if name not in CODED_FIELDS and name not in ASSIGNED_BY_A_RUN)
    for kind, fields in FIELDS.items()
}


def error_of(message: dict[str, Any]) -> Error | None:
    """Return the error of the first rule that a message breaks, except those of its time; None if it is valid.

    Raises:
        ValueError, RecursionError: a value has no ``repr`` (an integer of too many digits, deeply nested lists).
    """
    name = message.get("kind")
    kind = KIND_CODES.get(name) if isinstance(name, str) else None
    if kind is None:
        return unknown_kind(name)
    for name, allowed in CODES[kind].items():
        value = message.get(name)
        if not isinstance(value, str) or CODED_FIELDS[name].get(value) not in allowed:
            return unknown_code(name, value)
    for number in NUMBERS[kind]:
        name, types, minimum, maximum, or_zero = number
        value = message.get(name)
        if not isinstance(value, types) or isinstance(value, bool):
            return Error(MALFORMED, f"{name} is {value!r}" if name in message else f"{name} is missing")
        # Comparisons with NaN are false, so NaN is in no range.
        if not minimum <= value <= maximum and not (or_zero and value == 0):
            return number.error(value)
    if kind == PRICE:
        fees_bps = sum(message[name] for name in FEES)
        if fees_bps >= FEE_BPS_BELOW:
            return excessive_fees(fees_bps)
    return mint_error(kind, message.get("mint"))


def unknown_kind(kind: Any) -> Error:
    """Return the error of a kind that does not exist."""
    return Error(MALFORMED, f"unknown kind {kind!r}")


def unknown_code(name: str, value: Any) -> Error:
    """Return the error of a venue or side that does not exist or is not allowed for the kind."""
    return Error(MALFORMED, f"{name} is {value!r}")


def excessive_fees(fees_bps: int) -> Error:
    """Return the error of fees that consume the whole trade."""
    return Error(OUT_OF_RANGE, f"the fees are {fees_bps} bps together: must be below {FEE_BPS_BELOW}")


def mint_error(kind: int, mint: Any) -> Error | None:
    """Return the error of a mint for a kind of record, or None.

    PostgreSQL, JSON and terminals must be able to represent it. Base58 of 32 bytes is not required, because synthetic
    markets use mints that cannot exist on the chain.
    """
    if mint is None or mint == "":
        return Error(MALFORMED, f"mint is {mint!r}: {_article(KIND_NAMES[kind])}") if kind in NEEDS_MINT else None
    if not isinstance(mint, str):
        return Error(MALFORMED, f"mint is {mint!r}")
    if not is_mint(mint):
        shown = repr(mint[:MAX_MINT_LENGTH])
        return Error(MALFORMED, f"mint is {shown}: must be 1 to {MAX_MINT_LENGTH} visible ASCII characters")
    return None


def is_mint(mint: str) -> bool:
    """Return whether a text is a valid address of a token."""
    return _MINT.fullmatch(mint) is not None


def _article(kind_name: str) -> str:
    return f"{'an' if kind_name[0] in 'aeiou' else 'a'} {kind_name} event needs one"


def time_error(ts: int, last_ts: int, now_ns: int | None, ahead_ns: int = MAX_AHEAD_NS) -> Error | None:
    """Return the error of a record's time, or None.

    Args:
        ts: the time of the record, in ns since 1970.
        last_ts: the time of the previous accepted record, or 0.
        now_ns: the clock, or None to skip the check against it.
        ahead_ns: how far ahead of the clock the record may be.
    """
    if ts < OLDEST_TS:
        return Error(TOO_OLD, f"ts is {ts}: before 2020-01-01 in ns since 1970")
    if ts > LAST_TS:
        return Error(FUTURE, f"ts is {ts}: after the year 2116")
    if ts < last_ts:
        return Error(OUT_OF_ORDER, f"ts {ts} is before the previous event's {last_ts}")
    if now_ns is not None and ts > now_ns + ahead_ns:
        return Error(FUTURE, f"ts {ts} is {(ts - now_ns) / NS_PER_S:.0f} s from now")
    return None
