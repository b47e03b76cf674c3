"""The system on a Ray cluster, as a machine that has not started it finds, describes and ends it.

Each system has a namespace of its own in Ray, with its supervisor in it. A machine has to be a node of the cluster to
connect to it.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import ray

from actors.connection import connect_ray, disconnect_ray
from actors.supervisor import NAME, NAMESPACE, SystemState
from memesnipe.errors import MemeSnipeError, first_line

_PREFIX: Final = NAMESPACE.format("")
_CONNECT_S: Final = 20
_ANSWER_S: Final = 30.0
_END_S: Final = 120.0
_POLL_S: Final = 0.25


@contextmanager
def connected(address: str, home: Path) -> Iterator[Any]:
    """Give the supervisor of the only system on the cluster at an address.

    Args:
        address: of the cluster, or `auto` for that of this machine.
        home: folder of this machine's installation, for its log.

    Raises:
        MemeSnipeError: no cluster responds there, it refuses us, or it has no system of ours, or several.
    """
    connect_ray(address, home, "memesnipe-from-elsewhere", answer_s=_CONNECT_S)
    try:
        names = _namespaces()
        if not names:
            raise MemeSnipeError(f"no system of MemeSnipe runs on the Ray cluster at {address}")
        if len(names) > 1:
            homes = ", ".join(sorted(describe(ray.get_actor(NAME, name), address).home for name in names))
            raise MemeSnipeError(f"{len(names)} systems of MemeSnipe run on the cluster at {address}: {homes}; "
                                 "use `memesnipe down` in each folder")  # fmt: skip
        yield ray.get_actor(NAME, names[0])
    finally:
        disconnect_ray()


def _namespaces() -> list[str]:
    found: Any = ray.util.list_named_actors(all_namespaces=True)
    return [a["namespace"] for a in found if a["name"] == NAME and a["namespace"].startswith(_PREFIX)]


def describe(supervisor: Any, address: str) -> SystemState:
    """Return the state of a system.

    Raises:
        MemeSnipeError: its supervisor does not answer.
    """
    state: SystemState = _ask(supervisor, "describe", address, _ANSWER_S)
    return state


def end(supervisor: Any, address: str) -> None:
    """Stop a system: its actors, its page, and its `memesnipe up` if that still runs; wait for all of them.

    Raises:
        MemeSnipeError: its supervisor does not answer, or something remains.
    """
    try:
        has_owner = _ask(supervisor, "end", address, _END_S)
    except ray.exceptions.ActorDiedError:  # `memesnipe up` was faster than the answer
        has_owner = True
    if not has_owner:
        from serve_app import undeploy  # noqa: PLC0415 - Serve is slow to load

        ray.kill(supervisor)
        undeploy()
    deadline = time.monotonic() + _END_S
    while _namespaces():
        if time.monotonic() > deadline:
            raise MemeSnipeError(f"the system on the cluster at {address} has not ended within {_END_S:.0f} s")
        time.sleep(_POLL_S)


def _ask(supervisor: Any, method: str, address: str, timeout_s: float) -> Any:
    try:
        return ray.get(getattr(supervisor, method).remote(), timeout=timeout_s)
    except AttributeError:
        raise MemeSnipeError(f"the system on the cluster at {address} is of another version of MemeSnipe") from None
    except ray.exceptions.ActorDiedError:
        raise
    except ray.exceptions.RayError as error:
        raise MemeSnipeError(
            f"the supervisor on the cluster at {address} does not answer: {first_line(error)}"
        ) from None
