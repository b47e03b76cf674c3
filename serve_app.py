"""The Serve applications: halt, the dashboard with its API, and the signer; `deploy` serves them on one port.

Halt is a separate application, so that reads share neither its replica nor its event loop, threads and connections.
"""

import logging
import os
from datetime import UTC, datetime
from http import HTTPStatus
from pathlib import Path
from typing import Any

import redis
from ray import serve
from ray.serve._private import replica
from ray.serve.config import HTTPOptions, ProxyLocation
from ray.serve.schema import LoggingConfig
from starlette.types import ASGIApp

from memesnipe.api.app import create_api
from memesnipe.api.backend import Backend
from memesnipe.api.commands import Commands, FullPaths, create_command_api
from memesnipe.api.proxy import CALLBACK
from memesnipe.api.request_checks import RequestChecks
from memesnipe.api.token import load_token
from memesnipe.config.home import RESOLVED
from memesnipe.config.settings import Settings, read_resolved
from memesnipe.servers import loopback
from memesnipe.signer.app import create_signer_api
from memesnipe.solana.wallet import load_wallet
from memesnipe.storage.asking import connect_to_ask
from memesnipe.storage.database import connect

# By default Serve sends a replica five concurrent requests, which five open streams would use up. The applications
# limit waiting requests themselves, and answer 503 beyond the limits; Serve's limit is never reached.
_OPTIONS: dict[str, Any] = {
    "max_ongoing_requests": 10_000,
    "ray_actor_options": {"num_cpus": 0},
    # A page never closes its stream, so the end of a replica must not wait for that.
    "graceful_shutdown_wait_loop_s": 0.5,
    "graceful_shutdown_timeout_s": 2.0,
}
_KEEP_ALIVE_S = 15
# No client waits longer for a read.
_READ_OPTIONS = "-c statement_timeout=10s"


@serve.deployment(**_OPTIONS)
@serve.ingress()
class Halt:
    """The routes of the commands; Serve sends `/api/halt` here."""

    def __init__(self, home: str) -> None:
        _disable_grpc_port()
        self._home = Path(home)

    def __serve_build_asgi_app__(self) -> ASGIApp:
        """Build the app in the replica."""
        settings = read_resolved(self._home / RESOLVED)
        return RequestChecks(FullPaths(create_command_api(_commands(settings))), _hosts(settings))


@serve.deployment(**_OPTIONS)
@serve.ingress()
class Dashboard:
    """The page and the API."""

    def __init__(self, home: str) -> None:
        _disable_grpc_port()
        self._home = Path(home)

    def __serve_build_asgi_app__(self) -> ASGIApp:
        """Build the app in the replica."""
        settings = read_resolved(self._home / RESOLVED)
        assert settings.servers.redis_url is not None  # noqa: S101 - resolved by `up`
        client = redis.Redis.from_url(settings.servers.redis_url.get_secret_value(), socket_timeout=2)
        url = f"http://{loopback.HOST}:{settings.api.dashboard_port}/signer/health"
        database = connect(_database_url(settings), _READ_OPTIONS)
        backend = Backend(database, client, lambda: _answers(url), datetime.now(UTC))
        return RequestChecks(
            create_api(backend, _commands(settings), settings.api.dashboard_max_streams), _hosts(settings)
        )


@serve.deployment(**_OPTIONS)
@serve.ingress()
class Signer:
    """The signer: holds the key. In this version it cannot sign; it serves the public key."""

    def __init__(self, home: str) -> None:
        _disable_grpc_port()
        self._home = Path(home)

    def __serve_build_asgi_app__(self) -> ASGIApp:
        """Build the app in the replica; the key is read from its file here, and does not leave the replica."""
        settings = read_resolved(self._home / RESOLVED)
        wallet = load_wallet(settings.installation.wallet_file)
        return RequestChecks(create_signer_api(str(wallet.pubkey())), _hosts(settings))


def _disable_grpc_port() -> None:
    """Prevent Serve from opening a gRPC port on all addresses in each replica, which our applications do not use."""
    replica.add_port_to_grpc_server = lambda *_: 0  # type: ignore[attr-defined]


# (name, prefix of its paths, deployment). A path is routed to its longest prefix.
APPLICATIONS: list[tuple[str, str, Any]] = [
    ("signer", "/signer", Signer),
    ("halt", "/api/halt", Halt),
    ("dashboard", "/", Dashboard),
]


def _commands(settings: Settings) -> Commands:
    return Commands(connect_to_ask(_database_url(settings)), load_token(settings.installation.token_file))


def _database_url(settings: Settings) -> str:
    assert settings.servers.database_url is not None  # noqa: S101 - resolved by `up`
    return settings.servers.database_url.get_secret_value()


def _hosts(settings: Settings) -> list[str]:
    return [name for name in settings.api.dashboard_hosts.replace(" ", "").split(",") if name]


def _answers(url: str) -> bool:
    try:
        return loopback.get(url, timeout_s=2).status == HTTPStatus.OK
    except OSError:
        return False


def prepare() -> None:
    """Set the hook of Serve's proxy in the environment, which a cluster that starts later inherits."""
    os.environ.setdefault(*CALLBACK)


def deploy(home: Path, port: int) -> None:
    """Serve all applications on 127.0.0.1 at ``port``."""
    # Serve resets its logger's level whenever it connects, but keeps filters.
    logging.getLogger("ray.serve").addFilter(lambda record: record.levelno >= logging.WARNING)
    quiet = LoggingConfig(log_level="WARNING")
    http = HTTPOptions(host=loopback.HOST, port=port, keep_alive_timeout_s=_KEEP_ALIVE_S)
    serve.start(http_options=http, proxy_location=ProxyLocation.HeadOnly, logging_config=quiet)
    serve.run_many(
        [
            serve.RunTarget(deployment.bind(str(home)), name=name, route_prefix=prefix, logging_config=quiet)
            for name, prefix, deployment in APPLICATIONS
        ]
    )


def undeploy() -> None:
    """Delete the applications; Serve itself may have other users."""
    for name, _, _ in APPLICATIONS:
        serve.delete(name)
