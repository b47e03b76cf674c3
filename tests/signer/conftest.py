"""Parts of a signer for tests."""

import time
from pathlib import Path

import pytest

from memesnipe.signer.policy import Policy, default_policy_text, parse_policy


class SteppedClock:
    """A clock that moves when a test says so."""

    def __init__(self) -> None:
        self.ns = time.time_ns()

    def now_ns(self) -> int:
        return self.ns

    def monotonic_s(self) -> float:
        return self.ns / 1e9

    def sleep(self, seconds: float) -> None:
        self.ns += int(seconds * 1e9)

    def now_ms(self) -> int:
        return self.ns // 1_000_000


@pytest.fixture
def clock() -> SteppedClock:
    return SteppedClock()


@pytest.fixture
def policy() -> Policy:
    """The default policy, enabled."""
    return enabled_policy()


def enabled_policy() -> Policy:
    return parse_policy(default_policy_text().replace("enabled = false", "enabled = true"), "the policy")


def files_in(folder: Path) -> bytes:
    """Return the content of all files in a folder."""
    return b"".join(path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file())
