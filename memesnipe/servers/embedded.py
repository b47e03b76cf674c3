"""The interface that embedded servers share: start, restart on the same port, stop."""

from abc import ABC, abstractmethod
from pathlib import Path

from memesnipe.servers.child import ChildServer
from memesnipe.servers.process import LocalServerError


class EmbeddedServer(ABC):
    """One embedded server over one folder."""

    _server: ChildServer

    def __init__(self, directory: Path, preferred_port: int) -> None:
        self._directory = directory.resolve()
        self._preferred_port = preferred_port
        self._port = 0
        self._must_restart = False  # it died, and has not been restarted yet

    @property
    def log(self) -> Path:
        """Return the path of the server's log."""
        return self._server.log

    def start(self) -> str:
        """Start the server and wait until it answers; return its URL."""
        self.launch()
        return self.wait()

    @abstractmethod
    def launch(self) -> None:
        """Start without waiting. Main thread only."""

    @abstractmethod
    def wait(self) -> str:
        """Wait until the launched server answers; return its URL."""

    def restart_if_dead(self) -> bool:
        """Restart the server on its port if it has died; return whether it had.

        Raises:
            LocalServerError: it does not start, or its port is taken; the next call tries again.
        """
        self._must_restart |= self._server.has_died
        if not self._must_restart:
            return False
        self._preferred_port = self._port
        self._server.stop()
        self.start()
        if self._port != self._preferred_port:  # the other processes use the old port
            self._server.stop()
            self._port = self._preferred_port
            raise LocalServerError(f"port {self._port} is used by another program now")
        self._must_restart = False
        return True

    def stop(self) -> None:
        """Stop the server if it runs; acknowledged writes are kept."""
        self._server.stop()
