"""What `memesnipe doctor` checks on servers: PostgreSQL, Redis, their clocks, and the live feeds."""

import time
from collections.abc import Iterator
from typing import Any, Final

import redis
import sqlalchemy as sa

from memesnipe.bus.server_check import check_server
from memesnipe.config.home import Home
from memesnipe.config.settings import Settings, read_resolved
from memesnipe.errors import MemeSnipeError
from memesnipe.feeds.live_choice import make_live_feeds
from memesnipe.roles.feed_endpoints import endpoints_of
from memesnipe.runtime.doctor import Check, guarded
from memesnipe.runtime.feed_check import check_feeds
from memesnipe.runtime.lock import holder
from memesnipe.storage.database import connect

_TIMEOUT_S: Final = 5.0
_MAX_CLOCK_S: Final = 2.0
_MIN_POSTGRES: Final = 14
_POSTGRES_STATE: Final = (
    "SELECT current_setting('server_version_num')::int, pg_is_in_recovery(), extract(epoch FROM now())"
)
_FEED_S: Final = 8.0
_EMBEDDED: Final = "embedded, and not running; `memesnipe up` starts it"


def check_servers(settings: Settings, *, production: bool) -> Iterator[Check]:
    """Yield the checks of the servers, of the running system if there is one, else of the settings.

    Args:
        settings: in force.
        production: whether to check persistence, clocks and live feeds too.
    """
    home = settings.installation.memesnipe_home.resolve()
    if holder(home) and Home(home).settings.is_file():
        settings = read_resolved(Home(home).settings)
    urls = settings.servers
    if urls.database_url is None:
        yield Check("PostgreSQL", "ok", _EMBEDDED)
    else:
        database_url = urls.database_url.get_secret_value()
        yield guarded("PostgreSQL", lambda: _postgres(database_url))
    if urls.redis_url is None:
        yield Check("Redis", "ok", f"{_EMBEDDED}, with an append-only file")
    else:
        redis_url = urls.redis_url.get_secret_value()
        yield guarded("Redis", lambda: _redis(redis_url, production=production))
    if production:
        yield guarded("feeds", lambda: _feeds(settings))


def _postgres(url: str) -> Check:
    engine = connect(url, f"-c statement_timeout={int(_TIMEOUT_S * 1_000)}")
    try:
        with engine.connect() as connection:
            row = connection.execute(sa.text(_POSTGRES_STATE)).one()
    finally:
        engine.dispose()
    major, drift_s = row[0] // 10_000, abs(float(row[2]) - time.time())
    if major < _MIN_POSTGRES:
        return Check("PostgreSQL", "failed", f"version {major}", f"use PostgreSQL {_MIN_POSTGRES} or later")
    if row[1]:
        return Check("PostgreSQL", "failed", "is a standby, which cannot be written", "give the URL of the primary")
    if drift_s > _MAX_CLOCK_S:
        return Check("clock", "failed", f"{drift_s:.1f} s from that of PostgreSQL", "synchronise the clocks (chrony)")
    return Check("PostgreSQL", "ok", f"version {major}; its clock is within {_MAX_CLOCK_S:.0f} s of this one")


def _redis(url: str, *, production: bool) -> Check:
    with redis.Redis.from_url(url, socket_timeout=_TIMEOUT_S, socket_connect_timeout=_TIMEOUT_S) as client:
        check_server(client)
        info: dict[str, Any] = dict(client.info())
    found = str(info.get("valkey_version", info["redis_version"]))
    if int(info.get("aof_enabled", 0)):
        return Check("Redis", "ok", f"version {found}, with an append-only file")
    detail = f"version {found}, without an append-only file: after its restart every stream is published again"
    return Check("Redis", "warning" if production else "ok", detail, "set appendonly yes" if production else "")


def _feeds(settings: Settings) -> Check:
    """Check the live feeds that need no key, and Pyth with one; a system on a generated market needs none of them."""
    endpoints = endpoints_of(settings)
    names = [*(["pyth"] if endpoints.pyth_api_key else []), "jupiter", "pumpfun"]
    try:
        result = check_feeds(make_live_feeds(names, endpoints), _FEED_S, lambda *_: None)
    except MemeSnipeError as error:
        return Check("feeds", "warning", str(error), "set the endpoints of .env.example; `memesnipe feeds check`")
    silent = result["delivered_nothing"]
    if silent:
        detail = f"nothing from {', '.join(silent)} in {_FEED_S:g} s"
        return Check("feeds", "warning", detail, "`memesnipe feeds check` shows why; only live feeds need them")
    return Check("feeds", "ok", f"{', '.join(names)} deliver")
