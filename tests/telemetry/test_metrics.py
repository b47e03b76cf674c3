"""Metrics are those of the catalogue, described in the documents, and served on the requested port or another one."""

from pathlib import Path

import httpx
import pytest
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from memesnipe.telemetry.catalogue import ALL, METRICS, Metric, metrics_of
from memesnipe.telemetry.machine import disk_ratio, memory_ratio
from memesnipe.telemetry.metrics import ActorMetrics
from scripts.metrics_doc import metrics_doc

ROOT = Path(__file__).resolve().parents[2]


def series_of(registry: CollectorRegistry) -> dict[str, float]:
    families = text_string_to_metric_families(generate_latest(registry).decode())
    return {
        sample.name + "".join(f" {v}" for k, v in sample.labels.items() if k not in ("actor", "le")): sample.value
        for family in families
        for sample in family.samples
    }


def test_two_actors_with_the_same_port_both_serve() -> None:
    first, second = ActorMetrics("executor"), ActorMetrics("executor")
    port = first.serve(0)
    other = second.serve(port)
    assert port != other
    first.add("entries", 5, stream="events")
    second.add("failures", cause="redis")
    assert (
        'memesnipe_entries_total{actor="executor",stream="events"} 5.0'
        in httpx.get(f"http://127.0.0.1:{port}/metrics").text
    )
    assert (
        'memesnipe_failures_total{actor="executor",cause="redis"} 1.0'
        in httpx.get(f"http://127.0.0.1:{other}/metrics").text
    )


@pytest.mark.parametrize("metric", METRICS, ids=lambda metric: metric.name)
def test_every_metric_of_the_catalogue_has_the_series_that_it_names(metric: Metric) -> None:
    metrics = ActorMetrics(metric.actors[0])
    labels = dict.fromkeys(metric.labels, "x")
    match metric.kind:
        case "counter":
            metrics.add(metric.name, **labels)
        case "gauge":
            metrics.set(metric.name, 1.0, **labels)
        case "histogram":
            metrics.observe(metric.name, 1.0, **labels)
    exported = {name.split(" ")[0] for name in series_of(metrics.registry)}
    assert set(metric.series) <= exported


def test_an_actor_exports_no_metric_of_another_and_none_with_other_labels() -> None:
    metrics = ActorMetrics("portfolio")
    with pytest.raises(KeyError):
        metrics.set("breaker_level", 1, account="paper")
    with pytest.raises(ValueError, match=r".*"):
        metrics.set("strategies", 1, account="paper")


def test_every_metric_has_an_actor_and_every_actor_metrics_of_its_own() -> None:
    assert all(metric.actors and set(metric.actors) <= set(ALL) for metric in METRICS)
    assert len({metric.name for metric in METRICS}) == len(METRICS)
    assert all(any(metric.actors == (actor,) for metric in metrics_of(actor)) for actor in ALL)


def test_the_page_of_metrics_is_current() -> None:
    assert (ROOT / "docs" / "metrics.md").read_text() == metrics_doc()


def test_the_process_its_machine_and_its_disk_are_measured(tmp_path: Path) -> None:
    metrics = ActorMetrics("position")
    metrics.watch_process(tmp_path)
    found = series_of(metrics.registry)
    assert found["memesnipe_memory_bytes"] > 10_000_000
    assert 0 < found["memesnipe_machine_memory_ratio"] <= 1
    assert 0 < found["memesnipe_disk_used_ratio"] < 1
    assert found["memesnipe_start_time_seconds"] > 1.7e9


def test_the_memory_of_a_container_is_measured_by_its_limit(tmp_path: Path) -> None:
    (tmp_path / "memory.max").write_text("1000\n")
    (tmp_path / "memory.current").write_text("900\n")
    (tmp_path / "memory.stat").write_text("anon 500\ninactive_file 300\n")
    assert memory_ratio(tmp_path) == 0.6
    (tmp_path / "memory.max").write_text("max\n")
    assert memory_ratio(tmp_path) == pytest.approx(memory_ratio(tmp_path / "none"), abs=0.2)
    assert disk_ratio(tmp_path / "none") == 0.0
