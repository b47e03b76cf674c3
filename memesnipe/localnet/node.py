"""A running node: the chain, its clock, and its servers, in one thread of their own."""

import asyncio
import logging
import socket
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from typing import Final, Self, TypeVar

import uvicorn
from starlette.routing import BaseRoute

from memesnipe.errors import InputError, MemeSnipeError
from memesnipe.localnet.chain import Chain
from memesnipe.localnet.faults import FaultPlan, SlotDriver
from memesnipe.localnet.pubsub.server import PubSub
from memesnipe.localnet.rpc.server import application

HOST: Final = "127.0.0.1"
_START_S: Final = 30.0
_CALL_S: Final = 60.0
_T = TypeVar("_T")
_PLANNED: Final = "ASGI callable returned without completing response."  # an answer that a fault has broken
logging.getLogger("uvicorn.error").addFilter(lambda record: record.getMessage() != _PLANNED)


class Node:
    """A node at two ports of this machine, while it is entered.

    Nothing is locked: whoever uses the chain meanwhile does so through `call`.

    Args:
        chain: the chain.
        routes: further HTTP routes at the port of the JSON-RPC.
        plan: of the faults; the chain's mempool has to be made with the same.
        rpc_port: 0 for any.
        websocket_port: 0 for any.
        is_paced: begin a slot whenever its time has passed; else whoever calls `tick` does.
        queue: frames that a client of the websocket may leave unread.
        ping_s: seconds between two pings of the websocket, and for the answer to one.
    """

    def __init__(
        self,
        chain: Chain,
        *,
        routes: Iterable[BaseRoute] = (),
        plan: FaultPlan | None = None,
        rpc_port: int = 0,
        websocket_port: int = 0,
        is_paced: bool = True,
        queue: int = 10_000,
        ping_s: float = 20.0,
    ) -> None:
        self.chain = chain
        self.plan = plan or FaultPlan()
        self.pubsub = PubSub(chain, queue, ping_s)
        self._driver = SlotDriver(chain, self.plan)
        self._is_paced = is_paced
        self._app = application(chain, self.plan, routes)
        self._sockets = [_listen(rpc_port, "--rpc-port"), _listen(websocket_port, "--ws-port")]
        rpc, websocket = (one.getsockname()[1] for one in self._sockets)
        self.rpc_url = f"http://{HOST}:{rpc}"
        self.websocket_url = f"ws://{HOST}:{websocket}"
        self._started: Future[None] = Future()
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="localnet")

    def __enter__(self) -> Self:
        self._thread.start()
        self._started.result(_START_S)
        return self

    def __exit__(self, *_: object) -> None:
        """Stop everything.

        Raises:
            Exception: the error with which the node has ended before.
        """
        if self.is_running():
            self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()
        if self.chain.journal is not None:
            self.chain.journal.close()
        if self._error is not None:
            raise self._error

    def is_running(self) -> bool:
        """Return whether the node goes on; false after an error, which leaving it raises."""
        return self._thread.is_alive() and self._error is None

    def call(self, function: Callable[[], _T]) -> _T:
        """Run a function in the thread of the node; return its result or raise its error."""
        done: Future[_T] = Future()

        def run() -> None:
            try:
                done.set_result(function())
            except BaseException as error:  # noqa: BLE001 - raised by the caller
                done.set_exception(error)

        if not self.is_running():
            raise MemeSnipeError("the local node has stopped")
        self._loop.call_soon_threadsafe(run)
        return done.result(_CALL_S)

    def tick(self, slots: int = 1) -> None:
        """Let the time of slots pass, with their faults."""
        for _ in range(slots):
            self.call(self._step)

    def _run(self) -> None:
        try:
            asyncio.run(self._serve())
        except BaseException as error:  # noqa: BLE001 - raised when the node is left
            self._error = error
            if not self._started.done():
                self._started.set_exception(error)

    async def _serve(self) -> None:
        """Serve until the node is left; an error of the chain ends it."""
        self._loop, self._stop = asyncio.get_running_loop(), asyncio.Event()
        config = uvicorn.Config(
            self._app, log_config=None, access_log=False, lifespan="off", ws="none", timeout_graceful_shutdown=1
        )
        http = uvicorn.Server(config)
        rpc, websocket = self._sockets
        async with self.pubsub.serve(websocket):
            served = asyncio.create_task(http.serve(sockets=[rpc]))
            waits = [served, asyncio.create_task(self._stop.wait())]
            if self._is_paced:
                waits.append(asyncio.create_task(self._pace()))
            self._started.set_result(None)
            try:
                done, _ = await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
                for one in done:
                    one.result()
            finally:
                http.should_exit = True
                for one in waits[1:]:
                    one.cancel()
                await asyncio.gather(*waits, return_exceptions=True)

    async def _pace(self) -> None:
        """Begin a slot whenever its time has passed; slots that are late follow at once."""
        slot_s = self.chain.slot_ms / 1000
        due = self._loop.time() + slot_s
        while True:
            await asyncio.sleep(due - self._loop.time())
            self._step()
            due += slot_s

    def _step(self) -> None:
        self._driver.step()
        if self.plan.happens("cut_websockets"):
            self.pubsub.cut_all()


def _listen(port: int, option: str) -> socket.socket:
    """Return a socket that accepts connections at a port of this machine, which an option of the command names.

    Raises:
        InputError: the port is in use.
    """
    # Naming the protocol makes asyncio send small answers without delay (TCP_NODELAY).
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((HOST, port))
    except OSError as error:
        listener.close()
        raise InputError(f"{option} {port}: this port cannot be used: {error.strerror}; choose another") from None
    listener.listen(512)
    return listener
