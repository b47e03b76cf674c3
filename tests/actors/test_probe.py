"""A server that requires TLS is recognised before Ray connects, which would end the process."""

import socket
import threading
from collections.abc import Callable

import pytest

from actors.probe import probe
from memesnipe.errors import MemeSnipeError

Answer = Callable[[socket.socket], None]


def address_of(answer: Answer) -> str:
    """Return the address of a server that answers one client."""
    server = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        with server, server.accept()[0] as client:
            client.recv(64)
            answer(client)

    threading.Thread(target=serve, daemon=True).start()
    return f"127.0.0.1:{server.getsockname()[1]}"


def closes(_: socket.socket) -> None:
    """Close the connection."""


def sends(answer: bytes) -> Answer:
    return lambda client: client.sendall(answer)


@pytest.mark.parametrize("answer", [closes, sends(b"\x15\x03\x01\x00\x02\x02\x46")])
def test_a_server_with_tls_is_named_to_a_client_without(answer: Answer) -> None:
    with pytest.raises(MemeSnipeError, match=r"^no Ray cluster responds at [\d.:]+: the server requires TLS; check"):
        probe(address_of(answer), uses_tls=False)
    probe(address_of(answer), uses_tls=True)


def test_a_server_of_http_2_passes() -> None:
    probe(address_of(sends(bytes([0, 0, 0, 4, 0, 0, 0, 0, 0]))), uses_tls=False)


def test_an_address_without_a_port_is_left_to_ray() -> None:
    probe("auto", uses_tls=False)
