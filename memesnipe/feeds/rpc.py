"""JSON-RPC requests to a Solana node, within what public servers allow."""

import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Any, Final

import msgspec

from memesnipe.feeds.http import HttpClient
from memesnipe.feeds.retry import RATE_LIMIT_WAIT_S

# The public RPC allows one address 40 requests of a method in 10 s, and 100 of all methods. With this interval each
# method uses a quarter of its limit, and the two methods that are used a fifth of that of all.
INTERVAL_S: Final = 1.0
READ_S: Final = 10.0
# Providers that answer with status 200 say by one of these codes that the rate is too high.
_RATE_LIMITED: Final = frozenset({429, -32429})
_MAX_SHOWN: Final = 200


class RpcError(Exception):
    """The node answered with an error, which it would repeat; the text has its code and its first characters."""


class _Error(msgspec.Struct):
    code: int
    message: str


class _Reply(msgspec.Struct):
    id: int | None = None
    result: Any = None
    error: _Error | None = None


class RpcClient:
    """A client of one node, which one thread uses and another may close.

    Args:
        url: http:// or https://; may contain a key, which no error shows.
        interval_s: minimum seconds from one request of a method to the next one of it.
        read_s: seconds without a byte after which an answer is given up.
        clock: returns monotonic seconds.
    """

    def __init__(
        self,
        url: str,
        interval_s: float = INTERVAL_S,
        read_s: float = READ_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._client = HttpClient(url, {}, read_s)
        self._interval_s, self._clock = interval_s, clock
        self._due_s: dict[str, float] = {}
        self._requests = 0

    def opened(self) -> AbstractContextManager[None]:
        """Keep the connection open from one request to the next, and close it at the end."""
        return self._client.opened()

    def due_s(self, method: str) -> float:
        """Return the monotonic time before which a method is not to be asked again."""
        return self._due_s.get(method, 0.0)

    def call(self, method: str, parameters: Sequence[Any]) -> Any:
        """Return the result of a request.

        Raises:
            SourceError: the node cannot be reached, is silent, refuses, or its answer is no JSON-RPC.
            RpcError: the node answered with an error.
        """
        self._due_s[method] = self._clock() + self._interval_s
        self._requests += 1
        body = {"jsonrpc": "2.0", "id": self._requests, "method": method, "params": list(parameters)}
        with self._client.request(msgspec.json.encode(body)) as response:
            text = response.read()
        try:
            reply = msgspec.json.decode(text, type=_Reply)
        except (msgspec.MsgspecError, UnicodeError, RecursionError):
            raise self._client.error(f"the answer to {method} is no JSON-RPC") from None
        if reply.error is None:
            return reply.result
        shown = f"{method}: {reply.error.code} {reply.error.message[:_MAX_SHOWN]}"
        if reply.error.code in _RATE_LIMITED:
            raise self._client.error(shown, RATE_LIMIT_WAIT_S)
        raise RpcError(str(self._client.error(shown)))

    def close(self) -> None:
        """End a request in progress: it raises an error in its thread."""
        self._client.close()
