"""`memesnipe down --address` and `status --address`: the system on a Ray cluster, from any of its nodes."""

from pathlib import Path
from typing import Any

from actors.systems import connected, describe, end
from memesnipe.config.settings import load_settings


def end_system(address: str) -> dict[str, Any]:
    """Stop the system on a cluster, wait until it has ended, and return what it was.

    Raises:
        MemeSnipeError: the cluster does not respond or refuses us, or there is not one system of ours on it.
    """
    with connected(address, _home()) as supervisor:
        state = describe(supervisor, address)
        end(supervisor, address)
    return {"stopped": True, "address": address, "home": state.home, "run_id": state.run_id}


def system_on(address: str) -> dict[str, Any]:
    """Return the state of the system on a cluster.

    Raises:
        MemeSnipeError: as for `end_system`.
    """
    with connected(address, _home()) as supervisor:
        return {"running": True, "address": address, **describe(supervisor, address)._asdict()}


def _home() -> Path:
    return load_settings().installation.memesnipe_home.resolve()
