"""The ports and addresses of `memesnipe up`: chosen and checked before anything is started."""

from contextlib import ExitStack
from typing import Final

from memesnipe.config.settings import Settings
from memesnipe.errors import InputError
from memesnipe.runtime.terminal import print_message
from memesnipe.servers.ports import holder_of, is_free, reserve_port

_MAX_PORTS: Final = 50  # tried from the default on


def with_dashboard_port(settings: Settings, stack: ExitStack) -> Settings:
    """Reserve the dashboard's port: the configured one, else the first free one from the default on.

    Args:
        settings: of the installation.
        stack: keeps the reservation.

    Returns:
        The settings with that port.

    Raises:
        InputError: no such port is free.
    """
    first = settings.api.dashboard_port
    candidates = [first] if "dashboard_port" in settings.given else list(range(first, first + _MAX_PORTS))
    for port in candidates:
        if reserved := reserve_port(port):
            stack.enter_context(reserved)
            if port != first:
                taken = f"Port {first} of the page is taken{holder_of(first)}"
                print_message(f"{taken}: it is at {port}; DASHBOARD_PORT sets another.")
            return settings.changed(dashboard_port=port)
    if len(candidates) > 1:
        raise InputError(f"no port from {first} on is free; set DASHBOARD_PORT")
    raise InputError(f"DASHBOARD_PORT is {first}: that port is in use on 127.0.0.1{holder_of(first)}; choose another")


def report_taken_ports(settings: Settings) -> None:
    """Print which ports of metrics are taken: others, which are free, are used for them."""
    telemetry = settings.telemetry
    for actor, port in (
        ("executor", telemetry.executor_metrics_port),
        ("portfolio", telemetry.portfolio_metrics_port),
    ):
        if not is_free(port):
            taken = f"Port {port} of the {actor}'s metrics is taken{holder_of(port)}"
            print_message(f"{taken}: another free one is used; {actor.upper()}_METRICS_PORT sets it.")


def check_addresses(settings: Settings) -> None:
    """Check that a cluster on other machines has servers that it can reach.

    Raises:
        InputError: it has not.
    """
    servers = settings.servers
    if servers.ray_address and _is_remote(servers.ray_address):
        missing = [name for name in ("redis_url", "database_url") if getattr(servers, name) is None]
        if missing:
            names = " and ".join(name.upper() for name in missing)
            raise InputError(
                f"RAY_ADDRESS is {servers.ray_address}, on another machine: set {names} too; "
                "the embedded servers listen on this machine only"
            )


def _is_remote(address: str) -> bool:
    host = address.removeprefix("ray://").rsplit(":", 1)[0]
    return host not in ("auto", "local", "localhost", "127.0.0.1")
