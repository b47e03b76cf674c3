"""Ports that are ours from the moment they are chosen."""

import socket

HOST = "127.0.0.1"


def reserve_port(port: int) -> socket.socket | None:
    """Keep everyone from a port but the server that it is for; None where somebody has it.

    Ray Serve listens with SO_REUSEPORT, so two installations that start at the same moment could listen on one port,
    and each would get requests of the other. What is bound here, and does not listen, gets none; it lets those in that
    share ports, and who looks for a free one finds that this one is not.
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
