"""`python -m actors.worker_server LISTENER`: loads what Ray's workers need once, and forks each worker from itself.

A worker of Ray is a new Python process. To load the database's library, the compiler, the web framework and the roles
takes it one to two seconds of a processor. A forked one has them, and shares their memory.

A fork copies no threads, so no module is loaded that starts one. Ray itself is loaded in the workers, because it reads
the variables that belong to a worker when it is loaded.
"""

import memesnipe.garbage  # noqa: F401, I001 - first: it makes loading the others faster

import gc
import importlib
import marshal
import os
import runpy
import signal
import socket
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import Final, NamedTuple

from actors.forked_worker import LENGTH_BYTES, SOCKET
from memesnipe.servers.child import die_with_parent

MODULES: Final = (
    "memesnipe.api.serve_imports",
    "memesnipe.roles.executor",
    "memesnipe.roles.sharded_executor",
    "memesnipe.roles.market_data",
    "memesnipe.roles.portfolio",
    "memesnipe.roles.position",
    "memesnipe.roles.strategy_factory",
    "memesnipe.roles.reload",
    "memesnipe.roles.role_metrics",
    "memesnipe.feeds.choice",
    "memesnipe.evolution.evaluation",
    "memesnipe.api.app",
    "memesnipe.api.backend",
    "memesnipe.api.commands",
    "memesnipe.api.request_checks",
    "uvicorn",
    # Of Ray itself.
    "aiohttp",
    "google.protobuf.descriptor_pb2",
    "jsonschema",
    "requests",
    "yaml",
)
_WORKER: Final = "ray._private.workers.default_worker"
# One thread for linear algebra, as Ray sets it for its workers: threads do not survive a fork.
_ENVIRONMENT: Final = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
_STOP_S: Final = 10.0


class WorkerServer:
    """The server as a child process of the one that starts Ray.

    Args:
        path: of its socket, in a private folder.
    """

    def __init__(self, path: Path) -> None:
        path.unlink(missing_ok=True)
        self._path = path
        self._process: subprocess.Popen[bytes] | None = None
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(path))
        self._listener.listen(100)  # from now on workers wait for it

    @property
    def environment(self) -> dict[str, str]:
        """Return the variables with which `forked_worker` finds it."""
        return {SOCKET: str(self._path)}

    def start(self) -> None:
        """Start the process, where it is not started yet."""
        if self._process is None:
            with self._listener as listener:
                self._process = subprocess.Popen(  # noqa: S603 - our own command
                    [sys.executable, "-m", __name__, str(listener.fileno())],
                    env=_ENVIRONMENT | os.environ,
                    pass_fds=(listener.fileno(),),
                    preexec_fn=die_with_parent(signal.SIGKILL),  # noqa: PLW1509 - only a system call
                )

    def stop(self) -> None:
        """End it; workers that run go on."""
        self._listener.close()
        if self._process is not None:
            self._process.kill()
            self._process.wait(_STOP_S)
        self._path.unlink(missing_ok=True)


class Request(NamedTuple):
    """What Ray has given to a process that asks for a worker."""

    files: list[int]  # standard input, output and error
    pid: int
    arguments: list[str]
    environment: dict[str, str]
    folder: str


def next_worker(listener: socket.socket) -> tuple[socket.socket, Request]:
    """Fork a worker for each request; return in the workers alone, with the connection that waits for an answer."""
    while True:
        connection, _ = listener.accept()
        with suppress(OSError):
            request = _read(connection)
            if os.fork() == 0:
                listener.close()
                return connection, request
            for file in request.files:
                os.close(file)
        connection.close()


def _read(connection: socket.socket) -> Request:
    length, files, _, _ = socket.recv_fds(connection, LENGTH_BYTES, 3)
    with connection.makefile("rb") as stream:
        rest = stream.read(int.from_bytes(length, "big"))
    return Request(files, *marshal.loads(rest))  # noqa: S302 - the socket is in a private folder


def _become(request: Request) -> None:
    """Take over what Ray has given to the process for which this one stands."""
    for target, file in enumerate(request.files):
        os.dup2(file, target)
        os.close(file)
    os.environ.clear()
    os.environ.update(request.environment)
    os.chdir(request.folder)
    os.setpgid(0, 0)  # by the group Ray ends what a worker leaves behind
    sys.argv[1:] = request.arguments
    with suppress(OSError):  # Ray makes its workers the first to be killed where memory runs out
        Path("/proc/self/oom_score_adj").write_text(Path(f"/proc/{request.pid}/oom_score_adj").read_text())


def main(file: int) -> None:
    """Load the modules, then serve until killed."""
    listener = socket.socket(fileno=file)
    for module in MODULES:
        importlib.import_module(module)
    gc.freeze()  # their memory stays shared
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for workers
    connection, request = next_worker(listener)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    with connection:
        _become(request)
        connection.sendall(b"1")
    runpy.run_module(_WORKER, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main(int(sys.argv[1]))
