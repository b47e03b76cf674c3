"""The checks that a Redis server managed by others is suitable for the streams, and that its database is ours."""

import re
from typing import Any, Final

import redis

from memesnipe.errors import InputError

INSTALLATION_KEY: Final = "memesnipe:installation"  # the id of the folder to which a Redis database belongs
_MIN_VERSION: Final = (6, 2)  # XTRIM by id, ACL users
_NO_EVICTION: Final = "noeviction"


def check_server(client: "redis.Redis") -> None:
    """Reject a server that is too old, or that may drop a stream when its memory is full.

    Raises:
        InputError: the server is unsuitable, or its user lacks rights; the text names the remedy.
    """
    try:
        info: dict[str, Any] = dict(client.info("server")) | dict(client.info("memory"))
    except redis.AuthenticationError as error:
        raise InputError(f"REDIS_URL: Redis rejects its user or password ({error})") from error
    except redis.exceptions.NoPermissionError as error:
        raise InputError(f"REDIS_URL: its user may not run INFO ({error}); grant +info") from error
    version = str(info.get("redis_version", ""))
    if tuple(int(part) for part in re.findall(r"\d+", version)[:2]) < _MIN_VERSION:
        raise InputError(f"REDIS_URL names a Redis {version}; the oldest supported version is 6.2")
    policy, limit = str(info.get("maxmemory_policy", _NO_EVICTION)), int(info.get("maxmemory", 0))
    if limit and policy != _NO_EVICTION:
        raise InputError(
            f"REDIS_URL names a Redis that drops data when it reaches {limit:,} bytes (maxmemory-policy {policy}): "
            f"set maxmemory-policy {_NO_EVICTION}, or maxmemory 0"
        )


def check_owner(client: "redis.Redis", installation: str) -> None:
    """Reject a database that belongs to another installation.

    Raises:
        InputError: it does.
    """
    if client.get(INSTALLATION_KEY) not in (None, installation.encode()):
        raise InputError(
            "REDIS_URL names a database that another MemeSnipe folder uses; choose another number, such as /1"
        )
