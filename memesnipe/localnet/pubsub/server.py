"""The websocket server: requests of clients, and bounded queues of what they have not read yet."""

import asyncio
import logging
import socket
from collections import Counter
from contextlib import AbstractAsyncContextManager, suppress
from typing import Any, Final

import msgspec
import orjson
from websockets.asyncio.server import Server, ServerConnection, serve
from websockets.exceptions import ConnectionClosed

from memesnipe.localnet.chain import Chain
from memesnipe.localnet.pubsub.publisher import Publisher
from memesnipe.localnet.pubsub.subscriptions import SUBSCRIBE
from memesnipe.localnet.rpc.errors import (
    INVALID_PARAMS,
    INVALID_REQUEST,
    METHOD_NOT_FOUND,
    PARSE_ERROR,
    RpcError,
)
from memesnipe.localnet.rpc.methods import Request, failure
from memesnipe.localnet.rpc.params import decode

_QUEUE: Final = 10_000  # frames that a client may leave unread
_BUFFER_BYTES: Final = 1 << 18
_UNSUBSCRIBE: Final = {name.replace("Subscribe", "Unsubscribe") for name in SUBSCRIBE}
_LOGGER: Final = logging.getLogger("memesnipe.localnet.websocket")
_LOGGER.setLevel(logging.ERROR)


class PubSub:
    """The connections of a websocket server.

    Args:
        chain: whose blocks clients hear of.
        queue: frames that a client may leave unread; the connection of one that leaves more is cut.
        ping_s: seconds between two pings; a client that does not answer one in that time is disconnected.
    """

    def __init__(self, chain: Chain, queue: int = _QUEUE, ping_s: float = 20.0) -> None:
        self.publisher = Publisher(chain)
        self.counts: Counter[str] = Counter()
        self._chain, self._queue, self._ping_s = chain, queue, ping_s
        self._connections: set[ServerConnection] = set()

    def serve(self, listener: socket.socket) -> AbstractAsyncContextManager[Server]:
        """Return the server of a socket, to be entered."""
        return serve(
            self._handle, sock=listener, ping_interval=self._ping_s, ping_timeout=self._ping_s, close_timeout=1.0,
            compression=None, write_limit=_BUFFER_BYTES, max_size=1 << 16, logger=_LOGGER,
        )  # fmt: skip

    def cut_all(self) -> None:
        """Break every connection without a closing frame."""
        for connection in self._connections:
            connection.transport.abort()

    async def _handle(self, connection: ServerConnection) -> None:
        self._connections.add(connection)
        client = _Client(connection, self._queue, self.counts)
        writer = asyncio.create_task(client.write())
        try:
            async for frame in connection:
                client.send(self._answer(frame, client))
                for number in client.take_new():
                    self.publisher.begin(number)
        except ConnectionClosed:
            pass  # its subscriptions end below
        finally:
            self._connections.discard(connection)
            for number in client.subscriptions:
                self.publisher.remove(number)
            writer.cancel()
            with suppress(asyncio.CancelledError):
                await writer

    def _answer(self, frame: str | bytes, client: "_Client") -> bytes:
        """Return the reply to a request."""
        identity: Any = None
        try:
            try:
                body = orjson.loads(frame)
                identity = body.get("id") if isinstance(body, dict) else None
                request = msgspec.convert(body, Request)
            except orjson.JSONDecodeError:
                raise RpcError(PARSE_ERROR, "Parse error") from None
            except msgspec.ValidationError as error:
                raise RpcError(INVALID_REQUEST, f"Invalid request: {error}") from None
            return orjson.dumps({"jsonrpc": "2.0", "result": self._result(request, client), "id": identity})
        except RpcError as error:
            return orjson.dumps(failure(identity if isinstance(identity, int | str) else None, error))

    def _result(self, request: Request, client: "_Client") -> int | bool:
        kind = SUBSCRIBE.get(request.method)
        if kind is not None:
            subscription = decode(request.params, kind).result(self._chain)
            return client.add(self.publisher.add(subscription, client.send))
        if request.method not in _UNSUBSCRIBE:
            raise RpcError(METHOD_NOT_FOUND, "Method not found")
        is_own = len(request.params) == 1 and client.remove(request.params[0])
        if not is_own or not self.publisher.remove(request.params[0]):  # or it is over
            raise RpcError(INVALID_PARAMS, "Invalid subscription id.")
        return True


class _Client:
    """One connection: its subscriptions, and the frames that it has not read yet."""

    def __init__(self, connection: ServerConnection, queue: int, counts: "Counter[str]") -> None:
        self.subscriptions: set[int] = set()
        self._new: list[int] = []
        self._connection, self._counts = connection, counts
        self._frames: asyncio.Queue[bytes] = asyncio.Queue(queue)

    def add(self, number: int) -> int:
        self.subscriptions.add(number)
        self._new.append(number)
        return number

    def take_new(self) -> list[int]:
        """Return the subscriptions that were added since the last call."""
        taken, self._new = self._new, []
        return taken

    def remove(self, number: Any) -> bool:
        is_own = isinstance(number, int) and number in self.subscriptions
        self.subscriptions.discard(number)
        return is_own

    def send(self, frame: bytes) -> None:
        """Queue a frame; break the connection if its client has left too many unread."""
        try:
            self._frames.put_nowait(frame)
        except asyncio.QueueFull:
            self._counts["slow clients cut"] += 1
            self._connection.transport.abort()

    async def write(self) -> None:
        """Send frames as they are queued."""
        with suppress(ConnectionClosed):
            while True:
                await self._connection.send(await self._frames.get(), text=True)
