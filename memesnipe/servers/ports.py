"""Ports of 127.0.0.1: which are free, who holds the others, and reservation of one until its server starts."""

import socket

import psutil

from memesnipe.errors import printable

HOST = "127.0.0.1"


def reserve_port(port: int) -> socket.socket | None:
    """Reserve a port for the server that will listen on it; return None if it is in use.

    Ray Serve listens with SO_REUSEPORT, so two installations that start at the same moment could listen on the same
    port, and each would get requests of the other. A socket that is bound but does not listen gets no request. A server
    with SO_REUSEPORT can bind beside it; a check for a free port fails.
    """
    if not is_free(port):
        return None
    reserved = socket.socket()
    reserved.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    try:
        reserved.bind((HOST, port))
    except OSError:
        reserved.close()
        return None
    return reserved


def is_free(port: int) -> bool:
    """Return whether a server could listen on a port of 127.0.0.1."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def holder_of(port: int) -> str:
    """Return which process listens on a port, as " by NAME (process PID)"; "" if this user cannot see it."""
    try:
        found = [
            connection.pid
            for connection in psutil.net_connections("tcp")
            if connection.status == psutil.CONN_LISTEN and connection.laddr.port == port and connection.pid
        ]
        return f" by {printable(psutil.Process(found[0]).name())} (process {found[0]})" if found else ""
    except (psutil.Error, OSError):
        return ""
