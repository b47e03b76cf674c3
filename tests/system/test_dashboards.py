"""A real Prometheus reads a real system on a live market: every panel shows data, and an alert fires."""

import json
import os
import signal
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from memesnipe.config.home import Home
from memesnipe.feeds.synthetic.feed import SyntheticFeed
from memesnipe.protocol.heartbeat import ACTORS
from memesnipe.servers import loopback
from memesnipe.servers.process import free_port, read_pid
from memesnipe.testing.live_market import LiveMarket
from scripts.dashboards_text import Panel, read_panels
from tests.operations.test_alerts import needs_promtool
from tests.pages import ROOT
from tests.system.installation import Installation, wait_for
from tests.system.pumpfun import PUMPFUN_SETTINGS, PUMPFUN_SPEED, PumpfunSystem

pytestmark = [pytest.mark.system, pytest.mark.long, pytest.mark.timeout(900), needs_promtool]
PROMOTED = {"MIN_TRADES_FOR_PROMOTION": "3"}  # without a command
# What this system does not do.
NOT_HERE = {
    "memesnipe_live_orders_total": "there is no live account",
    "memesnipe_landing_seconds_bucket": "there is no live account",
    "memesnipe_events_put_aside_total": "no event of the feed is rejected",
}


@pytest.fixture(scope="module")
def one(installations_of_module: Callable[..., Installation]) -> Iterator[Installation]:
    with LiveMarket(SyntheticFeed(7).messages(0), PUMPFUN_SPEED) as market:
        settings = PUMPFUN_SETTINGS | PROMOTED | market.settings
        yield PumpfunSystem(installations_of_module(**settings), market, set()).installation


@pytest.fixture(scope="module")
def prometheus(one: Installation, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Return the URL of a Prometheus with our configuration, but for the ports and the pace."""
    folder = tmp_path_factory.mktemp("prometheus")
    config: dict[str, Any] = yaml.safe_load((ROOT / "prometheus.yml").read_text())
    config["global"] = {"scrape_interval": "1s", "evaluation_interval": "1s"}
    config["rule_files"] = [str(ROOT / "alerts.yml")]
    (memesnipe,) = (job for job in config["scrape_configs"] if job["job_name"] == "memesnipe")
    ports = [wait_for("its metrics", lambda a=actor: one.heartbeat(a).get("metrics_port")) for actor in ACTORS]  # type: ignore[misc]
    memesnipe["static_configs"] = [{"targets": [f"127.0.0.1:{port}" for port in ports]}]
    config["scrape_configs"] = [memesnipe]
    (folder / "prometheus.yml").write_text(yaml.safe_dump(config))
    address = f"127.0.0.1:{free_port(9590)}"
    command = ["prometheus", f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={folder}/data"]
    with (folder / "log").open("w") as log:
        process = subprocess.Popen([*command, f"--web.listen-address={address}"], stdout=log, stderr=log)
    try:
        wait_for("Prometheus", lambda: answers(f"http://{address}/-/ready"), 60)
        yield f"http://{address}"
    finally:
        process.kill()
        process.wait()


def answers(url: str) -> bool:
    try:
        return loopback.get(url, 5).status == 200
    except OSError:
        return False


def lacking(panels: list[Panel]) -> list[str]:
    """Return the panels without data which this system should have filled."""
    return [
        f"{p.dashboard}: {p.title}"
        for p in panels
        if p.is_empty and not any(n in q for q in p.queries for n in NOT_HERE)
    ]


def test_every_panel_shows_data(one: Installation, prometheus: str, tmp_path: Path) -> None:
    os.kill(read_pid(Home(one.folder / ".memesnipe").redis_pid) or 0, signal.SIGKILL)  # every actor recovers
    panels: list[Panel] = []

    def all_filled() -> bool:
        panels[:] = read_panels(prometheus)
        return not lacking(panels)

    try:
        wait_for("data in every panel", all_filled, 300, pause_s=1.0)
    except AssertionError:
        pytest.fail(f"without data: {lacking(panels)}")
    (tmp_path / "panels.txt").write_text("\n".join(map(str, panels)))  # for a reader
    legends = [legend for panel in panels for legend, _ in panel.lines]
    assert legends and not [legend for legend in legends if "?" in legend or not legend.strip()]
    for panel in panels:
        names = [legend for legend, _ in panel.lines]
        assert len(set(names)) == len(names), f"{panel.title}: two lines of one name: {names}"
    assert {panel.title for panel in panels if panel.is_empty} <= {
        "Live orders per minute by outcome, and what their bids follow",
        "First send to block of live orders",
        "Events put aside per second",
    }


def test_the_alert_of_a_stopped_account_fires(one: Installation, prometheus: str) -> None:
    assert one.run("halt", "--reason", "a test").returncode == 0

    def firing() -> set[str]:
        found = json.loads(loopback.get(f"{prometheus}/api/v1/alerts", 10).body)["data"]["alerts"]
        return {alert["labels"]["alertname"] for alert in found if alert["state"] == "firing"}

    wait_for("the alert", lambda: "TradingStopped" in firing(), 60)
    assert one.run("risk", "reset").returncode == 0
    wait_for("its end", lambda: "TradingStopped" not in firing(), 60)
