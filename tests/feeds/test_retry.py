"""The waits between failures of a source: backoff, jitter, and what servers require."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memesnipe.feeds.retry import FIRST_RETRY_S, MAX_RETRY_S, Backoff, SourceError
from memesnipe.replies import MAX_WAIT_S, host_of, wait_of

NOW_S = 1_793_000_000.0


@given(st.text(max_size=10), st.integers(1, 60))
def test_waits_double_up_to_the_maximum_and_jitter_takes_at_most_half(name: str, failures: int) -> None:
    backoff = Backoff(name)
    waits = [backoff.next_s() for _ in range(failures)]
    for i, wait_s in enumerate(waits):
        full_s = min(FIRST_RETRY_S * 2**i, MAX_RETRY_S)
        assert full_s / 2 <= wait_s <= full_s
    backoff.reset()
    assert backoff.next_s() <= FIRST_RETRY_S


def test_two_sources_do_not_retry_together_and_each_is_repeatable() -> None:
    def waits(name: str) -> list[float]:
        backoff = Backoff(name)
        return [backoff.next_s() for _ in range(5)]

    assert waits("a") == waits("a")
    assert not set(waits("a")) & set(waits("b"))


def test_a_required_wait_is_a_minimum() -> None:
    assert Backoff("a").next_s(7.0) == 7.0


@pytest.mark.parametrize(
    ("headers", "wait_s"),
    [
        ({}, None),
        ({"retry-after": "12"}, 12.0),
        ({"retry-after": "0"}, None),
        ({"retry-after": "-3"}, None),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "inf"}, MAX_WAIT_S),
        ({"retry-after": "1e9"}, MAX_WAIT_S),
        ({"retry-after": "Mon, 26 Oct 2026 07:33:40 GMT"}, 20.0),
        ({"retry-after": "soon"}, None),
        ({"x-ratelimit-reset": str(int(NOW_S) + 5)}, 5.0),
        ({"x-ratelimit-reset": "1"}, None),
        ({"retry-after": "soon", "x-ratelimit-reset": str(int(NOW_S) + 5)}, 5.0),
    ],
)
def test_the_wait_that_headers_name(headers: dict[str, str], wait_s: float | None) -> None:
    assert wait_of(headers, NOW_S) == wait_s


@pytest.mark.parametrize(
    "url",
    [
        "wss://rpc.example.org/?api-key=hunter2",
        "wss://me:hunter2@rpc.example.org/",
        "https://rpc.example.org/hunter2",
        "https://rpc.example.org:8443?k=hunter2",
        "https://rpc.example.org/v1/hunter2/x?y=z#hunter2",
    ],
)
def test_an_error_shows_the_host_alone(url: str) -> None:
    path = url.partition("example.org")[2]
    for text in (f"cannot reach {url}!", f"GET {path} failed", url.partition("://")[2]):
        assert "hunter2" not in str(SourceError(url, text))
        assert "hunter2" not in str(SourceError("wss://other.example.org", f"redirects to {url}"))
    assert host_of(url) == "rpc.example.org"
    assert str(SourceError(url, "refused")) == "rpc.example.org: refused"


def test_a_url_that_is_none_has_no_host() -> None:
    assert host_of("wss://[broken") == host_of("") == "?"
