"""The system on a cluster is found by its supervisor; tests/system/test_from_elsewhere.py does it on a real Ray."""

import inspect
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import ray
import ray.util

from actors import systems
from actors.supervisor import NAME, NAMESPACE, Supervisor, SystemState
from memesnipe.cli.cluster import end_system, system_on
from memesnipe.errors import MemeSnipeError

ADDRESS = "10.0.0.2:6379"
HOME = "/srv/memesnipe/.memesnipe"


class Answer:
    """What a call of an actor gives: a value, or an error."""

    def __init__(self, value: Any) -> None:
        self.value = value


class Method:
    def __init__(self, answer: Any) -> None:
        self.answer = answer

    def remote(self) -> Answer:
        return Answer(self.answer() if callable(self.answer) else self.answer)


class FakeCluster:
    """Named actors by namespace, and what was done with them."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, has_owner: bool = False) -> None:
        self.supervisors: dict[str, Any] = {}
        self.others = [{"name": "executor-1", "namespace": NAMESPACE.format("a")}, {"name": NAME, "namespace": "serve"}]
        self.done: list[str] = []
        self.has_owner = has_owner
        monkeypatch.setattr(systems, "connect_ray", lambda *given, **_: self.done.append(f"connect {given[0]}"))
        monkeypatch.setattr(systems, "disconnect_ray", lambda: self.done.append("disconnect"))
        monkeypatch.setattr(systems, "_POLL_S", 0.0)
        page = SimpleNamespace(undeploy=lambda: self.done.append("undeploy"))  # Serve is slow to load
        monkeypatch.setitem(sys.modules, "serve_app", page)
        monkeypatch.setattr(ray.util, "list_named_actors", self.list_named_actors)
        monkeypatch.setattr(ray, "get_actor", lambda name, namespace: self.supervisors[namespace])
        monkeypatch.setattr(ray, "get", self.get)
        monkeypatch.setattr(ray, "kill", self.kill)

    def add(self, installation: str, **methods: Any) -> None:
        name = NAMESPACE.format(installation)
        state = SystemState("24.0.0", HOME, "10.0.0.3", 4, self.has_owner, {"executor": {"state": "running"}}, "")
        made = {"describe": Method(state), "end": Method(lambda: self.end(name)), **methods}
        self.supervisors[name] = type("Handle", (), made)()

    def end(self, name: str) -> bool:
        self.done.append("end")
        if self.has_owner:  # `memesnipe up` kills the supervisor
            del self.supervisors[name]
        return self.has_owner

    def list_named_actors(self, *, all_namespaces: bool) -> list[dict[str, str]]:
        assert all_namespaces
        return [*self.others, *({"name": NAME, "namespace": each} for each in self.supervisors)]

    def get(self, answer: Answer, *, timeout: float) -> Any:
        assert timeout > 0
        if isinstance(answer.value, Exception):
            raise answer.value
        return answer.value

    def kill(self, handle: Any) -> None:
        self.done.append("kill")
        self.supervisors = {name: one for name, one in self.supervisors.items() if one is not handle}


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MEMESNIPE_HOME", str(tmp_path))


def test_a_system_without_its_client_is_ended_with_its_page(monkeypatch: pytest.MonkeyPatch) -> None:
    cluster = FakeCluster(monkeypatch)
    cluster.add("a")
    assert system_on(ADDRESS)["home"] == HOME
    assert end_system(ADDRESS) == {"stopped": True, "address": ADDRESS, "home": HOME, "run_id": 4}
    assert cluster.done[2:] == [f"connect {ADDRESS}", "end", "kill", "undeploy", "disconnect"]


def test_a_client_that_runs_ends_the_rest_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    cluster = FakeCluster(monkeypatch, has_owner=True)
    cluster.add("a")
    assert end_system(ADDRESS)["stopped"]
    assert cluster.done == [f"connect {ADDRESS}", "end", "disconnect"]


@pytest.mark.parametrize(
    ("installations", "methods", "message"),
    [
        ([], {}, "no system of MemeSnipe runs on the Ray cluster at 10.0.0.2:6379"),
        (["a", "b"], {}, f"2 systems of MemeSnipe run on the cluster at 10.0.0.2:6379: {HOME}, {HOME}; use"),
        (["a"], {"describe": None}, "is of another version of MemeSnipe"),
        (["a"], {"describe": Method(ray.exceptions.GetTimeoutError("late"))}, "does not answer: late"),
    ],
)
def test_what_cannot_be_ended_is_said(
    monkeypatch: pytest.MonkeyPatch, installations: list[str], methods: dict[str, Any], message: str
) -> None:
    cluster = FakeCluster(monkeypatch)
    for each in installations:
        cluster.add(each, **methods)
    with pytest.raises(MemeSnipeError, match=message.replace(".", r"\.")) as raised:
        end_system(ADDRESS)
    assert "\n" not in str(raised.value)
    assert cluster.done == [f"connect {ADDRESS}", "disconnect"]


def test_the_supervisor_has_the_methods_that_are_called() -> None:
    actor: Any = Supervisor
    methods = dict(inspect.getmembers(actor.__ray_metadata__.modified_class, inspect.isfunction))
    assert {"ping", "describe", "end", "stop"} <= set(methods)
