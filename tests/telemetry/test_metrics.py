"""Metrics are served on the requested port, or on another one if it is taken."""

import httpx

from memesnipe.telemetry.metrics import ActorMetrics


def test_two_actors_with_the_same_port_both_serve() -> None:
    first, second = ActorMetrics("executor"), ActorMetrics("executor")
    port = first.serve(0)
    other = second.serve(port)
    assert port != other
    first.add_entries("events", 5)
    second.add_failure()
    assert (
        'memesnipe_entries_total{actor="executor",stream="events"} 5.0'
        in httpx.get(f"http://127.0.0.1:{port}/metrics").text
    )
    assert 'memesnipe_failures_total{actor="executor"} 1.0' in httpx.get(f"http://127.0.0.1:{other}/metrics").text
