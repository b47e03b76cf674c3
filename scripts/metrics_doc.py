"""Print `docs/metrics.md`.

.venv/bin/python scripts/metrics_doc.py > docs/metrics.md
"""

from memesnipe.config.telemetry import TelemetrySettings
from memesnipe.telemetry.catalogue import ALL, METRICS, Metric

_INTRODUCTION = """# Metrics

Every actor exports Prometheus metrics at `/metrics` on a port of its own, on 127.0.0.1 unless `METRICS_ADDRESS` is
0.0.0.0. The requests need no token, so a network must protect the ports then. If a port is taken, the actor uses a free
one; `metrics_port` of its heartbeat in Redis (`memesnipe:heartbeat:ACTOR`) is the port in use. The arenas of
`ARENA_SHARDS` use free ports, and export what all readers of streams do.

This page is generated from `memesnipe/telemetry/catalogue.py` (`python scripts/metrics_doc.py`), and a test compares
it. `prometheus.yml` reads all ports, `alerts.yml` has the alerts ([operations.md](operations.md#alerts)), and
`grafana/` has dashboards; `scripts/dashboards_text.py` prints their panels with the values of a Prometheus.

"""
_NOTES = """
Counters and histograms begin at 0 when an actor's process does. A label `account` is `paper`, and
`live` too in a run with `--mode live`.
"""


def metrics_doc() -> str:
    """Return the page."""
    lines = ["| actor | port | setting |", "|---|---|---|"]
    for actor in ALL:
        setting = f"{actor}_metrics_port"
        lines.append(f"| `{actor}` | {TelemetrySettings.model_fields[setting].default} | `{setting.upper()}` |")
    lines += ["", "| metric | type | labels besides `actor` | actors | meaning |", "|---|---|---|---|---|"]
    lines += [_row(metric) for metric in METRICS]
    return _INTRODUCTION + "\n".join(lines) + "\n" + _NOTES


def _row(metric: Metric) -> str:
    labels = ", ".join(f"`{label}`" for label in metric.labels)
    actors = "all" if metric.actors == ALL else ", ".join(metric.actors)
    return f"| `{metric.family}` | {metric.kind} | {labels} | {actors} | {metric.meaning} |"


if __name__ == "__main__":
    print(metrics_doc(), end="")
