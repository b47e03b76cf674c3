"""`memesnipe localnet` as a child process: a new chain at each launch, which goes on from its journal after a kill."""

import signal
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Final, Self
from urllib.parse import urlsplit

import orjson

from memesnipe.errors import MemeSnipeError
from memesnipe.servers.child import ChildServer

TITLE: Final = "the local Solana"
_MAX_RESTARTS: Final = 20


@dataclass(frozen=True, slots=True)
class ChainUrls:
    """Where the chain answers: the JSON-RPC, with the APIs of Jupiter and Jito at the same port, and the websocket."""

    rpc_url: str
    websocket_url: str


class LocalChain:
    """One chain; leaving the `with` block stops it.

    Args:
        folder: of its log.
        arguments: of `memesnipe localnet`, without ports.
    """

    def __init__(self, folder: Path, arguments: Sequence[str]) -> None:
        self._folder, self._arguments = folder.resolve(), tuple(arguments)
        self._server = ChildServer(TITLE, self._folder, signal.SIGTERM)
        self._journal = self._folder / "journal.jsonl"
        self._started: ChainUrls | None = None
        self._restarts = 0

    def launch(self) -> None:
        """Start a new chain without waiting. Main thread only.

        Raises:
            LocalServerError: it cannot be started.
        """
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._journal.unlink(missing_ok=True)
        with self._server.starting(self._folder / "none.pid"):
            self._run(0, 0)

    def _run(self, rpc_port: int, websocket_port: int) -> None:
        ports = ("--rpc-port", str(rpc_port), "--ws-port", str(websocket_port), "--json")
        options = (*ports, "--journal", str(self._journal), *self._arguments)
        self._server.launch([sys.executable, "-m", "memesnipe", "localnet", *options])

    def wait(self) -> ChainUrls:
        """Wait until the launched chain answers; return its URLs.

        Raises:
            LocalServerError: it does not start.
        """
        with self._server.guarded():
            self._server.wait_ready(lambda _: self._urls() is not None)
        self._started = self._urls()
        assert self._started is not None  # noqa: S101 - it is ready
        return self._started

    def restart_if_dead(self) -> bool:
        """Let the same chain go on at the same ports if its process has ended; return whether it had. Main thread only.

        It is not waited for: until it answers, the run is without a chain, as in an outage of a node.

        Raises:
            MemeSnipeError: it has ended too often.
        """
        if self._started is None or not self._server.has_died:
            return False
        self._restarts += 1
        if self._restarts > _MAX_RESTARTS:
            raise MemeSnipeError(
                f"{TITLE} has ended {self._restarts} times: the run cannot go on; see {self._server.log}"
            )
        urls = (self._started.rpc_url, self._started.websocket_url)
        rpc_port, websocket_port = (urlsplit(url).port or 0 for url in urls)
        self._run(rpc_port, websocket_port)
        return True

    def _urls(self) -> ChainUrls | None:
        """Return what the command has printed; None before it has."""
        for line in self._server.new_log().splitlines():
            if line.startswith('{"rpc_url"'):
                printed = orjson.loads(line)
                return ChainUrls(printed["rpc_url"], printed["websocket_url"])
        return None

    def stop(self) -> None:
        """Stop it; a second call has no effect."""
        self._server.stop()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
