"""Requests to the signer: only the holder of the secret can make them, each is accepted once, and only soon after."""

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memesnipe.errors import InputError
from memesnipe.solana.request_mac import (
    NONCE_HEADER,
    SIGNATURE_HEADER,
    TIMESTAMP_HEADER,
    MacError,
    RequestVerifier,
    compute_mac,
    load_secret,
    make_secret,
    sign_headers,
)

SECRET = b"0123456789abcdef0123456789abcdef"
NOW_MS = 1_790_000_000_000
BODY = b'{"transaction": "AA=="}'


class At:
    """A clock that stands."""

    def __init__(self, now_ms: int = NOW_MS) -> None:
        self.now_ms = now_ms

    def now_ns(self) -> int:
        return self.now_ms * 1_000_000

    def monotonic_s(self) -> float:
        return self.now_ms / 1_000

    def sleep(self, seconds: float) -> None:
        raise AssertionError("nothing here waits")


class Nonces:
    """Nonces in memory."""

    def __init__(self) -> None:
        self.used: set[str] = set()

    def remember(self, nonce: str, timestamp_ms: int, forget_before_ms: int) -> bool:
        is_new = nonce not in self.used
        self.used.add(nonce)
        return is_new


def headers_at(timestamp_ms: int) -> dict[str, str]:
    return sign_headers(SECRET, "POST", "/signer/sign", BODY, At(timestamp_ms))


def verifier() -> RequestVerifier:
    return RequestVerifier(SECRET, Nonces(), clock=At())


def test_the_mac_of_a_known_request() -> None:
    # printf 'POST\n/signer/sign\n1\n00000000000000000000000000000000\n%s' $(printf '' | sha256sum | cut -c-64) |
    #   openssl dgst -sha256 -hmac 0123456789abcdef0123456789abcdef
    assert compute_mac(SECRET, "POST", "/signer/sign", "1", "0" * 32, b"") == (
        "1615d00bcf7a8a6b6e54d7e855b6b641ce2394c8f94783b65046e9379ba61ff2"
    )


def test_an_authentic_request_is_accepted_once() -> None:
    check, headers = verifier(), headers_at(NOW_MS)
    for _ in range(2):
        check.check_mac("POST", "/signer/sign", headers, BODY)
    check.use_nonce(headers)
    with pytest.raises(MacError, match="sent before"):
        check.use_nonce(headers)


@pytest.mark.parametrize(
    "changed",
    [
        lambda h: ("PUT", "/signer/sign", h, BODY),
        lambda h: ("POST", "/signer/other", h, BODY),
        lambda h: ("POST", "/signer/sign", h, BODY + b" "),
        lambda h: ("POST", "/signer/sign", h | {TIMESTAMP_HEADER: str(NOW_MS - 1)}, BODY),
        lambda h: ("POST", "/signer/sign", h | {NONCE_HEADER: "0" * 32}, BODY),
        lambda h: ("POST", "/signer/sign", h | {SIGNATURE_HEADER: "0" * 64}, BODY),
    ],
)
def test_a_changed_part_is_refused(changed: Callable[[dict[str, str]], tuple[str, str, dict[str, str], bytes]]) -> None:
    with pytest.raises(MacError, match="signature of the request is wrong"):
        verifier().check_mac(*changed(headers_at(NOW_MS)))


@pytest.mark.parametrize("name", [TIMESTAMP_HEADER, NONCE_HEADER, SIGNATURE_HEADER])
@given(value=st.sampled_from(["", "-1", "1\n2", "A" * 64, "0x12", "é" * 32, "9" * 400]) | st.text(max_size=70))
def test_a_malformed_header_is_refused(name: str, value: str) -> None:
    headers = headers_at(NOW_MS)
    if value != headers[name]:
        with pytest.raises(MacError):
            verifier().check_mac("POST", "/signer/sign", headers | {name: value}, BODY)


@pytest.mark.parametrize(("offset_ms", "accepted"), [(-30_000, True), (-30_001, False), (2_000, True), (2_001, False)])
def test_the_window_of_time(offset_ms: int, accepted: bool) -> None:
    request = ("POST", "/signer/sign", headers_at(NOW_MS + offset_ms), BODY)
    if accepted:
        verifier().check_mac(*request)
    else:
        with pytest.raises(MacError, match="time"):
            verifier().check_mac(*request)


def test_a_line_feed_cannot_move_between_the_parts() -> None:
    with pytest.raises(ValueError, match="line feed"):
        compute_mac(SECRET, "POST", "/a\n1", "2", "0" * 32, b"")


def test_the_secret_is_a_file_of_its_owner(tmp_path: Path) -> None:
    path = tmp_path / "secrets" / "signer_token"
    make_secret(path)
    secret = load_secret(path)
    make_secret(path)
    assert load_secret(path) == secret
    assert len(secret) == 64
    path.write_text("short")
    with pytest.raises(InputError, match="too short"):
        load_secret(path)
    path.chmod(0o644)
    with pytest.raises(InputError, match="can be read by others"):
        load_secret(path)
