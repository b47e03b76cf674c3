"""A separate database for the tests of the bus, empty at the start of each test."""

from collections.abc import Callable, Iterator

import pytest
import redis


@pytest.fixture
def url(empty_redis: Callable[[], str]) -> str:
    return empty_redis()


@pytest.fixture
def operator(url: str, as_operator: Callable[[str], str]) -> Iterator[redis.Redis]:
    """Yield a client with all rights."""
    with redis.Redis.from_url(as_operator(url)) as client:
        yield client
