"""A reserved port cannot be reserved again, and is free for a server with SO_REUSEPORT."""

import socket

from memesnipe.servers.ports import reserve_port
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
