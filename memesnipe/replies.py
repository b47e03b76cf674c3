"""What HTTP services say in headers, and what of a URL may be shown."""

from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from typing import Final
from urllib.parse import urlsplit

MAX_WAIT_S: Final = 3_600.0  # a longer wait that a server names is read as this one


def wait_of(headers: Mapping[str, str], now_s: float) -> float | None:
    """Return the seconds that a response requires to wait; None if its headers name no usable time.

    Args:
        headers: of the response: `Retry-After`, as seconds or as a date, or `x-ratelimit-reset` (Jupiter) or
            `x-rate-limit-reset` (X), in seconds since 1970.
        now_s: seconds since 1970.
    """
    for wait_s in (_retry_after(headers.get("retry-after", ""), now_s), _reset(headers, now_s)):
        if wait_s is not None and wait_s > 0:  # also excludes NaN
            return min(wait_s, MAX_WAIT_S)
    return None


def _retry_after(value: str, now_s: float) -> float | None:
    try:
        return float(value)
    except ValueError:
        pass
    try:
        return parsedate_to_datetime(value).timestamp() - now_s
    except ValueError:
        return None


def _reset(headers: Mapping[str, str], now_s: float) -> float | None:
    try:
        return float(headers.get("x-ratelimit-reset") or headers.get("x-rate-limit-reset", "")) - now_s
    except ValueError:
        return None


def host_of(url: str) -> str:
    """Return the host of a URL, the only part of it that may be shown: the others may contain a key."""
    try:
        return urlsplit(url).hostname or "?"
    except ValueError:
        return "?"
