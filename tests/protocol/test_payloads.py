"""Payloads are decoded as they were encoded; anything else is rejected."""

import json

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from memesnipe.market.events import EVENT, FIELDS, KIND_NAMES, empty
from memesnipe.protocol.events import PAYLOAD_OF_KIND, to_payloads, to_records
from memesnipe.protocol.messages import ExecutorProgress, RiskEvent
from memesnipe.protocol.payload import ProtocolError, encode
from memesnipe.protocol.streams import (
    ACTORS,
    ARENAS,
    OUTPUTS,
    PLACED,
    STREAMS,
    decoder_of,
    readers_in,
    reads_of,
    writes_of,
)
from tests.payloads import allocations, applied, command, exit_order, risk
from tests.support import genome, synthetic_events

EVENTS = synthetic_events(3000, seed=5)
MINTS = [f"mint {token}" for token in range(int(EVENTS["token"].max()) + 1)]
SAMPLES = [
    allocations([genome("buy_once")], ["ab"], {"cd": 12.5}), command("halt", seq=9), risk("warning"),
    exit_order("ab", 3, 17), ExecutorProgress(seq=4), applied("halt", seq=3),
]  # fmt: skip


def test_the_conversion_of_events_to_payloads_is_exact() -> None:
    payloads = to_payloads(EVENTS, MINTS)
    received = [decoder_of(payload.stream)(encode(payload)) for payload in payloads]
    assert received == payloads
    assert to_records(received).tobytes() == EVENTS.tobytes()
    assert {payload.kind for payload in payloads} >= {"price", "social", "sol_price"}


@given(st.data())
def test_the_conversion_of_any_record_is_exact(data: st.DataObject) -> None:
    kind = data.draw(st.sampled_from(list(FIELDS)))
    records = empty(1)
    records["kind"], records["token"] = kind, data.draw(st.integers(-1, 0))
    for name in FIELDS[kind]:
        if name in ("kind", "token", "venue", "side"):
            continue
        if EVENT[name].kind == "f":
            records[name] = data.draw(st.floats(allow_nan=False, allow_infinity=False))
        else:
            info = __import__("numpy").iinfo(EVENT[name])
            records[name] = data.draw(st.integers(int(info.min), int(info.max)))
    (payload,) = to_payloads(records, ["A"])
    assert to_records([decoder_of(payload.stream)(encode(payload))]).tobytes() == records.tobytes()


def test_every_kind_has_a_payload_with_its_fields() -> None:
    for kind, payload in PAYLOAD_OF_KIND.items():
        assert set(payload.__struct_fields__) == {*FIELDS[kind], "v", "mint"}
        assert payload.stream == f"events:{KIND_NAMES[kind]}"


@pytest.mark.parametrize("payload", SAMPLES, ids=lambda payload: payload.stream)
def test_messages_are_decoded_unchanged_and_begin_with_their_event(payload: msgspec.Struct) -> None:
    written = encode(payload)
    assert written.startswith(b'{"seq":%d,"v":1' % payload.seq)
    assert decoder_of(payload.stream)(written) == payload


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"level": 5}, "Expected `str`, got `int` - at `$.level`"),
        ({"level": None}, "Expected `str`, got `null`"),
        ({"more": 1}, "unknown field `more`"),
        ({"v": 2}, "risk_events: version 2, this code reads 1"),
        ({"seq": "1"}, "Expected `int`"),
        ({"drawdown": "0.1"}, "Expected `float`"),
    ],
)
def test_a_message_of_another_type_is_rejected_by_name(change: dict[str, object], error: str) -> None:
    content = json.loads(encode(risk("normal")))
    with pytest.raises(ProtocolError, match=r"risk_events") as raised:
        decoder_of(RiskEvent.stream)(json.dumps(content | change).encode())
    assert error in str(raised.value)


@pytest.mark.parametrize("data", [b"", b"{", b"null", b"[]", b"{}", b'{"seq":1}', b"\xff"])
def test_invalid_messages_are_rejected(data: bytes) -> None:
    with pytest.raises(ProtocolError):
        decoder_of(RiskEvent.stream)(data)


def test_the_table_of_streams_is_complete() -> None:
    assert {stream.writer for stream in STREAMS.values()} <= {*ACTORS, *ARENAS}
    assert {reader for stream in STREAMS.values() for reader in stream.readers} <= {*ACTORS, *ARENAS}
    written = [name for role in (*ACTORS, *ARENAS) for name in writes_of(role)]
    assert sorted(written) == sorted(name for name, stream in STREAMS.items() if not stream.is_event)
    assert reads_of("executor")[0] == "events"
    assert "events" not in reads_of("portfolio")


def test_only_the_arenas_of_a_run_have_streams() -> None:
    assert not {PLACED, *OUTPUTS} & {*reads_of("executor"), *readers_in(0)}
    assert set(reads_of("executor", 2)) - set(reads_of("executor")) == {PLACED, *OUTPUTS[:2]}
    assert reads_of("arena_1", 2) == ("events", PLACED)
    assert readers_in(2)[PLACED] == ("executor", "arena_0", "arena_1")
    assert OUTPUTS[2] not in readers_in(2)
