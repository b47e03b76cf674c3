"""A reserved port cannot be reserved again, and is free for a server with SO_REUSEPORT."""

import os
import socket
from collections.abc import Iterator
from contextlib import ExitStack

import psutil
import pytest

from memesnipe.config.settings import settings_from
from memesnipe.errors import InputError
from memesnipe.runtime import session_ports
from memesnipe.runtime.session_ports import report_taken_ports, with_dashboard_port
from memesnipe.servers.ports import holder_of, is_free, reserve_port
from memesnipe.servers.process import free_port


def test_a_port_is_reserved_once_and_can_be_served() -> None:
    port = free_port(0)
    reserved = reserve_port(port)
    assert reserved is not None
    with reserved, socket.socket() as server, socket.socket() as other:
        assert reserve_port(port) is None
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            other.bind(("127.0.0.1", port))
        except OSError as error:
            refused = str(error)
        assert "in use" in refused
        # Like Ray Serve.
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        server.bind(("127.0.0.1", port))
        server.listen()
        for _ in range(20):
            with socket.create_connection(("127.0.0.1", port), timeout=5) as client:
                accepted, _ = server.accept()
                accepted.close()
                assert client.recv(1) == b""
    # The server closed first, so its connections are in TIME_WAIT; the port can be reserved nevertheless.
    again = reserve_port(port)
    assert again is not None
    again.close()


def test_a_port_in_use_is_not_reserved() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        assert reserve_port(server.getsockname()[1]) is None


@pytest.fixture
def taken() -> Iterator[int]:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        yield server.getsockname()[1]


def test_the_holder_of_a_port_is_named(taken: int) -> None:
    assert holder_of(taken) == f" by {psutil.Process().name()} (process {os.getpid()})"
    assert not is_free(taken)


def test_a_free_port_has_no_holder() -> None:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        port = server.getsockname()[1]
    assert holder_of(port) == ""


def test_a_start_says_which_ports_are_taken_and_how_to_set_them(
    taken: int, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = settings_from({}).changed(executor_metrics_port=taken, portfolio_metrics_port=taken)
    report_taken_ports(settings)
    holder = f"by {psutil.Process().name()} (process {os.getpid()})"
    page = settings.api.dashboard_port
    monkeypatch.setattr(session_ports, "reserve_port", lambda port: reserve_port(port) if port > page else None)
    monkeypatch.setattr(session_ports, "holder_of", lambda port: f" by web{port} (process 1)")
    with ExitStack() as stack:
        chosen = with_dashboard_port(settings, stack)
    assert capsys.readouterr().err.splitlines() == [
        f"Port {taken} of the executor's metrics is taken {holder}: another free one is used; "
        "EXECUTOR_METRICS_PORT sets it.",
        f"Port {taken} of the portfolio's metrics is taken {holder}: another free one is used; "
        "PORTFOLIO_METRICS_PORT sets it.",
        f"Port {page} of the page is taken by web{page} (process 1): it is at {chosen.api.dashboard_port}; "
        "DASHBOARD_PORT sets another.",
    ]


def test_a_taken_port_that_was_set_is_refused_with_its_holder(taken: int) -> None:
    settings = settings_from({}).changed(dashboard_port=taken)
    with ExitStack() as stack, pytest.raises(InputError, match=f"DASHBOARD_PORT is {taken}: .*process {os.getpid()}"):
        with_dashboard_port(settings, stack)
