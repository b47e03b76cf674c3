"""The feed of the webhook: a server in a thread fills the spool, and the lines of the spool are the events."""

import socket
import threading
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, Literal

import uvicorn

from memesnipe.errors import InputError
from memesnipe.feeds.base import IDLE, FeedEvent, ResumeToken, Signal
from memesnipe.feeds.decoded import DecodedFeed
from memesnipe.feeds.file_lines import LinesSource
from memesnipe.feeds.live import LiveFeed
from memesnipe.feeds.signals import decode_signal
from memesnipe.feeds.webhook.app import Receiver
from memesnipe.feeds.webhook.spool import Spool
from memesnipe.secret_file import read_secret

HOST: Final = "127.0.0.1"
MIN_TOKEN_CHARACTERS: Final = 16
_INTERVAL_S: Final = 0.02  # between two looks at the spool
_MAX_CONNECTIONS: Final = 32
_SHUTDOWN_S: Final = 1


def read_token(path: Path | None) -> str:
    """Return the token in a file.

    Raises:
        InputError: there is no file that only its owner can read, or the token is too short.
    """
    if path is None:
        raise InputError("--feed webhook: WEBHOOK_TOKEN_FILE is not set; name a file with a token, yours alone to read")
    token = read_secret(path, "WEBHOOK_TOKEN_FILE").strip()
    if len(token) < MIN_TOKEN_CHARACTERS:
        raise InputError(f"{path} is too short to be a token: it must have {MIN_TOKEN_CHARACTERS} characters or more")
    return token


class WebhookSource:
    """The accepted lines, as bytes; the server runs while they are read. The token is an offset in the spool.

    Args:
        port: on this machine; 0 for any.
        receiver: the application.
        spool: that it fills.
    """

    def __init__(self, port: int, receiver: Receiver, spool: Spool) -> None:
        self.port = port
        self._receiver, self._spool = receiver, spool
        self._lines = LinesSource(spool.path, _INTERVAL_S)

    def read(self, token: ResumeToken) -> Generator[FeedEvent | Literal[Signal.IDLE], None, None]:
        """Listen, and yield the lines after the token as they are accepted.

        Raises:
            OSError: the port is taken, the spool cannot be read, or the server has ended.
        """
        offset = token["offset"] if token else 0
        self._spool.open(offset)
        with self._server() as server:
            for event in self._lines.read({"offset": offset}):
                if not server.is_alive():
                    raise OSError("the server of the webhook has ended")
                if event is not IDLE:
                    self._spool.note_read(event.token["offset"])
                yield event

    @contextmanager
    def _server(self) -> Iterator[threading.Thread]:
        with socket.create_server((HOST, self.port)) as listening:
            self.port = listening.getsockname()[1]
            server = uvicorn.Server(
                uvicorn.Config(
                    self._receiver.app(),
                    log_config=None,
                    log_level="warning",
                    access_log=False,
                    lifespan="off",
                    ws="none",
                    server_header=False,
                    limit_concurrency=_MAX_CONNECTIONS,
                    timeout_graceful_shutdown=_SHUTDOWN_S,
                )
            )
            thread = threading.Thread(target=server.run, args=([listening],), name="webhook", daemon=True)
            thread.start()
            try:
                yield thread
            finally:
                server.should_exit = True
                thread.join()

    def close(self) -> None:
        """End the reading and the server."""
        self._lines.close()


class WebhookFeed(DecodedFeed):
    """The events that were posted; its status also has the refused requests, by reason."""

    def __init__(self, port: int, token: str, spool: Path) -> None:
        accepted = Spool(spool)
        self.receiver = Receiver(token, accepted)
        self.source = WebhookSource(port, self.receiver, accepted)
        super().__init__(LiveFeed("webhook", self.source), decode_signal, self.receiver.refused)
