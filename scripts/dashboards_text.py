"""Print every panel of Grafana's dashboards with its values of now, as text, from a Prometheus on this machine.

.venv/bin/python scripts/dashboards_text.py http://127.0.0.1:9090
"""

import json
import math
import re
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from memesnipe.servers import loopback

FOLDER = Path(__file__).resolve().parents[1] / "grafana" / "dashboards"
_TIMEOUT_S = 10.0
_BYTES = 1 << 20
# How a value of a unit of Grafana is printed.
UNITS = {
    "none": "{:,.0f}",
    "short": "{:,.4g}",
    "ops": "{:,.4g}/s",
    "s": "{:,.4g} s",
    "bytes": "{:,.1f} MiB",
    "percentunit": "{:.1%}",
    "currencyUSD": "${:,.2f}",
}


@dataclass(frozen=True)
class Panel:
    """A panel of a dashboard, and the value of each of its lines."""

    dashboard: str
    title: str
    unit: str
    queries: tuple[str, ...]
    lines: tuple[tuple[str, float], ...]

    @property
    def is_empty(self) -> bool:
        """Return whether it has no line with a number."""
        return not any(math.isfinite(value) for _, value in self.lines)

    def __str__(self) -> str:
        scale = _BYTES if self.unit == "bytes" else 1
        shown = [f"  {legend:<40} {UNITS[self.unit].format(value / scale)}" for legend, value in self.lines]
        return "\n".join([f"{self.dashboard}: {self.title}", *(shown or ["  no data"])])


def read_panels(prometheus: str) -> list[Panel]:
    """Return all panels with their values of now.

    Args:
        prometheus: URL of a Prometheus on this machine.
    """
    found = []
    for path in sorted(FOLDER.glob("*.json")):
        for panel in json.loads(path.read_text())["panels"]:
            lines = [line for target in panel["targets"] for line in _lines(prometheus, target)]
            queries = tuple(target["expr"] for target in panel["targets"])
            unit = panel["fieldConfig"]["defaults"]["unit"]
            found.append(Panel(path.stem, panel["title"], unit, queries, tuple(lines)))
    return found


def _lines(prometheus: str, target: dict[str, Any]) -> list[tuple[str, float]]:
    answer = loopback.get(f"{prometheus}/api/v1/query?query={quote(target['expr'])}", _TIMEOUT_S)
    result = json.loads(answer.body)
    if result["status"] != "success":
        raise ValueError(f"{target['expr']}: {result['error']}")
    return [
        (_legend(target["legendFormat"], one["metric"]), float(one["value"][1])) for one in result["data"]["result"]
    ]


def _legend(pattern: str, labels: dict[str, str]) -> str:
    return re.sub(r"\{\{(\w+)\}\}", lambda match: labels.get(match[1], "?"), pattern)


if __name__ == "__main__":
    print("\n".join(map(str, read_panels(sys.argv[1]))))
