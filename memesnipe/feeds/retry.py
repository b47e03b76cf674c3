"""When a failed source is read again: backoff with jitter, and the wait that a server requires."""

import random
import re
from typing import Final
from urllib.parse import parse_qsl

from memesnipe.replies import host_of

FIRST_RETRY_S: Final = 0.1  # doubled by each further failure
MAX_RETRY_S: Final = 30.0
RATE_LIMIT_WAIT_S: Final = 60.0  # after 429 without a usable header; the longest window of the services used here
_JITTER: Final = 0.5  # share of a wait that is drawn at random
_MAX_TEXT: Final = 200
_URL: Final = re.compile(r"\w+://\S+")


class SourceError(Exception):
    """A source cannot be read; the text has the host of its URL, and nothing else of the URL.

    Args:
        url: of the source.
        text: what happened.
        wait_s: seconds for which the server must not be asked again.
    """

    def __init__(self, url: str, text: str, wait_s: float = 0.0) -> None:
        # A path or a query may be a key, and libraries quote them in their messages.
        for part in (url, url.partition("://")[2], _target_of(url), *_values_of(url)):
            text = text.replace(part, "...") if len(part) > 1 else text
        text = _URL.sub(lambda other: host_of(other[0]), text)
        super().__init__(f"{host_of(url)}: {text[:_MAX_TEXT]}")
        self.wait_s = wait_s


class Backoff:
    """The waits of one source between its failures.

    Each is drawn between half and all of the backoff, so that several sources of one installation do not ask a common
    server at the same moments. The draws are seeded with the source's name, and therefore repeatable.

    Args:
        name: of the source.
    """

    def __init__(self, name: str) -> None:
        self._random = random.Random(name)  # noqa: S311 - no secret
        self._failures = 0

    def reset(self) -> None:
        """Begin again with the shortest wait."""
        self._failures = 0

    def next_s(self, wait_s: float = 0.0) -> float:
        """Return the seconds to wait after one more failure; at least ``wait_s``."""
        backoff_s = min(FIRST_RETRY_S * 2.0 ** min(self._failures, 20), MAX_RETRY_S)
        self._failures += 1
        return max(wait_s, backoff_s * (1.0 - _JITTER * self._random.random()))


def _target_of(url: str) -> str:
    """Return the path and the query of a URL."""
    host, slash, rest = url.partition("://")[2].partition("/")
    return slash + rest if slash else host.partition("?")[2]


def _values_of(url: str) -> list[str]:
    """Return the values in the query of a URL."""
    return [value for _, value in parse_qsl(_target_of(url).partition("?")[2])]
