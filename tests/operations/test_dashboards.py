"""The dashboards of Grafana query metrics and labels that exist, and together show every metric of trading."""

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from memesnipe.telemetry.catalogue import METRICS
from scripts.dashboards_text import UNITS

ROOT = Path(__file__).resolve().parents[2]
DASHBOARDS = {path.stem: json.loads(path.read_text()) for path in sorted((ROOT / "grafana/dashboards").glob("*.json"))}
SERIES = {series: metric for metric in METRICS for series in metric.series}
TARGETS: list[dict[str, Any]] = [
    target for dashboard in DASHBOARDS.values() for panel in dashboard["panels"] for target in panel["targets"]
]


@pytest.mark.parametrize("target", TARGETS, ids=lambda target: target["expr"][:50])
def test_a_query_names_metrics_and_labels_that_exist(target: dict[str, Any]) -> None:
    query = target["expr"]
    named = re.findall(r"\bmemesnipe_\w+", query)
    assert named or query.startswith("up{")
    assert set(named) <= set(SERIES)
    labels = {label for name in named for label in SERIES[name].labels} | {"actor", "instance"}
    selected = re.findall(r"(\w+)!?=", "".join(re.findall(r"memesnipe_\w+\{([^}]*)\}", query)))
    grouped = [label for group in re.findall(r"by \(([^)]*)\)", query) for label in group.split(", ") if label != "le"]
    shown = re.findall(r"\{\{(\w+)\}\}", target["legendFormat"])
    assert {*selected, *grouped, *shown} <= labels
    if grouped:
        assert set(shown) <= set(grouped)


@pytest.mark.skipif(not shutil.which("promtool"), reason="promtool is not installed (Debian: prometheus)")
def test_prometheus_understands_every_query(tmp_path: Path) -> None:
    rules = [{"record": f"query:{i}", "expr": target["expr"]} for i, target in enumerate(TARGETS)]
    file = tmp_path / "queries.yml"
    file.write_text(yaml.safe_dump({"groups": [{"name": "queries", "rules": rules}]}))
    done = subprocess.run(["promtool", "check", "rules", str(file)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_metric_but_the_position_in_the_run_is_shown() -> None:
    shown = {SERIES[name].name for target in TARGETS for name in re.findall(r"\bmemesnipe_\w+", target["expr"])}
    assert {metric.name for metric in METRICS} - shown == {"seq"}


def test_dashboards_have_the_data_source_that_is_provisioned() -> None:
    (source,) = yaml.safe_load((ROOT / "grafana/provisioning/datasources/prometheus.yml").read_text())["datasources"]
    assert set(DASHBOARDS) == {"system", "trading", "evolution"}
    for name, dashboard in DASHBOARDS.items():
        assert dashboard["uid"] == f"memesnipe-{name}"
        ids = [panel["id"] for panel in dashboard["panels"]]
        assert len(set(ids)) == len(ids)
        for panel in dashboard["panels"]:
            sources = [panel["datasource"], *(target["datasource"] for target in panel["targets"])]
            assert all(one == {"type": source["type"], "uid": source["uid"]} for one in sources)
    (provider,) = yaml.safe_load((ROOT / "grafana/provisioning/dashboards/memesnipe.yml").read_text())["providers"]
    mounts = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]["grafana"]["volumes"]
    assert f"./grafana/dashboards:{provider['options']['path']}:ro" in mounts


PANELS = {panel["title"]: panel for dashboard in DASHBOARDS.values() for panel in dashboard["panels"]}


def test_a_panel_has_a_title_of_its_own_a_unit_and_a_legend_for_each_query() -> None:
    assert len(PANELS) == sum(len(dashboard["panels"]) for dashboard in DASHBOARDS.values())
    for panel in PANELS.values():
        assert panel["fieldConfig"]["defaults"]["unit"] in UNITS
        legends = [target["legendFormat"].strip() for target in panel["targets"]]
        assert all(legends) and len({target["refId"] for target in panel["targets"]}) == len(legends)


def test_panels_do_not_overlap_and_fill_rows_of_24_columns() -> None:
    for dashboard in DASHBOARDS.values():
        cells = [
            (x, y)
            for at in (panel["gridPos"] for panel in dashboard["panels"])
            for x in range(at["x"], at["x"] + at["w"])
            for y in range(at["y"], at["y"] + at["h"])
        ]
        assert len(set(cells)) == len(cells)
        assert max(x for x, _ in cells) == 23


def limits_of_alerts() -> list[tuple[str, float]]:
    """Return the queries that alerts compare with a limit, without the selectors of labels, and the limits."""
    rules = yaml.safe_load((ROOT / "alerts.yml").read_text())["groups"][0]["rules"]
    parts = [part for rule in rules for part in re.split(r"\s+or\s+", rule["expr"].strip())]
    split = [re.fullmatch(r"(.+) (?:>|>=|==) ([\d.]+)", part) for part in parts]
    return [(re.sub(r"\{.*?\}", "", found[1]), float(found[2])) for found in split if found]


def test_a_panel_shows_the_limit_of_the_alert_about_its_query() -> None:
    compared = set()
    for query, limit in limits_of_alerts():
        bare = re.sub(r"sum by \(\w+\) \((.*)\)$", r"\1", query)
        for panel in PANELS.values():
            shown = {
                re.sub(r"^(sum by \([\w, ]+\)|max) ?\((.*)\)$", r"\2", re.sub(r"\{.*?\}", "", t["expr"]))
                for t in panel["targets"]
            }
            if bare in shown:
                steps = panel["fieldConfig"]["defaults"]["thresholds"]["steps"]
                assert (limit or 1) in [step["value"] for step in steps], (panel["title"], query)
                compared.add(panel["title"])
    with_limits = {title for title, panel in PANELS.items() if "thresholds" in panel["fieldConfig"]["defaults"]}
    assert compared == with_limits
