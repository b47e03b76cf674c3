"""Metrics are served where they were asked for, or beside it."""

import httpx

from memesnipe.telemetry.metrics import ActorMetrics


def test_two_actors_that_want_one_port_both_serve() -> None:
    first, second = ActorMetrics("executor"), ActorMetrics("executor")
    port = first.serve(0)
    other = second.serve(port)
    assert port != other
    first.took_in("events", 5)
    second.failed()
    assert (
        'memesnipe_entries_total{actor="executor",stream="events"} 5.0'
        in httpx.get(f"http://127.0.0.1:{port}/metrics").text
    )
    assert 'memesnipe_failures_total{actor="executor"} 1.0' in httpx.get(f"http://127.0.0.1:{other}/metrics").text
