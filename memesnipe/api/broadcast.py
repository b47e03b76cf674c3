"""Server-sent events: the changes of one state, read once for all streams, and a limit on the number of streams."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Final

import orjson
from fastapi.sse import EventSourceResponse, format_sse_event
from starlette.types import Receive, Scope, Send

from memesnipe.api.problems import ProblemAnswer
from memesnipe.errors import first_line

Json = dict[str, Any]

STATE_INTERVAL_S: Final = 1.0
MAX_INTERVAL_S: Final = 5.0
COMMENT_INTERVAL_S: Final = 5.0  # a proxy may close a connection that is silent for longer
# A stream ends after a while and the page opens another, which bounds the data buffered for a slow reader.
MAX_STREAM_S: Final = 300.0
_RETRY_S: Final = 5
_RECONNECT_MS: Final = 1_000
_HEADERS: Final = {"X-Accel-Buffering": "no"}


@dataclass(frozen=True, slots=True)
class _Message:
    """A state as events: all of it, and its differences from the state before (b"" where that was none)."""

    number: int
    state: Json
    whole: bytes
    changes: bytes = b""


class Broadcast:
    """Read the state once per interval while any stream is open, and send its changes to all of them.

    The first event of a stream is the whole `state`; then come `changes`: the parts that differ from the state before.
    A slow stream skips states, never the latest one, which it then gets whole. One task reads, without a lock and
    without a thread per stream.

    Args:
        read: returns the state; one with an `error` is sent as `trouble`.
        max_streams: maximum number of open streams.
    """

    def __init__(self, read: Callable[[], Awaitable[Json]], max_streams: int) -> None:
        self._read = read
        self._max_streams = max_streams
        self._open = 0
        self._reading: asyncio.Task[None] | None = None
        self._message: _Message | None = None
        self._changed = asyncio.Event()

    def try_open(self) -> bool:
        """Count a stream if one more is allowed; return whether it was. `close` must follow then."""
        if self._open >= self._max_streams:
            return False
        self._open += 1
        if self._reading is None or self._reading.done():
            self._message = None
            self._reading = asyncio.create_task(self._publish())
        return True

    def close(self) -> None:
        """Count a stream as closed; nothing is read while none is open."""
        self._open -= 1
        if self._open == 0 and self._reading is not None:
            self._reading.cancel()
            self._reading = None

    async def messages(self) -> AsyncIterator[bytes]:
        """Yield the latest state, its changes, and comments that keep the connection open."""
        clock = asyncio.get_running_loop().time
        ends_at = clock() + MAX_STREAM_S
        sent = 0
        yield format_sse_event(retry=_RECONNECT_MS)
        while clock() < ends_at:
            changed, message = self._changed, self._message
            if message is not None and message.number != sent:
                follows = message.number == sent + 1 and message.changes
                sent = message.number
                yield message.changes if follows else message.whole
                continue
            try:
                await asyncio.wait_for(changed.wait(), COMMENT_INTERVAL_S)
            except TimeoutError:
                yield format_sse_event(comment="nothing new")

    async def _publish(self) -> None:
        clock = asyncio.get_running_loop().time
        while True:
            began = clock()
            message = _next(self._message, await self._read_or_report_error())
            if message is not self._message:
                self._message = message
                changed, self._changed = self._changed, asyncio.Event()
                changed.set()
            # The state of a long run takes longer to read; it is read less often, to leave the database to the actors.
            spent = clock() - began
            await asyncio.sleep(max(STATE_INTERVAL_S - spent, min(4 * spent, MAX_INTERVAL_S)))

    async def _read_or_report_error(self) -> Json:
        try:
            return await self._read()
        except Exception as error:  # noqa: BLE001 - every stream reports it, and the next read retries
            return {"error": f"the state cannot be read: {first_line(error)}"}


def _next(before: _Message | None, state: Json) -> _Message:
    """Return the message with a state, encoded once for all streams; the one before if nothing differs."""
    if before is not None and before.state == state:
        return before
    number = before.number + 1 if before else 1
    if "error" in state or before is None or "error" in before.state:
        event = "trouble" if "error" in state else "state"
        return _Message(number, state, _event(event, state))
    changes = {name: part for name, part in state.items() if before.state.get(name) != part}
    return _Message(number, state, _event("state", state), _event("changes", changes))


def _event(name: str, content: Json) -> bytes:
    return format_sse_event(event=name, data_str=orjson.dumps(content).decode())


class StateStream(EventSourceResponse):
    """One stream, or 503 when no more are allowed."""

    def __init__(self, broadcast: Broadcast) -> None:
        super().__init__(broadcast.messages(), headers=_HEADERS)
        self._broadcast = broadcast

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the stream, counted while it is open."""
        if not self._broadcast.try_open():
            headers = {"Retry-After": str(_RETRY_S), "Connection": "close"}
            busy = ProblemAnswer(503, "too many streams are open; raise DASHBOARD_MAX_STREAMS", headers)
            await busy(scope, receive, send)
            return
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._broadcast.close()
