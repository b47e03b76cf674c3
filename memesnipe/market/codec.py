"""Records as JSON-ready dictionaries and back: what travels on the `events:*` streams."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from memesnipe.market.events import (
    BUY_SIDE,
    EVENT,
    FIELDS,
    KIND_NAMES,
    NO_TOKEN,
    PRICE,
    SELL_SIDE,
    SIDE_NAMES,
    VENUE_NAMES,
    Events,
    empty,
)
from memesnipe.market.plausible import RANGES, SOL_USD

KIND_CODES = {name: code for code, name in KIND_NAMES.items()}
VENUE_CODES = {name: code for code, name in VENUE_NAMES.items()}
SIDE_CODES = {name: code for code, name in SIDE_NAMES.items()}
STREAM_OF_KIND = {kind: f"events:{name}" for kind, name in KIND_NAMES.items()}


def to_messages(events: Events, mints: list[str]) -> Iterator[dict[str, Any]]:
    """One dictionary a record; ``mints[i]`` is the address of token ``i``. Numbers survive the trip exactly."""
    columns = {name: events[name].tolist() for fields in FIELDS.values() for name in fields}
    for i, kind in enumerate(columns["kind"]):
        message = {name: columns[name][i] for name in FIELDS[kind]}
        message["kind"] = KIND_NAMES[kind]
        message["venue"] = VENUE_NAMES[message["venue"]]
        message["side"] = SIDE_NAMES[message["side"]]
        if message["token"] != NO_TOKEN:
            message["mint"] = mints[message["token"]]
        yield message


def from_messages(messages: list[dict[str, Any]]) -> Events:
    """The records of the messages, in the order given.

    Raises:
        KeyError: a message lacks a field of its kind, or names an unknown kind, venue or side.
    """
    events = empty(len(messages))
    places: dict[int, list[int]] = {}
    for place, message in enumerate(messages):
        places.setdefault(KIND_CODES[message["kind"]], []).append(place)
    # Field by field for all of a kind: one by one it would take ten times as long.
    for kind, of_kind in places.items():
        some = [messages[place] for place in of_kind]
        for name in FIELDS[kind]:
            codes = _CODED.get(name)
            events[name][of_kind] = [codes[m[name]] for m in some] if codes else [m[name] for m in some]
    return events


_CODED = {"kind": KIND_CODES, "venue": VENUE_CODES, "side": SIDE_CODES}


def _number(name: str) -> tuple[str, Any, float, float]:
    """A field that is a number: its name, its type, and the least and the most that it may be."""
    dtype = EVENT[name]
    if dtype.kind == "f":
        return name, (int, float), *RANGES.get(name, (0.0, SOL_USD[1]))
    least, most = RANGES.get(name, (np.iinfo(dtype).min, np.iinfo(dtype).max))
    return name, int, least, most


_NUMBERS = {kind: [_number(name) for name in fields if name not in _CODED] for kind, fields in FIELDS.items()}
_FEES = ("lp_fee_bps", "protocol_fee_bps", "creator_fee_bps")
_ALL_BPS = 10_000
_SIDES_OF_A_TRADE = (SIDE_NAMES[BUY_SIDE], SIDE_NAMES[SELL_SIDE])


def flaw(message: dict[str, Any]) -> str | None:
    """Why a message cannot be a record of the market, or None when it can."""
    name = message.get("kind")
    kind = KIND_CODES.get(name) if isinstance(name, str) else None
    if kind is None:
        return f"unknown kind {name!r}"
    for name, codes in _CODED.items():
        value = message.get(name)
        if not isinstance(value, str) or value not in codes:
            return f"{name} is {value!r}"
    for name, number, least, most in _NUMBERS[kind]:
        value = message.get(name)
        # A comparison with NaN is false, so it is in no range.
        if not isinstance(value, number) or isinstance(value, bool) or not least <= value <= most:
            return f"{name} is {value!r}"
    if 0 < message["sol_usd"] < SOL_USD[0]:  # 0: not known
        return f"sol_usd is {message['sol_usd']}"
    mint = message.get("mint")
    if (mint is not None and not isinstance(mint, str)) or (kind == PRICE and not mint):
        return f"mint is {mint!r}"
    return _flaw_of_a_trade(message) if kind == PRICE else None


def _flaw_of_a_trade(message: dict[str, Any]) -> str | None:
    """Why a message whose fields all fit is still no trade."""
    if message["side"] not in _SIDES_OF_A_TRADE:
        return f"side is {message['side']!r}"
    if message["sol_usd"] == 0:
        return f"sol_usd is {message['sol_usd']}"
    fees_bps = sum(message[name] for name in _FEES)
    return f"the fees are {fees_bps} bps together" if fees_bps >= _ALL_BPS else None
