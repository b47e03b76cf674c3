"""The check that a Redis server managed by others can carry the streams."""

import re
from typing import Any, Final

import redis

from memesnipe.errors import InputError

_OLDEST: Final = (6, 2)  # XTRIM by id, ACL users
_KEEPS_ALL: Final = "noeviction"


def check_server(client: "redis.Redis") -> None:
    """Reject a server that is too old, or that may drop a stream when its memory is full.

    Raises:
        InputError: the server is unsuitable, or its user lacks rights; the text names the remedy.
    """
    try:
        info: dict[str, Any] = dict(client.info("server")) | dict(client.info("memory"))
    except redis.AuthenticationError as error:
        raise InputError(f"REDIS_URL: Redis does not take its user or password ({error})") from error
    except redis.exceptions.NoPermissionError as error:
        raise InputError(f"REDIS_URL: its user may not look at the server ({error}); grant +info") from error
    version = str(info.get("redis_version", ""))
    if tuple(int(part) for part in re.findall(r"\d+", version)[:2]) < _OLDEST:
        raise InputError(f"REDIS_URL names a Redis {version}; 6.2 is the oldest that works")
    policy, limit = str(info.get("maxmemory_policy", _KEEPS_ALL)), int(info.get("maxmemory", 0))
    if limit and policy != _KEEPS_ALL:
        raise InputError(
            f"REDIS_URL names a Redis that drops data when it has {limit:,} bytes (maxmemory-policy {policy}): "
            f"set maxmemory-policy {_KEEPS_ALL}, or maxmemory 0"
        )
