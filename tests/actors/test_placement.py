"""On a cluster of several nodes the actors of a run are on one node, where the event log is."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import ray
from ray.cluster_utils import Cluster

from actors.supervisor import ACTORS, Supervision
from tests.system.installation import wait_for

RUN = 3


@pytest.fixture
def nodes() -> Iterator[None]:
    cluster = Cluster()
    for _ in range(3):
        cluster.add_node(num_cpus=1)
    ray.init(cluster.address, namespace="test-placement", log_to_driver=False)
    yield
    ray.shutdown()
    cluster.shutdown()


@pytest.mark.usefixtures("nodes")
def test_the_actors_are_on_the_node_of_the_supervisor(tmp_path: Path) -> None:
    (tmp_path / "logs").mkdir()
    supervision = Supervision(tmp_path, "first", RUN, {}, detached=False, shared=False)
    names = {"supervisor", *(f"{role}-{RUN}" for role in ACTORS)}
    wait_for("every actor", lambda: names <= {name for name, _ in _placed()}, 60)
    assert len({node for name, node in _placed() if name in names}) == 1
    assert sum(node["Alive"] for node in ray.nodes()) == 3
    supervision.stop()


def _placed() -> list[tuple[str, str]]:
    """Return name and node of each actor that runs."""
    actors = ray.state.actors().values()
    return [(a["Name"], a["Address"]["NodeID"]) for a in actors if a["State"] == "ALIVE"]
