"""Events of pump.fun and PumpSwap as their programs print them: the inverse of `memesnipe.feeds.pumpfun.layouts`."""

import base64
import struct
from collections.abc import Mapping
from typing import Any, Final

from memesnipe.feeds.pumpfun.chain_events import ChainEvent
from memesnipe.feeds.pumpfun.layouts import CODES, LAYOUTS, SHARES, STRING, Layout

_BY_EVENT: Final = {
    layout.event: (discriminator, layout) for layouts in LAYOUTS.values() for discriminator, layout in layouts.items()
}
_INT128: Final = 16


def encode_event(event: ChainEvent, last: str = "") -> bytes:
    """Return the bytes of an event.

    Fields that the decoder does not read are encoded as zeros and empty texts.

    Args:
        event: the event.
        last: name of the last field that the event has; "" for all of them.
    """
    values = {name: getattr(event, name) for name in event.__struct_fields__}
    return encode_fields(type(event), values, last)


def encode_fields(kind: type[ChainEvent], values: Mapping[str, Any], last: str = "") -> bytes:
    """Return the bytes of an event with fields by their names in the layout; absent ones are zeros and empty texts."""
    discriminator, layout = _BY_EVENT[kind]
    encoded: bytes = discriminator
    for name, field_kind in layout.fields:
        encoded += _encode(field_kind, values.get(name))
        if name == last:
            break
    return encoded


def layout_of(kind: type[ChainEvent]) -> Layout[Any]:
    """Return the layout of an event."""
    return _BY_EVENT[kind][1]


def data_line(data: bytes) -> str:
    """Return the line of a log that carries data."""
    return f"Program data: {base64.b64encode(data).decode()}"


def event_line(kind: type[ChainEvent], **values: Any) -> str:
    """Return the line of a log with an event; its fields by their names in the layout."""
    known = {name for name, _ in layout_of(kind).fields}
    unknown = values.keys() - known
    if unknown:
        raise ValueError(f"{kind.__name__} has no {', '.join(sorted(unknown))}")
    return data_line(encode_fields(kind, values))


def _encode(kind: str, value: Any) -> bytes:
    if kind == SHARES:
        return struct.pack("<I", 0)
    if kind == STRING:
        text = (value or "").encode()
        return struct.pack("<I", len(text)) + text
    if kind == "i128":
        return int(value or 0).to_bytes(_INT128, "little", signed=True)
    if kind == "key":
        return bytes(value or b"").ljust(32, b"\0")
    return struct.pack("<" + CODES[kind], value or 0)
