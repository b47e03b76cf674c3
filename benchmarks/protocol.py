"""Cost of the events' way over a stream: records to JSON and back, with three libraries on the same events.

Run it with `python benchmarks/protocol.py [EVENTS]`; 20,000 by default. Each figure is the minimum of five, in us per
event, measured in turn in one run.

- structs: what the product does, typed structs of msgspec that are validated when they are decoded.
- models: the same fields as pydantic models, validated when they are decoded.
- dictionaries: plain dictionaries with orjson, not validated.
"""

import sys
import time
from collections.abc import Callable, Sequence
from itertools import islice
from typing import Any

import msgspec
import numpy as np
import orjson
from pydantic import TypeAdapter, create_model

from memesnipe.feeds.synthetic.feed import SyntheticFeed
from memesnipe.market.sequencer import Sequencer
from memesnipe.protocol.events import EventPayload, to_payloads, to_records
from memesnipe.protocol.payload import encode
from memesnipe.protocol.streams import decoder_of

ROUNDS = 5


def main(count: int) -> None:
    sequencer = Sequencer(60, 300)
    records, _ = sequencer.stamp(list(islice(SyntheticFeed(1).messages(0), count)))
    payloads = to_payloads(records, sequencer.mints)
    streams = [payload.stream for payload in payloads]
    adapters = {type(payload): _adapter(type(payload)) for payload in payloads}
    models = [adapters[type(p)].validate_python(msgspec.structs.asdict(p)) for p in payloads]
    dictionaries = [msgspec.structs.asdict(payload) for payload in payloads]
    data = [encode(payload) for payload in payloads]
    ways: dict[str, tuple[Callable[[], Any], Callable[[], Any]]] = {
        "structs": (
            lambda: [encode(payload) for payload in payloads],
            lambda: [decoder_of(stream)(line) for stream, line in zip(streams, data, strict=True)],
        ),
        "models": (
            lambda: [adapters[type(p)].dump_json(m) for p, m in zip(payloads, models, strict=True)],
            lambda: [adapters[type(p)].validate_json(line) for p, line in zip(payloads, data, strict=True)],
        ),
        "dictionaries": (
            lambda: [orjson.dumps(values) for values in dictionaries],
            lambda: [orjson.loads(line) for line in data],
        ),
    }
    best = _measure([call for pair in ways.values() for call in pair])
    print(f"{'us per event':14}{'encode':>10}{'decode':>10}")
    for i, name in enumerate(ways):
        print(f"{name:14}{best[2 * i] / count * 1e6:10.2f}{best[2 * i + 1] / count * 1e6:10.2f}")
    found = to_records([decoder_of(stream)(line) for stream, line in zip(streams, data, strict=True)])
    shared = [name for name in found.dtype.names or () if name not in ("token", "trader")]
    if not all(np.array_equal(found[name], records[name]) for name in shared):
        raise SystemExit("an event was changed on its way")


def _adapter(payload: type[EventPayload]) -> TypeAdapter[Any]:
    fields: dict[str, Any] = {field.name: (field.type, ...) for field in msgspec.structs.fields(payload)}
    return TypeAdapter(create_model(payload.__name__, **fields))


def _measure(calls: Sequence[Callable[[], Any]]) -> list[float]:
    """Return the shortest time of each call in seconds; the calls take turns, so that a slow moment meets all."""
    best = [float("inf")] * len(calls)
    for _ in range(ROUNDS):
        for i, call in enumerate(calls):
            started = time.perf_counter()
            call()
            best[i] = min(best[i], time.perf_counter() - started)
    return best


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 20_000)
