"""The rules of a record: one table that decides what may be an event of the market, wherever it comes from.

`error_of` applies it to single messages (the sequencer does, live), `memesnipe.market.validation` to whole arrays (of
tapes and imports). Both go through the table in the same order, so that they find the same first error of a record.
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

# The categories of errors.
MALFORMED: Final = "malformed"  # no such kind, venue, side or address; a field that is missing or of another type
OUT_OF_RANGE: Final = "out_of_range"  # a number that is not finite or not plausible
TOO_OLD: Final = "too_old"  # before 2020, as times in s, ms or us are when they are taken for ns
OUT_OF_ORDER: Final = "out_of_order"  # earlier than the record before it
FUTURE: Final = "future"  # later than now
JUMP: Final = "jump"  # live: so long after the record before it that every token would be dead
DUPLICATE: Final = "duplicate"  # import: the same trade a second time
CATEGORIES: Final = (MALFORMED, OUT_OF_RANGE, TOO_OLD, OUT_OF_ORDER, FUTURE, JUMP, DUPLICATE)

KIND_CODES: Final = {name: code for code, name in KIND_NAMES.items()}
VENUE_CODES: Final = {name: code for code, name in VENUE_NAMES.items()}
SIDE_CODES: Final = {name: code for code, name in SIDE_NAMES.items()}
CODED_FIELDS: Final = {"kind": KIND_CODES, "venue": VENUE_CODES, "side": SIDE_CODES}
ASSIGNED_BY_A_RUN: Final = ("seq", "flags", "token")  # a feed gives a mint instead of a token

# How far ahead of the clock a recorded event may be: time zones and a clock that is off, but no wrong unit.
MAX_AHEAD_NS: Final = 86_400 * NS_PER_S
FEES: Final = ("lp_fee_bps", "protocol_fee_bps", "creator_fee_bps")
# Social posts and bridge transfers may concern the whole market.
NEEDS_MINT: Final = frozenset({PRICE, DEPTH, FUNDING, ONCHAIN})
_MINT: Final = re.compile(f"[!-~]{{1,{MAX_MINT_LENGTH}}}")

# Which codes a record of each kind may carry, for the fields that are coded.
CODES: Final[dict[int, dict[str, frozenset[int]]]] = {
    kind: {"venue": frozenset(VENUE_NAMES), "side": frozenset(SIDE_NAMES)} for kind in FIELDS
}
CODES[PRICE] = {"venue": frozenset(VENUE_NAMES) - {0}, "side": frozenset({BUY_SIDE, SELL_SIDE})}


class Error(NamedTuple):
    """Why a record cannot be taken: its category, and one line that says which field is what."""

    category: str
    message: str


class Number(NamedTuple):
    """The rule of a numeric field: what types a message may give it in, and its least and greatest value."""

    name: str
    types: Any
    least: float
    most: float
    or_zero: bool  # 0 means "not known" and is allowed beside the range

    def error(self, value: Any) -> Error:
        """The error of a number outside the range."""
        zero = "0 (not known) or " if self.or_zero else ""
        return Error(OUT_OF_RANGE, f"{self.name} is {value!r}: must be {zero}from {self.least:g} to {self.most:g}")


def _number(kind: int, name: str) -> Number:
    dtype = EVENT[name]
    if name == "sol_usd":
        return Number(name, (int, float), *SOL_USD, or_zero=kind != PRICE)
    if dtype.kind == "f":
        return Number(name, (int, float), *RANGES[name], or_zero=False)
    least, most = RANGES.get(name, (np.iinfo(dtype).min, np.iinfo(dtype).max))
    return Number(name, int, int(least), int(most), or_zero=False)


NUMBERS: Final[dict[int, tuple[Number, ...]]] = {
    kind: tuple(_number(kind, name) for name in fields if name not in CODED_FIELDS and name not in ASSIGNED_BY_A_RUN)
    for kind, fields in FIELDS.items()
}


def error_of(message: dict[str, Any]) -> Error | None:
    """The first rule that a message breaks, its time apart; None when it keeps all of them.

    Raises:
        ValueError, RecursionError: a value cannot be shown (an integer of too many digits, deeply nested lists).
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
        name, types, least, most, or_zero = number
        value = message.get(name)
        if not isinstance(value, types) or isinstance(value, bool):
            return Error(MALFORMED, f"{name} is {value!r}" if name in message else f"{name} is missing")
        # A comparison with NaN is false, so it is in no range.
        if not least <= value <= most and not (or_zero and value == 0):
            return number.error(value)
    if kind == PRICE:
        fees_bps = sum(message[name] for name in FEES)
        if fees_bps >= FEE_BPS_BELOW:
            return excessive_fees(fees_bps)
    return mint_error(kind, message.get("mint"))


def unknown_kind(kind: Any) -> Error:
    """The error of a kind that does not exist."""
    return Error(MALFORMED, f"unknown kind {kind!r}")


def unknown_code(name: str, value: Any) -> Error:
    """The error of a venue or side that does not exist, or that a record of this kind cannot have."""
    return Error(MALFORMED, f"{name} is {value!r}")


def excessive_fees(fees_bps: int) -> Error:
    """The error of fees that leave nothing of a trade."""
    return Error(OUT_OF_RANGE, f"the fees are {fees_bps} bps together: must be below {FEE_BPS_BELOW}")


def mint_error(kind: int, mint: Any) -> Error | None:
    """What is wrong with the mint of a record of this kind.

    PostgreSQL, JSON and terminals must be able to hold it. Whether it is base58 of 32 bytes is not asked: synthetic
    markets have mints that are recognisably none of the chain.
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
    """Whether a text can be the address of a token."""
    return _MINT.fullmatch(mint) is not None


def _article(kind_name: str) -> str:
    return f"{'an' if kind_name[0] in 'aeiou' else 'a'} {kind_name} event needs one"


def time_error(ts: int, last_ts: int, now_ns: int | None, ahead_ns: int = MAX_AHEAD_NS) -> Error | None:
    """What is wrong with the time of a record.

    Args:
        ts: its time, in ns since 1970.
        last_ts: the time of the accepted record before it, or 0.
        now_ns: the clock, or None where no clock is to be asked.
        ahead_ns: how far ahead of the clock it may be.
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
