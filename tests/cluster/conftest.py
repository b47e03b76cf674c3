"""Hosts whose Rays share a token."""

import subprocess
from collections.abc import Iterator

import pytest

from tests.cluster.hosts import RAY, Host, hosts, why_not
from tests.system.conftest import tape

__all__ = ["tape", "three_hosts"]


@pytest.fixture
def three_hosts() -> Iterator[list[Host]]:
    """Three hosts, on which nothing runs yet."""
    if reason := why_not():
        pytest.skip(reason)
    with hosts(3) as made:
        head, *workers = made
        token = subprocess.run(
            [RAY, "get-auth-token", "--generate"], env=head.env, capture_output=True, text=True, check=True
        )
        assert token.stdout
        for worker in workers:
            (worker.folder / ".ray").mkdir()
            (worker.folder / ".ray" / "auth_token").write_bytes((head.folder / ".ray" / "auth_token").read_bytes())
        yield made
