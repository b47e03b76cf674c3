"""Actors are placed by the resources of the nodes; `test_supervisor.py` has a cluster of several nodes."""

from typing import Any

import pytest
import ray

from actors.supervisor import placement


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
