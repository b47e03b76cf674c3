"""`memesnipe localnet` as a child process: a chain of its own, which ends with it and is never restarted."""

import signal
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import orjson

from memesnipe.errors import MemeSnipeError
from memesnipe.servers.child import ChildServer

TITLE: Final = "the local Solana"


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

    def launch(self) -> None:
        """Start without waiting. Main thread only.

        Raises:
            LocalServerError: it cannot be started.
        """
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        ports = ("--rpc-port", "0", "--ws-port", "0", "--json")
        with self._server.starting(self._folder / "none.pid"):
            self._server.launch([sys.executable, "-m", "memesnipe", "localnet", *ports, *self._arguments])

    def wait(self) -> ChainUrls:
        """Wait until the launched chain answers; return its URLs.

        Raises:
            LocalServerError: it does not start.
        """
        with self._server.guarded():
            self._server.wait_ready(lambda _: self._urls() is not None)
        urls = self._urls()
        assert urls is not None  # noqa: S101 - it is ready
        return urls

    def check(self) -> None:
        """Check that it still runs.

        Raises:
            MemeSnipeError: it has ended, and with it the chain that the run trades on.
        """
        if self._server.has_died:
            raise MemeSnipeError(
                f"{TITLE} has ended, and a new one would be another chain: the run cannot go on; see {self._server.log}"
            )

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
