"""On a cluster of several nodes the actors of a run are on one node, where the event log is, except the arenas."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import ray
from ray.cluster_utils import Cluster

from actors.supervisor import ACTORS, Supervision, placement
from tests.system.installation import wait_for

RUN = 3


@pytest.fixture
def nodes() -> Iterator[None]:
    cluster = Cluster()
    cluster.add_node(num_cpus=1)
    for _ in range(2):
        cluster.add_node(num_cpus=1, resources={"arena": 1})
    ray.init(cluster.address, namespace="test-placement", log_to_driver=False)
    yield
    ray.shutdown()
    cluster.shutdown()


@pytest.mark.usefixtures("nodes")
def test_the_actors_are_on_the_node_of_the_supervisor_and_arenas_on_nodes_for_them(tmp_path: Path) -> None:
    (tmp_path / "logs").mkdir()
    supervision = Supervision(tmp_path, "first", RUN, {}, detached=False, shared=False, arenas=3)
    names = {"supervisor", *(f"{role}-{RUN}" for role in ACTORS)}
    arenas = {f"arena_{index}-{RUN}" for index in range(3)}
    wait_for("every actor", lambda: names | arenas <= {name for name, _ in _placed()}, 60)
    assert len({node for name, node in _placed() if name in names}) == 1
    nodes_for_arenas = {node["NodeID"] for node in ray.nodes() if "arena" in node["Resources"]}
    assert {node for name, node in _placed() if name in arenas} == nodes_for_arenas
    assert sum(node["Alive"] for node in ray.nodes()) == 3
    supervision.stop()


def _placed() -> list[tuple[str, str]]:
    """Return name and node of each actor that runs."""
    actors = ray.state.actors().values()
    return [(a["Name"], a["Address"]["NodeID"]) for a in actors if a["State"] == "ALIVE"]


@pytest.mark.parametrize(
    ("known", "resources", "options"),
    [
        ({"CPU": 4.0}, (), {}),
        ({"CPU": 4.0, "service": 100.0}, (), {"resources": {"service": 1}}),
        ({"service": 100.0, "signer": 1.0}, (), {"resources": {"service": 1}}),
        ({"service": 100.0, "signer": 1.0}, ("signer", "service"), {"resources": {"signer": 1}}),
        ({"service": 100.0}, ("signer", "service"), {"resources": {"service": 1}}),
    ],
)
def test_actors_are_placed_by_the_first_resource_that_the_cluster_has(
    monkeypatch: pytest.MonkeyPatch, known: dict[str, float], resources: tuple[str, ...], options: dict[str, Any]
) -> None:
    monkeypatch.setattr(ray, "cluster_resources", lambda: known)
    assert placement(*resources) == options
