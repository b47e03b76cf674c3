"""Every order and every fill of a run is in the logs and in the traces, by the ids of the database."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from memesnipe.storage.schema import OrderRow, TradeRow
from tests.roles.otlp_receiver import Receiver, value_of
from tests.verification.small_run import small_runs


@pytest.mark.timeout(300)
def test_logs_and_traces_have_every_order_and_fill(
    tmp_path: Path, database: sa.Engine, empty_redis: Callable[[], str]
) -> None:
    receiver = Receiver()
    settings = {"otlp_endpoint": receiver.url, "log_level": "DEBUG"}
    try:
        with small_runs(tmp_path, database, empty_redis(), settings=settings) as small:
            run_id = small.run("replay:order-path", lambda _: None)
    finally:
        receiver.close()
    with database.connect() as connection:
        orders = set(connection.scalars(sa.select(OrderRow.order_id).where(OrderRow.run_id == run_id)))
        trades = set(connection.scalars(sa.select(TradeRow.order_id).where(TradeRow.run_id == run_id)))
    assert len(orders) >= len(trades) > 10

    logged: dict[str, list[dict[str, Any]]] = {}
    for name in ("executor", "position"):
        for line in (tmp_path / "logs" / f"{name}.jsonl").read_text().splitlines():
            entry = json.loads(line)
            logged.setdefault(entry["event"], []).append(entry)
    assert {line["order_id"] for line in logged["order"]} == orders
    assert {line["order_id"] for line in logged["trade"]} == trades
    assert {line["order_id"] for line in logged["fill booked"]} == trades
    assert {line["run"] for lines in logged.values() for line in lines} == {run_id}

    spans = [span for _, span in receiver.all_spans()]
    by_id = {span.span_id: span for span in spans}
    named = {name: [span for span in spans if span.name == name] for name in ("event", "order", "fill", "booked")}
    assert {value_of(span, "order_id") for span in named["order"]} == orders
    assert {value_of(span, "order_id") for span in named["fill"]} == trades
    assert {value_of(span, "order_id") for span in named["booked"]} == trades
    for child, parent in (("order", "event"), ("fill", "order"), ("booked", "fill")):
        assert {by_id[span.parent_span_id].name for span in named[child]} == {parent}
