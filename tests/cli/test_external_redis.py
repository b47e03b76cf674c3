"""`up` refuses an external Redis that it cannot use."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from memesnipe.servers.redis import EmbeddedRedis, operator_url
from tests.cli.test_commands import process


@pytest.fixture(scope="module")
def external_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Yield the URL of a server that evicts the least recently used keys when its memory is full."""
    folder = tmp_path_factory.mktemp("external")
    server = EmbeddedRedis(folder)
    url = server.start()
    with redis.Redis.from_url(operator_url(folder, url)) as operator:
        operator.config_set("maxmemory", 50_000_000)
        operator.config_set("maxmemory-policy", "allkeys-lru")
    yield url
    server.stop()


@pytest.mark.parametrize(
    ("password", "expected"),
    [
        ("", "REDIS_URL names a Redis that drops data when it reaches 50,000,000 bytes (maxmemory-policy allkeys-lru)"),
        (":a-guess@", "REDIS_URL: Redis rejects its user or password"),
    ],
)
def test_up_refuses_an_unusable_redis_in_one_line(
    tmp_path: Path, database_url: str, external_url: str, password: str, expected: str
) -> None:
    url = external_url if not password else f"redis://memesnipe{password}{external_url.rpartition('@')[2]}"
    done = process(tmp_path, "up", REDIS_URL=url, DATABASE_URL=database_url)
    lines = [line for line in done.stderr.splitlines() if line.startswith("memesnipe:")]
    assert (done.returncode, done.stdout, len(lines)) == (2, "", 1), done.stderr
    assert lines[0].startswith(f"memesnipe: input: {expected}")
    assert "a-guess" not in done.stderr
    assert "Starting Ray" not in done.stderr, "it is refused before anything is started"
