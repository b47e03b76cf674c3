"""Reservation of the dashboard's port between its choice and the start of its server."""

import socket

HOST = "127.0.0.1"


def reserve_port(port: int) -> socket.socket | None:
    """Reserve a port for the server that will listen on it; return None if it is in use.

    Ray Serve listens with SO_REUSEPORT, so two installations that start at the same moment could listen on the same
    port, and each would get requests of the other. A socket that is bound but does not listen gets no request. A server
    with SO_REUSEPORT can bind beside it; a check for a free port fails.
    """
    if not _is_free(port):
        return None
    reserved = socket.socket()
    reserved.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    try:
        reserved.bind((HOST, port))
    except OSError:
        reserved.close()
        return None
    return reserved


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True
