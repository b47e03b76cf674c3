"""The program that Ray starts for each worker of a local cluster: it asks `worker_server` to fork one.

Without an answer it becomes an ordinary worker of Ray. It loads next to nothing, because it runs for every worker.
"""

import importlib.util
import marshal
import os
import socket
import sys
from pathlib import Path

SOCKET = "MEMESNIPE_WORKER_SERVER"  # environment variable with the path of the server's socket
LENGTH_BYTES = 4  # of the length that precedes a request
_ANSWER_S = 150.0  # of a server that still loads modules; Ray waits for 180 s


def main() -> None:
    """Let the server fork a worker, and end; or become a worker."""
    if not _is_forked(os.environ.get(SOCKET, "")):
        spec = importlib.util.find_spec("ray")
        assert spec is not None and spec.origin is not None  # noqa: S101 - Ray has started this process
        worker = str(Path(spec.origin).parent / "_private" / "workers" / "default_worker.py")
        os.execv(sys.executable, [sys.executable, worker, *sys.argv[1:]])  # noqa: S606 - as Ray does


def _is_forked(path: str) -> bool:
    """Pass arguments, environment, folder and standard files to the server; return whether it has forked a worker."""
    request = marshal.dumps((os.getpid(), sys.argv[1:], dict(os.environ), str(Path.cwd())))
    try:
        with socket.socket(socket.AF_UNIX) as server:
            server.settimeout(_ANSWER_S)
            server.connect(path)
            socket.send_fds(server, [len(request).to_bytes(LENGTH_BYTES, "big")], [0, 1, 2])
            server.sendall(request)
            return bool(server.recv(1))
    except OSError:
        return False


if __name__ == "__main__":
    main()
