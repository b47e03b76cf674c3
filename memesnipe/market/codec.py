"""Conversion of records to dictionaries and back: the form in which feeds deliver events."""

from collections.abc import Iterator
from typing import Any

from memesnipe.market.events import FIELDS, KIND_NAMES, NO_TOKEN, SIDE_NAMES, VENUE_NAMES, Events, empty
from memesnipe.market.record_rules import CODED_FIELDS, KIND_CODES, SIDE_CODES, VENUE_CODES

__all__ = ["KIND_CODES", "SIDE_CODES", "VENUE_CODES", "from_messages", "to_messages"]


def to_messages(events: Events, mints: list[str]) -> Iterator[dict[str, Any]]:
    """Yield one dictionary per record; ``mints[i]`` is the address of token ``i``. Numbers are converted exactly."""
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
    """Return the records of messages, in the order given.

    Raises:
        KeyError: a message lacks a field of its kind, or names an unknown kind, venue or side.
    """
    events = empty(len(messages))
    indices: dict[int, list[int]] = {}
    for index, message in enumerate(messages):
        indices.setdefault(KIND_CODES[message["kind"]], []).append(index)
    # Field by field for all messages of a kind: message by message takes ten times as long.
    for kind, of_kind in indices.items():
        some = [messages[index] for index in of_kind]
        for name in FIELDS[kind]:
            codes = CODED_FIELDS.get(name)
            events[name][of_kind] = [codes[m[name]] for m in some] if codes else [m[name] for m in some]
    return events
