"""The Serve applications: halt, the dashboard with its API, and the signer; one port serves them.

Halt is a separate application, so that reads share neither its replica nor its event loop, threads and connections.
"""

import logging
from datetime import UTC, datetime
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ray import serve
from ray.serve._private import replica
from ray.serve.config import HTTPOptions, ProxyLocation
from ray.serve.schema import LoggingConfig
from starlette.types import ASGIApp

from memesnipe.config.home import Home
from memesnipe.servers import loopback

if TYPE_CHECKING:  # loaded in the replicas alone, each of which needs a part of it
    from memesnipe.api.commands import Commands
    from memesnipe.config.settings import Settings

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
_STARTING_S = 240.0  # the page is served before the actors and the signer run
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
        from memesnipe.api.commands import FullPaths, create_command_api  # noqa: PLC0415
        from memesnipe.api.request_checks import RequestChecks  # noqa: PLC0415

        settings = _settings(self._home)
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
        import redis  # noqa: PLC0415

        from memesnipe.api.access import RemoteAccess  # noqa: PLC0415
        from memesnipe.api.app import create_api  # noqa: PLC0415
        from memesnipe.api.backend import Backend  # noqa: PLC0415
        from memesnipe.api.request_checks import RequestChecks  # noqa: PLC0415
        from memesnipe.runtime.genome_words import describer  # noqa: PLC0415
        from memesnipe.storage.database import connect  # noqa: PLC0415
        from memesnipe.storage.market_view import Market  # noqa: PLC0415

        settings = _settings(self._home)
        assert settings.servers.redis_url is not None  # noqa: S101 - resolved by `up`
        client = redis.Redis.from_url(settings.servers.redis_url.get_secret_value(), socket_timeout=2)
        url = f"http://{loopback.HOST}:{settings.api.dashboard_port}/signer/health"
        database = connect(_database_url(settings), _READ_OPTIONS)
        backend = Backend(database, client, lambda: _answers(url), datetime.now(UTC), _STARTING_S)
        home, commands = Home(self._home), _commands(settings)
        market = Market(lambda run_id: home.run(run_id).event_log)
        api = create_api(backend, commands, market, describer(settings), settings.api.dashboard_max_streams)
        return RequestChecks(RemoteAccess(api, _token(settings)), _hosts(settings))


@serve.deployment(**_OPTIONS)
@serve.ingress()
class Signer:
    """The signer: holds the key, and signs what its policy file allows (docs/signer.md)."""

    def __init__(self, home: str) -> None:
        _disable_grpc_port()
        self._home = Path(home)

    def __serve_build_asgi_app__(self) -> ASGIApp:
        """Build the app in the replica; the key is read from its file here, and does not leave the replica."""
        from memesnipe.api.request_checks import RequestChecks  # noqa: PLC0415
        from memesnipe.signer.intent import MAX_BODY_BYTES  # noqa: PLC0415
        from memesnipe.signer.startup import SignerFiles, open_signer_api  # noqa: PLC0415

        settings, home = _settings(self._home), Home(self._home)
        files = SignerFiles(
            wallet=settings.installation.wallet_file,
            token=settings.installation.signer_token_file,
            policy=settings.installation.signer_policy_file,
            folder=settings.installation.signer_folder,
            halt=home.signer_halt,
        )
        api = open_signer_api(files, settings.feeds.solana_rpc_url.get_secret_value())
        return RequestChecks(api, _hosts(settings), MAX_BODY_BYTES)


def _disable_grpc_port() -> None:
    """Prevent Serve from opening a gRPC port on all addresses in each replica, which our applications do not use."""
    replica.add_port_to_grpc_server = lambda *_: 0  # type: ignore[attr-defined]


# (name, prefix of its paths, deployment). A path is routed to its longest prefix.
Application = tuple[str, str, Any]
PAGE: Application = ("dashboard", "/", Dashboard)
OTHERS: list[Application] = [("signer", "/signer", Signer), ("halt", "/api/halt", Halt)]
SIGNER = "signer"  # resource of the node that has the key's file
_QUIET = LoggingConfig(log_level="WARNING")


def _settings(home: Path) -> "Settings":
    from memesnipe.config.settings import read_resolved  # noqa: PLC0415

    return read_resolved(Home(home).settings)


def _commands(settings: "Settings") -> "Commands":
    from memesnipe.api.commands import Commands  # noqa: PLC0415
    from memesnipe.storage.command_submission import connect_for_commands  # noqa: PLC0415

    kill_file = Home(settings.installation.memesnipe_home).signer_halt
    return Commands(connect_for_commands(_database_url(settings)), _token(settings), kill_file)


def _token(settings: "Settings") -> str:
    from memesnipe.api.token import load_token  # noqa: PLC0415

    return load_token(settings.installation.token_file)


def _database_url(settings: "Settings") -> str:
    assert settings.servers.database_url is not None  # noqa: S101 - resolved by `up`
    return settings.servers.database_url.get_secret_value()


def _hosts(settings: "Settings") -> list[str]:
    return [name for name in settings.api.dashboard_hosts.replace(" ", "").split(",") if name]


def _answers(url: str) -> bool:
    try:
        return loopback.get(url, timeout_s=2).status == HTTPStatus.OK
    except OSError:
        return False


def deploy_page(home: Path, port: int, address: str = loopback.HOST) -> None:
    """Serve the page and the API at ``address`` and ``port``; the API includes halt until `deploy_others` has ended."""
    # Serve resets its logger's level whenever it connects, but keeps filters.
    logging.getLogger("ray.serve").addFilter(lambda record: record.levelno >= logging.WARNING)
    http = HTTPOptions(host=address, port=port, keep_alive_timeout_s=_KEEP_ALIVE_S)
    serve.start(http_options=http, proxy_location=ProxyLocation.HeadOnly, logging_config=_QUIET)
    _deploy(home, [PAGE])


def deploy_others(home: Path) -> None:
    """Serve halt and the signer too."""
    _deploy(home, OTHERS)


def _deploy(home: Path, applications: list[Application]) -> None:
    from actors.supervisor import SERVICE, placement  # noqa: PLC0415 - replicas need none of the actors

    def placed(name: str, deployment: Any) -> Any:
        """Put replicas where the installation's folder is, and the signer on a node of its own, where there is one."""
        resources = placement(SIGNER, SERVICE) if name == "signer" else placement()
        return deployment.options(ray_actor_options=_OPTIONS["ray_actor_options"] | resources)

    serve.run_many(
        [
            serve.RunTarget(
                placed(name, deployment).bind(str(home)), name=name, route_prefix=prefix, logging_config=_QUIET
            )
            for name, prefix, deployment in applications
        ]
    )


def undeploy() -> None:
    """Delete the applications; Serve itself may have other users."""
    for name, _, _ in (PAGE, *OTHERS):
        serve.delete(name)
