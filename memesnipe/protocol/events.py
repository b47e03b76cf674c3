"""The payloads of the `events:*` streams, one type for each kind of event, and their conversion from and to records.

A payload has the fields that a record of its kind carries (`memesnipe.market.events.FIELDS`), with kind, venue and side
by name and the address of the token. The conversion of numbers in both directions is exact.
"""

from collections.abc import Sequence
from operator import attrgetter
from typing import Any, ClassVar, Final

import msgspec
import numpy as np

from memesnipe.market.events import EVENT, FIELDS, KIND_NAMES, NO_TOKEN, SIDE_NAMES, VENUE_NAMES, Events, empty, take
from memesnipe.market.record_rules import CODED_FIELDS
from memesnipe.protocol.payload import Versioned


class EventPayload(Versioned, frozen=True, gc=False):
    """The fields that all kinds of event have. Each kind has a subclass with its additional fields."""

    kind_code: ClassVar[int]

    ts: int  # ns since 1970 UTC
    token: int  # index of the mint in the run; -1: the whole market
    kind: str
    venue: str
    side: str
    flags: int  # 1 rebalance due | 2 generation due | 4 late
    slot: int
    sol_usd: float
    mint: str  # "": the whole market


_NAMES: Final = {"kind": KIND_NAMES, "venue": VENUE_NAMES, "side": SIDE_NAMES}


def _payload_of(kind: int) -> type[EventPayload]:
    """Return a new payload type for a kind."""
    own = [name for name in FIELDS[kind] if name not in EventPayload.__struct_fields__]
    fields = [(name, float if EVENT[name].kind == "f" else int) for name in own]
    name = KIND_NAMES[kind]
    made: Any = msgspec.defstruct(
        f"{name.title().replace('_', '')}Payload",
        fields,
        bases=(EventPayload,),
        module=__name__,
        namespace={"stream": f"events:{name}", "kind_code": kind, "__doc__": f"One `{name}` event."},
        frozen=True,
        gc=False,
        forbid_unknown_fields=True,
    )
    payload: type[EventPayload] = made
    return payload


PAYLOAD_OF_KIND: Final = {kind: _payload_of(kind) for kind in FIELDS}
EVENT_STREAMS: Final = tuple(payload.stream for payload in PAYLOAD_OF_KIND.values())


def to_payloads(events: Events, mints: Sequence[str]) -> list[EventPayload]:
    """Return the payloads of records, in their order; ``mints[i]`` is the address of token ``i``."""
    payloads: list[Any] = [None] * len(events)
    for kind in np.unique(events["kind"]).tolist():
        indices = np.flatnonzero(events["kind"] == kind)
        records = take(events, indices)
        columns: dict[str, list[Any]] = {name: records[name].tolist() for name in FIELDS[kind]}
        for name, names in _NAMES.items():
            columns[name] = [names[code] for code in columns[name]]
        columns["mint"] = [mints[token] if token != NO_TOKEN else "" for token in columns["token"]]
        payload = PAYLOAD_OF_KIND[kind]
        columns["v"] = [payload.version] * len(records)
        values = (columns[name] for name in payload.__struct_fields__)
        for i, made in zip(indices.tolist(), map(payload, *values), strict=True):
            payloads[i] = made
    return payloads


def to_records(payloads: Sequence[EventPayload]) -> Events:
    """Return the records of payloads, in their order.

    Raises:
        KeyError: a payload names a venue or a side that does not exist.
    """
    events = empty(len(payloads))
    indices: dict[int, list[int]] = {}
    for i, payload in enumerate(payloads):
        indices.setdefault(payload.kind_code, []).append(i)
    # By kind and column: a conversion record by record takes ten times as long.
    for kind, of_kind in indices.items():
        names = FIELDS[kind]
        columns = zip(*map(attrgetter(*names), (payloads[i] for i in of_kind)), strict=True)
        where: Any = of_kind if len(indices) > 1 else slice(None)
        for name, column in zip(names, columns, strict=True):
            codes = CODED_FIELDS.get(name)
            events[name][where] = [codes[value] for value in column] if codes else column
    return events
