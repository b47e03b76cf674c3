"""Traces from event to order to fill arrive at a real OTLP receiver, joined across actors by ids that nobody sends."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from memesnipe.clock import SYSTEM_CLOCK
from memesnipe.config.settings import load_settings, write_resolved
from memesnipe.engine.orders import Fill, Order
from memesnipe.protocol.account import Account
from memesnipe.protocol.messages import FillMessage
from memesnipe.roles.context import Context
from memesnipe.roles.order_traces import trace_booked, trace_steps
from memesnipe.telemetry.traces import Traces
from memesnipe.trading.steps import DeskFill, Step
from tests.roles.otlp_receiver import Receiver, value_of

ORDER = Order("a1", 4, 2, 1, "signal", 1_000_000_000, 9, 20, 0.1, 1_000, 0, 50)
FILL = Fill(ORDER, 1_400_000_000, 12, 50, 990, 5, 5, 985, "")
MESSAGE = FillMessage(seq=12, mint="MintA", side_name="buy", status="PAPER", parity_bps=None, fill=FILL)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    made = Receiver()
    yield made
    made.close()


def test_the_spans_of_two_actors_are_one_trace(receiver: Receiver) -> None:
    executor, position = Traces(receiver.url, "executor", 5), Traces(receiver.url, "position", 5)
    mints = {2: "MintA"}
    trace_steps(executor, [Step(9, 1_000_000_000, Account.PAPER, orders=[ORDER])], mints, 100, 200)
    filled = Step(12, 1_400_000_000, Account.PAPER, fills=[DeskFill(FILL, 200.0)])
    trace_steps(executor, [filled], mints, 300, 400)
    trace_booked(position, [MESSAGE], 500, 600)
    executor.close()
    position.close()
    found = receiver.spans()
    assert {name: service for name, (service, _) in found.items()} == {
        "event": "memesnipe.executor", "order": "memesnipe.executor", "fill": "memesnipe.executor",
        "booked": "memesnipe.position",
    }  # fmt: skip
    spans = {name: span for name, (_, span) in found.items()}
    assert len({span.trace_id for span in spans.values()}) == 1
    assert spans["event"].parent_span_id == b""
    for child, parent in (("order", "event"), ("fill", "order"), ("booked", "fill")):
        assert spans[child].parent_span_id == spans[parent].span_id
        assert value_of(spans[child], "order_id") == "a1-4"
    assert {value_of(span, "run") for span in spans.values()} == {5}
    assert {value_of(span, "seq") for span in spans.values()} == {9}
    assert (spans["fill"].start_time_unix_nano, spans["fill"].end_time_unix_nano) == (300, 400)
    assert (value_of(spans["fill"], "outcome"), value_of(spans["fill"], "latency_ms")) == ("landed", 400.0)
    assert value_of(spans["order"], "mint") == "MintA"


def test_a_receiver_that_is_not_there_delays_nothing(free_port: int) -> None:
    traces = Traces(f"http://127.0.0.1:{free_port}/v1/traces", "executor", 5)
    began = SYSTEM_CLOCK.monotonic_s()
    for number in range(5_000):  # more than are kept
        traces.add("event", seq=number, start_ns=1, end_ns=2, attributes={})
    assert SYSTEM_CLOCK.monotonic_s() - began < 5.0
    traces.close()


def test_tracing_is_off_by_default(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, receiver: Receiver) -> None:
    monkeypatch.chdir(tmp_path)
    write_resolved(load_settings(), tmp_path / "settings.json")
    assert Context(tmp_path, 1).traces("executor") is None
    write_resolved(load_settings().changed(otlp_endpoint=receiver.url), tmp_path / "settings.json")
    traces = Context(tmp_path, 1).traces("executor")
    assert traces is not None
    traces.close()


@pytest.fixture
def free_port() -> int:
    from memesnipe.servers.process import free_port

    return free_port(0)
