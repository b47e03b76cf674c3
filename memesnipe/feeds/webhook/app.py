"""The web application of the webhook: it checks who posts, how much, and what, and answers with one line."""

import asyncio
import hmac
import time
from collections import Counter
from collections.abc import Callable
from typing import Final

import orjson
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from memesnipe.feeds.decoded import UnusableError
from memesnipe.feeds.merge import MAX_LATE_NS
from memesnipe.feeds.signals import decode_signal
from memesnipe.feeds.webhook.spool import Spool
from memesnipe.market.record_rules import error_of, time_error
from memesnipe.market.sequencer import MAX_FUTURE_NS, time_of

MAX_BODY_BYTES: Final = 65_536
MAX_LINES: Final = 200  # of a request
LINES_PER_S: Final = 100.0  # over all requests; `MAX_LINES` at once
BODY_S: Final = 5.0


class RefusedError(Exception):
    """A request is not accepted.

    Args:
        status: of the answer.
        reason: in words, one of few, because each is counted.
        detail: what else the answer says.
    """

    def __init__(self, status: int, reason: str, detail: str = "") -> None:
        super().__init__(reason + detail)
        self.status, self.reason = status, reason


class RateLimit:
    """A bucket of permissions that fills with time.

    Args:
        per_s: permissions that are added in a second.
        most: in the bucket, which is full at the beginning.
        clock: returns monotonic seconds.
    """

    def __init__(self, per_s: float, most: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._per_s, self._most, self._clock = per_s, most, clock
        self._left, self._at_s = most, clock()

    def take(self, count: int) -> bool:
        """Take permissions; return False, and take none, if there are not so many."""
        now_s = self._clock()
        self._left = min(self._most, self._left + (now_s - self._at_s) * self._per_s)
        self._at_s = now_s
        if self._left < count:
            return False
        self._left -= count
        return True


class Receiver:
    """Takes posted signals. ``refused`` has the number of requests that were refused, by reason.

    Args:
        token: that a request must have; it is compared in constant time.
        spool: takes what was accepted.
        rate: limit of lines.
        now_ns: returns ns since 1970.
    """

    def __init__(
        self, token: str, spool: Spool, rate: RateLimit | None = None, now_ns: Callable[[], int] = time.time_ns
    ) -> None:
        self.refused: Counter[str] = Counter()
        self._token, self._spool, self._now_ns = token, spool, now_ns
        self._rate = rate or RateLimit(LINES_PER_S, MAX_LINES)

    def app(self) -> Starlette:
        """Return the application: `POST /signals`."""
        return Starlette(routes=[Route("/signals", self._receive, methods=["POST"])])

    async def _receive(self, request: Request) -> Response:
        try:
            return JSONResponse({"accepted": await self._accept(request)})
        except RefusedError as error:
            self.refused[error.reason] += 1
            headers = {"Retry-After": "1"} if error.status in (429, 503) else {}
            headers |= {"WWW-Authenticate": "Bearer"} if error.status == 401 else {}
            return PlainTextResponse(f"{error}\n", error.status, headers)

    async def _accept(self, request: Request) -> int:
        """Accept all events of a request; return their number.

        Raises:
            RefusedError: none of them was accepted.
        """
        scheme, _, given = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not hmac.compare_digest(given.strip().encode(), self._token.encode()):
            raise RefusedError(401, "the bearer token is not that of WEBHOOK_TOKEN_FILE")
        lines = [line for line in (await _body(request)).split(b"\n") if line.strip()]
        if len(lines) > MAX_LINES:
            raise RefusedError(413, f"more than {MAX_LINES} lines in a request")
        if not self._rate.take(max(len(lines), 1)):
            raise RefusedError(429, f"more than {LINES_PER_S:g} lines a second")
        accepted = b"".join(self._checked(number, line) for number, line in enumerate(lines, 1))
        if not accepted:
            raise RefusedError(422, "the body has no event")
        try:
            is_taken = await run_in_threadpool(self._spool.add, accepted)
        except OSError as error:
            raise RefusedError(503, "the events cannot be stored", f": {error.strerror}") from None
        if not is_taken:
            raise RefusedError(503, "too many events wait to be read")
        return len(lines)

    def _checked(self, number: int, line: bytes) -> bytes:
        """Return an event as a line, with its time.

        Raises:
            RefusedError: the sequencer would not accept it.
        """
        now_ns = self._now_ns()
        try:
            [message] = decode_signal(line, lambda: now_ns)
            error = error_of(message) or time_error(time_of(message), now_ns - MAX_LATE_NS, now_ns, MAX_FUTURE_NS)
        except UnusableError as unusable:
            raise RefusedError(422, str(unusable), f": line {number}") from None
        except (ValueError, RecursionError):  # a value that cannot be shown
            raise RefusedError(422, "malformed", f": line {number}") from None
        if error is not None:
            text = " ".join(error.message.split())
            raise RefusedError(422, error.category, f": line {number}: {text[:200]}")
        return orjson.dumps(message) + b"\n"


async def _body(request: Request) -> bytes:
    """Return the body of a request.

    Raises:
        RefusedError: it is too large, or does not arrive.
    """
    body = b""
    try:
        async with asyncio.timeout(BODY_S):
            async for chunk in request.stream():
                body += chunk
                if len(body) > MAX_BODY_BYTES:
                    raise RefusedError(413, f"the body has more than {MAX_BODY_BYTES} bytes")
    except TimeoutError:
        raise RefusedError(408, f"the body did not arrive in {BODY_S:g} s") from None
    except ClientDisconnect:
        raise RefusedError(400, "the body did not arrive") from None
    return body
