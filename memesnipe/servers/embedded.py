"""What an embedded server can do, whichever it is: start, start again where it was, stop."""

from abc import ABC, abstractmethod
from pathlib import Path

from memesnipe.servers.child import ChildServer
from memesnipe.servers.process import LocalServerError


class EmbeddedServer(ABC):
    """One server over one folder."""

    _server: ChildServer

    def __init__(self, directory: Path, preferred_port: int) -> None:
        self._directory = directory.resolve()
        self._preferred_port = preferred_port
        self._port = 0
        self._must_revive = False  # it died, and has not come back yet

    @property
    def log(self) -> Path:
        """The server's log file."""
        return self._server.log

    def start(self) -> str:
        """Start and wait until it answers; gives its URL."""
        self.launch()
        return self.wait()

    @abstractmethod
    def launch(self) -> None:
        """Start without waiting; from the main thread only."""

    @abstractmethod
    def wait(self) -> str:
        """Wait until the launched server answers; gives its URL."""

    def revive(self) -> bool:
        """Start it again on its port if it has died; whether it had."""
        self._must_revive |= self._server.has_died
        if not self._must_revive:
            return False
        self._preferred_port = self._port
        self._server.stop()
        self.start()  # if this fails, the next call tries again
        if self._port != self._preferred_port:  # everyone else knows the old one
            self._server.stop()
            self._port = self._preferred_port
            raise LocalServerError(f"port {self._port} was taken by another program meanwhile")
        self._must_revive = False
        return True

    def stop(self) -> None:
        """Stop it if it runs; what was answered or committed is kept."""
        self._server.stop()
