"""Authentication of requests to the signer: an HMAC over method, path, time, nonce and body; each request counts once.

The client sends the headers of `sign_headers`; the signer checks them with `RequestVerifier`. A request that was
recorded cannot be sent again: its nonce is remembered for as long as its time would be accepted.
"""

import hashlib
import hmac
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

from memesnipe.clock import SYSTEM_CLOCK, Clock
from memesnipe.errors import InputError
from memesnipe.secret_file import create_secret, read_secret

TIMESTAMP_HEADER: Final = "x-timestamp"
NONCE_HEADER: Final = "x-nonce"
SIGNATURE_HEADER: Final = "x-signature"

_NONCE: Final = re.compile("[0-9a-f]{32}")
_SIGNATURE: Final = re.compile("[0-9a-f]{64}")
_TIMESTAMP: Final = re.compile("[0-9]{1,15}")
_MIN_CHARACTERS: Final = 32
_MS: Final = 1_000_000  # ns


class MacError(Exception):
    """The request is not authentic, too old, or was sent before; the text says which, without secrets."""


class NonceStore(Protocol):
    """Where used nonces are remembered, also over a restart."""

    def remember(self, nonce: str, timestamp_ms: int, forget_before_ms: int) -> bool:
        """Store a nonce and forget those of requests before a time; return False if it is stored already.

        Raises:
            MacError: too many nonces are stored.
        """


def make_secret(path: Path) -> None:
    """Write a new secret to ``path``; an existing file is kept."""
    create_secret(path, secrets.token_hex(32) + "\n")


def load_secret(path: Path) -> bytes:
    """Return the secret in a file that the signer and its clients share.

    Raises:
        InputError: there is no file that only its owner can read, or the secret is too short.
    """
    secret = read_secret(path, "SIGNER_TOKEN_FILENAME").strip()
    if len(secret) < _MIN_CHARACTERS:
        raise InputError(f"{path} is too short to be a secret: it must have {_MIN_CHARACTERS} characters or more")
    return secret.encode()


def compute_mac(secret: bytes, method: str, path: str, timestamp_ms: str, nonce: str, body: bytes) -> str:
    """Return the HMAC-SHA256 of a request in hex.

    Raises:
        ValueError: a part contains a line feed, which separates the parts.
    """
    parts = (method.upper(), path, timestamp_ms, nonce, hashlib.sha256(body).hexdigest())
    if any("\n" in part for part in parts):
        raise ValueError("a part of the request contains a line feed")
    return hmac.new(secret, "\n".join(parts).encode(), hashlib.sha256).hexdigest()


def sign_headers(secret: bytes, method: str, path: str, body: bytes, clock: Clock = SYSTEM_CLOCK) -> dict[str, str]:
    """Return the headers of a request with a fresh nonce; a request that is sent again needs new ones."""
    timestamp, nonce = str(clock.now_ns() // _MS), secrets.token_hex(16)
    return {
        TIMESTAMP_HEADER: timestamp,
        NONCE_HEADER: nonce,
        SIGNATURE_HEADER: compute_mac(secret, method, path, timestamp, nonce, body),
    }


@dataclass(frozen=True)
class RequestVerifier:
    """Check that requests come from a holder of the secret, now, and once.

    Args:
        secret: shared with the clients.
        nonces: where used nonces are remembered.
        window_ms: age up to which a request is accepted.
        ahead_ms: how far a client's clock may be ahead.
        clock: of this machine.
    """

    secret: bytes
    nonces: NonceStore
    window_ms: int = 30_000
    ahead_ms: int = 2_000
    clock: Clock = SYSTEM_CLOCK

    def check_mac(self, method: str, path: str, headers: Mapping[str, str], body: bytes) -> None:
        """Check the MAC and the time of a request, which may still be a repeated one.

        Raises:
            MacError: a header is missing or wrong, or the request's time is outside the window.
        """
        timestamp, nonce = headers.get(TIMESTAMP_HEADER, ""), headers.get(NONCE_HEADER, "")
        signature = headers.get(SIGNATURE_HEADER, "")
        if not (_TIMESTAMP.fullmatch(timestamp) and _NONCE.fullmatch(nonce) and _SIGNATURE.fullmatch(signature)):
            raise MacError("the headers x-timestamp, x-nonce and x-signature are missing or malformed")
        if not hmac.compare_digest(compute_mac(self.secret, method, path, timestamp, nonce, body), signature):
            raise MacError("the signature of the request is wrong")
        age_ms = self.clock.now_ns() // _MS - int(timestamp)
        if not -self.ahead_ms <= age_ms <= self.window_ms:
            raise MacError(f"the request's time is {age_ms} ms before the signer's")

    def use_nonce(self, headers: Mapping[str, str]) -> None:
        """Check that a request whose MAC is right was not sent before.

        Raises:
            MacError: it was, or too many nonces are stored.
        """
        oldest = self.clock.now_ns() // _MS - self.window_ms
        if not self.nonces.remember(headers[NONCE_HEADER], int(headers[TIMESTAMP_HEADER]), oldest):
            raise MacError("the request was sent before")
