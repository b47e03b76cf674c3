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
from memesnipe.market.plausible import is_plausible

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
    for record, message in zip(events, messages, strict=True):
        kind = KIND_CODES[message["kind"]]
        for name in FIELDS[kind]:
            record[name] = _CODED[name][message[name]] if name in _CODED else message[name]
    return events


_CODED = {"kind": KIND_CODES, "venue": VENUE_CODES, "side": SIDE_CODES}
_INTEGERS = {
    name: np.iinfo(EVENT[name]) for name in EVENT.names or () if name not in _CODED and EVENT[name].kind != "f"
}
_FEES = ("lp_fee_bps", "protocol_fee_bps", "creator_fee_bps")
_ALL_BPS = 10_000
_SIDES_OF_A_TRADE = (SIDE_NAMES[BUY_SIDE], SIDE_NAMES[SELL_SIDE])


def flaw(message: dict[str, Any]) -> str | None:
    """Why a message cannot be a record of the market, or None when it can."""
    name = message.get("kind")
    kind = KIND_CODES.get(name) if isinstance(name, str) else None
    if kind is None:
        return f"unknown kind {name!r}"
    for name in FIELDS[kind]:
        value = message.get(name)
        if not _fits(name, value) or not is_plausible(name, value):
            return f"{name} is {value!r}"
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


def _fits(name: str, value: Any) -> bool:
    """Whether a field can hold a value without changing it."""
    if name in _CODED:
        return isinstance(value, str) and value in _CODED[name]
    if isinstance(value, bool):
        return False
    if name in _INTEGERS:
        return isinstance(value, int) and _INTEGERS[name].min <= value <= _INTEGERS[name].max
    return isinstance(value, int | float)
