"""The connection of the bus to Redis, which a simulator replaces."""

from collections.abc import Callable
from typing import Any

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

# (URL, hook for each new connection) -> client
Connect = Callable[[str, Callable[[Any], None]], "redis.Redis"]


def connect_redis(url: str, on_connect: Callable[[Any], None]) -> "redis.Redis":
    """Return a client that repeats no command."""
    return redis.Redis.from_url(url, socket_timeout=10, retry=Retry(NoBackoff(), 0), redis_connect_func=on_connect)
