"""The rules and targets of Prometheus are valid, fire when they should, and name only metrics and ports that exist."""

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from memesnipe.cli.main import app
from memesnipe.config.telemetry import TelemetrySettings
from memesnipe.telemetry.catalogue import METRICS

ROOT = Path(__file__).resolve().parents[2]
RULES: list[dict[str, Any]] = yaml.safe_load((ROOT / "alerts.yml").read_text())["groups"][0]["rules"]
SERIES = {series: metric for metric in METRICS for series in metric.series}

needs_promtool = pytest.mark.skipif(
    not shutil.which("promtool"), reason="promtool is not installed (Debian: prometheus)"
)


def promtool(*arguments: str) -> None:
    done = subprocess.run(["promtool", *arguments], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@needs_promtool
def test_configuration_and_rules_are_valid() -> None:
    promtool("check", "config", "prometheus.yml")


@needs_promtool
def test_every_alert_fires_at_its_limit_and_not_below() -> None:
    promtool("test", "rules", "alerts_test.yml")


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["alert"])
def test_a_rule_names_metrics_and_labels_that_exist(rule: dict[str, Any]) -> None:
    named = re.findall(r"\bmemesnipe_\w+", rule["expr"])
    assert named or rule["expr"].startswith("up{")
    assert set(named) <= set(SERIES)
    labels = {label for name in named for label in SERIES[name].labels} | {"actor"}
    for name, selector in re.findall(r"\b(memesnipe_\w+)\{([^}]*)\}", rule["expr"]):
        assert set(re.findall(r"(\w+)!?=", selector)) <= {*SERIES[name].labels, "actor"}
    shown = set(re.findall(r"\$labels\.(\w+)", rule["annotations"]["summary"]))
    assert shown <= (labels if named else {"instance"})


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule["alert"])
def test_an_alert_links_to_its_section_of_the_runbook(rule: dict[str, Any]) -> None:
    assert rule["annotations"]["runbook_url"] == f"docs/operations.md#{rule['alert'].lower()}"
    text = (ROOT / "docs" / "operations.md").read_text()
    section = re.search(rf"^### {rule['alert']}\n\n(.+?)\n\n#", text, re.M | re.S)
    assert section is not None and len(section[1].split()) > 20
    known = {command.name for command in app.registered_commands} | {
        command.name for group in app.registered_groups for command in group.typer_instance.registered_commands
    } | {"feeds", "risk"}  # fmt: skip
    assert {*re.findall(r"`memesnipe ([\w-]+)", section[1])} <= known


def test_every_alert_has_a_test_and_an_entry_in_the_runbook() -> None:
    tests = yaml.safe_load((ROOT / "alerts_test.yml").read_text())["tests"]
    names = [rule["alert"] for rule in RULES]
    for fires in (True, False):
        tested = [
            t["alert_rule_test"][0]["alertname"] for t in tests if bool(t["alert_rule_test"][0]["exp_alerts"]) is fires
        ]
        assert tested == names
    runbook = (ROOT / "docs" / "operations.md").read_text().partition("## Alerts\n")[2].partition("\n## ")[0]
    assert re.findall(r"^\| `(\w+)`", runbook, re.M) == names


def test_prometheus_reads_the_ports_of_all_actors() -> None:
    jobs = {job["job_name"]: job for job in yaml.safe_load((ROOT / "prometheus.yml").read_text())["scrape_configs"]}
    fields = TelemetrySettings.model_fields.items()
    ports = sorted(field.default for name, field in fields if name.endswith("_metrics_port"))
    assert jobs["memesnipe"]["static_configs"] == [{"targets": [f"127.0.0.1:{port}" for port in ports]}]
