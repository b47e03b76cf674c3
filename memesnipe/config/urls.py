"""Checks of the URLs and keys of services. Their messages never contain the value, which may be secret."""

import re
from typing import Any
from urllib.parse import SplitResult, urlsplit

from pydantic import SecretStr

_MAX_LENGTH = 2_000
_ADDRESS = re.compile(r"[1-9A-HJ-NP-Za-km-z]{32,44}")


def empty_is_unset(value: Any) -> Any:
    """Return None for an empty text, as in a line of `.env` without a value."""
    return None if value == "" else value


def websocket_urls(value: SecretStr) -> SecretStr:
    """Check websocket URLs that are separated by commas; return them without spaces.

    Raises:
        ValueError: one of them is no such URL, or is repeated.
    """
    urls = [part.strip() for part in value.get_secret_value().split(",")]
    for url in urls:
        _check_url(url, ("ws", "wss"))
    if len(set(urls)) < len(urls):
        raise ValueError("names a URL twice")
    return SecretStr(",".join(urls))


def rpc_url(value: SecretStr) -> SecretStr:
    """Check the URL of an RPC server, which may contain a key.

    Raises:
        ValueError: it is no such URL.
    """
    _check_url(value.get_secret_value(), ("http", "https"))
    return value


def http_url(value: str) -> str:
    """Check the base URL of a service.

    Raises:
        ValueError: it is no such URL, or contains a password or a query: keys have settings of their own.
    """
    return _without_keys(value, ("http", "https"))


def websocket_url(value: SecretStr) -> SecretStr:
    """Check the base URL of a service's websocket; it is a secret only because a key may be written into it.

    Raises:
        ValueError: it is no such URL, or contains a password or a query: keys have settings of their own.
    """
    _without_keys(value.get_secret_value(), ("ws", "wss"))
    return value


def key(value: SecretStr) -> SecretStr:
    """Check a key that is sent in a header.

    Raises:
        ValueError: it cannot be sent there.
    """
    text = value.get_secret_value()
    if not text.isascii() or not text.isprintable() or " " in text or len(text) > _MAX_LENGTH:
        raise ValueError("must be a key of visible ASCII characters")
    return value


def address(value: str) -> str:
    """Check the address of an account in base58.

    Raises:
        ValueError: it is none.
    """
    if not _ADDRESS.fullmatch(value):
        raise ValueError("must be an address of Solana")
    return value


def _without_keys(value: str, schemes: tuple[str, str]) -> str:
    parts = _check_url(value, schemes)
    if parts.username is not None or parts.query or parts.fragment:
        raise ValueError("must have no password and no query; keys have settings of their own")
    return value


def _check_url(url: str, schemes: tuple[str, str]) -> SplitResult:
    message = f"must be like {schemes[1]}://HOST/PATH"
    if not url.isascii() or not url.isprintable() or " " in url or len(url) > _MAX_LENGTH:
        raise ValueError(message)
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise ValueError(message) from None
    if parts.scheme not in schemes or not parts.hostname or port == 0:
        raise ValueError(message)
    return parts
