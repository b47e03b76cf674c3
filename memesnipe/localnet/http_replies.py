"""What the local servers share: JSON replies, waiting for a transaction, and a limit on the rate of requests."""

import asyncio
import time
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any, Final

import orjson
from solders.signature import Signature
from starlette.responses import Response

from memesnipe.localnet.chain import Chain
from memesnipe.localnet.records import Block, TransactionRecord

_JSON: Final = "application/json"


def reply(body: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """Return a JSON reply."""
    return Response(orjson.dumps(body), status, dict(headers or {}), _JSON)


def rpc_result(request_id: Any, result: Any, headers: Mapping[str, str] | None = None) -> Response:
    """Return the reply of a JSON-RPC request that has succeeded."""
    return reply({"jsonrpc": "2.0", "id": request_id, "result": result}, 200, headers)


def rpc_error(request_id: Any, code: int, message: str, status: int = 400) -> Response:
    """Return the reply of a JSON-RPC request that has failed."""
    return reply({"jsonrpc": "2.0", "id": request_id, "error": {"code": code, "message": message}}, status)


async def landed(chain: Chain, signature: Signature, last_height: int) -> TransactionRecord | None:
    """Wait until a transaction is in a block; None once no block can have it any more."""
    changed = asyncio.Event()

    def note(_: Block) -> None:
        changed.set()

    chain.listeners.append(note)
    try:
        while (record := chain.history.get(signature)) is None:
            if chain.ledger.head.height > last_height:
                return None
            await changed.wait()
            changed.clear()
        return record
    finally:
        chain.listeners.remove(note)


class RateLimit:
    """A limit on requests in a sliding window, with Jupiter's headers.

    Args:
        requests: allowed in a window; None for no limit.
        window_s: length of the window.
        clock: returns unix seconds.
    """

    def __init__(
        self, requests: int | None = None, window_s: float = 60.0, clock: Callable[[], float] = time.time
    ) -> None:
        self._requests, self._window_s, self._clock = requests, window_s, clock
        self._times: deque[float] = deque()

    def take(self) -> tuple[bool, dict[str, str]]:
        """Count a request; return whether it is allowed, and the headers of its reply."""
        if self._requests is None:
            return True, {}
        now = self._clock()
        while self._times and self._times[0] <= now - self._window_s:
            self._times.popleft()
        self._times.append(now)
        current = len(self._times)
        headers = {
            "x-ratelimit-remaining": str(self._requests - current),
            "x-ratelimit-current": str(current),
            "x-ratelimit-reset": str(int(self._times[0] + self._window_s) + 1),
        }
        return current <= self._requests, headers
