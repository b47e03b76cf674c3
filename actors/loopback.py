"""A Ray that listens on loopback alone, and how to reach one."""

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import ray
from ray._private import ray_constants

_LOOPBACK: Final = ("127.0.0.1", "localhost")
PROBE_S: Final = 5.0


@contextmanager
def on_loopback(**variables: str) -> Iterator[None]:
    """Make a Ray that is started or joined in this context use loopback alone.

    By default Ray listens on all addresses on Linux and on loopback on macOS; this switch selects loopback.

    Args:
        variables: of the environment, for processes that are started meanwhile.
    """
    inherited = {ray_constants.ENABLE_RAY_CLUSTERS_ENV_VAR: "0", **variables}
    is_enabled = ray_constants.ENABLE_RAY_CLUSTER
    before = {name: os.environ.get(name) for name in inherited}
    os.environ.update(inherited)
    ray_constants.ENABLE_RAY_CLUSTER = False
    try:
        yield
    finally:
        ray_constants.ENABLE_RAY_CLUSTER = is_enabled
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def is_on_loopback_alone(address: str) -> bool:
    """Return whether this machine's other address does not answer at the port of an address on loopback."""
    host, _, port = address.rpartition(":")
    if host not in _LOOPBACK or not port.isdecimal():
        return False
    own: Any = ray.util.get_node_ip_address()  # type: ignore[no-untyped-call]
    try:
        socket.create_connection((own, int(port)), timeout=PROBE_S).close()
    except OSError:
        return True
    return False
