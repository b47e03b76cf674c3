"""A database of their own for the tests of the bus, empty at the start of each."""

from collections.abc import Callable, Iterator

import pytest
import redis


@pytest.fixture
def url(redis_url: str) -> str:
    return redis_url.removesuffix("/0") + "/9"


@pytest.fixture
def operator(url: str, as_operator: Callable[[str], str]) -> Iterator[redis.Redis]:
    """May do what the bus may not."""
    with redis.Redis.from_url(as_operator(url)) as client:
        client.flushdb()
        yield client
