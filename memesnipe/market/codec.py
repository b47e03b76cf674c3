"""Records as JSON-ready dictionaries and back: what travels on the `events:*` streams."""

import math
from collections.abc import Iterator
from typing import Any

from memesnipe.market.events import (
    FIELDS,
    KIND_NAMES,
    NO_TOKEN,
    PRICE,
    SIDE_NAMES,
    VENUE_NAMES,
    Events,
    empty,
)

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


_ABOVE_ZERO = ("price_usd", "sol_usd", "pool_sol_lamports", "pool_token_raw")
_CODED = {"kind": KIND_CODES, "venue": VENUE_CODES, "side": SIDE_CODES}


def flaw(message: dict[str, Any]) -> str | None:
    """Why a message cannot be a record of the market, or None when it can."""
    kind = KIND_CODES.get(message.get("kind", ""))
    if kind is None:
        return f"unknown kind {message.get('kind')!r}"
    for name in FIELDS[kind]:
        value = message.get(name)
        if name in _CODED:
            if value not in _CODED[name]:
                return f"{name} is {value!r}"
        elif isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            return f"{name} is {value!r}"
    if kind == PRICE:
        return next((f"{name} is {message[name]}" for name in _ABOVE_ZERO if message[name] <= 0), None)
    return None
