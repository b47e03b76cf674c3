"""Why Ray has not connected to a cluster is said in one line, with what to do."""

import socket
from pathlib import Path

import pytest
import ray
from ray._private.utils import check_version_info

from actors.connection import connect_ray
from actors.loopback import PROBE_S
from memesnipe.errors import MemeSnipeError


def refusal(monkeypatch: pytest.MonkeyPatch, folder: Path, error: Exception) -> str:
    def refuse(**_: object) -> None:
        raise error

    monkeypatch.setattr(ray, "init", refuse)
    with pytest.raises(MemeSnipeError) as raised:
        connect_ray("auto", folder, "test")
    text = str(raised.value)
    assert "\n" not in text
    return text


def test_other_versions_are_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    with pytest.raises(RuntimeError) as ours:
        check_version_info({"ray_version": "2.0.1", "python_version": "3.9.1"}, "node 10.0.0.2")
    text = refusal(monkeypatch, tmp_path, ours.value)
    assert text.startswith("the Ray cluster at auto has other versions: ")
    assert "Ray: 2.0.1 Python: 3.9.1" in text and f"Ray: {ray.__version__}" in text


def test_a_refused_token_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    text = refusal(monkeypatch, tmp_path, ray.exceptions.AuthenticationError("Invalid token\nlong help"))
    assert text.startswith("the Ray cluster at auto refuses the token: Invalid token; set RAY_AUTH_MODE=token")


def test_an_address_without_a_server_is_refused_at_once(tmp_path: Path) -> None:
    with socket.socket() as reserved:  # bound and not listening
        reserved.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{reserved.getsockname()[1]}"
        with pytest.raises(MemeSnipeError, match=f"^no Ray cluster responds at {address}: .*Connection refused"):
            connect_ray(address, tmp_path, "test")
    assert PROBE_S < 10
