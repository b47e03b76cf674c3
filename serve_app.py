"""The Serve applications: the dashboard with its API, and the signer. `deploy` puts both on one port."""

import logging
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import redis
from fastapi import FastAPI
from ray import serve
from ray.serve.config import HTTPOptions, ProxyLocation
from ray.serve.schema import LoggingConfig

from actors.context import Context
from memesnipe.api.app import create_api
from memesnipe.api.backend import Backend
from memesnipe.api.signer_app import create_signer_api
from memesnipe.api.token import load_token
from memesnipe.settings import Settings
from memesnipe.solana.wallet import load_wallet

_LOOPBACK = "127.0.0.1"


@serve.deployment(ray_actor_options={"num_cpus": 0})
@serve.ingress()
class Dashboard:
    """The page and the API."""

    def __init__(self, home: str) -> None:
        self._home = Path(home)

    def __serve_build_asgi_app__(self) -> FastAPI:
        """Build the app in the replica."""
        context = Context(self._home, run_id=0)
        settings = context.settings
        assert settings.redis_url is not None  # noqa: S101 - `up` has resolved it
        client = redis.Redis.from_url(settings.redis_url.get_secret_value(), socket_timeout=2)
        url = f"http://{_LOOPBACK}:{settings.dashboard_port}/signer/health"
        token = load_token(token_file(settings))
        return create_api(Backend(context.database, client, lambda: _answers(url), datetime.now(UTC), token))


@serve.deployment(ray_actor_options={"num_cpus": 0})
@serve.ingress()
class Signer:
    """Holds the key. In this version it signs nothing: it tells the public key."""

    def __init__(self, home: str) -> None:
        self._home = Path(home)

    def __serve_build_asgi_app__(self) -> FastAPI:
        """Build the app in the replica; the key is read from its file here and goes nowhere else."""
        settings = Context(self._home, run_id=0).settings
        wallet = load_wallet(wallet_file(settings))
        return create_signer_api(str(wallet.pubkey()))


# Each has a name, a prefix of its paths, and what is deployed.
APPLICATIONS: list[tuple[str, str, Any]] = [("signer", "/signer", Signer), ("dashboard", "/", Dashboard)]


def wallet_file(settings: Settings) -> Path:
    """The keypair file of this installation."""
    return settings.wallet_keypair_filename or settings.memesnipe_home / "wallet" / "keypair.json"


def token_file(settings: Settings) -> Path:
    """The file with the token of those who may change something."""
    return settings.api_token_filename or settings.memesnipe_home / "secrets" / "api_token"


def _answers(url: str) -> bool:
    try:
        return httpx.get(url, timeout=2).is_success
    except httpx.HTTPError:
        return False


def deploy(home: Path, port: int) -> None:
    """Serve both applications on 127.0.0.1 at ``port``."""
    # Serve sets its logger's level anew whenever it connects; a filter stays.
    logging.getLogger("ray.serve").addFilter(lambda record: record.levelno >= logging.WARNING)
    quiet = LoggingConfig(log_level="WARNING")
    http = HTTPOptions(host=_LOOPBACK, port=port)
    serve.start(http_options=http, proxy_location=ProxyLocation.HeadOnly, logging_config=quiet)
    serve.run_many(
        [
            serve.RunTarget(deployment.bind(str(home)), name=name, route_prefix=prefix, logging_config=quiet)
            for name, prefix, deployment in APPLICATIONS
        ]
    )


def undeploy() -> None:
    """Take both applications down, and leave Serve to whoever else uses it."""
    for name, _, _ in APPLICATIONS:
        serve.delete(name)
