"""Connects to a Ray cluster, or starts a local one that only this machine and this user can reach."""

import os
import sys
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from pathlib import Path
from typing import Any, Final

import psutil
import ray
from ray._private import services
from ray._private.authentication.authentication_token_setup import maybe_enable_token_auth_if_token_available
from ray._private.node import Node

from actors import forked_worker
from actors.loopback import is_on_loopback_alone, on_loopback
from actors.probe import probe
from actors.ray_output import kept_from_stderr, text_of
from actors.worker_server import WorkerServer
from memesnipe.api.proxy_callback import CALLBACK
from memesnipe.api.serve_imports import PRELOAD
from memesnipe.config.home import Home, installation_of
from memesnipe.errors import MemeSnipeError, first_line
from memesnipe.servers.ray_folder import ray_folder, remove_session
from memesnipe.telemetry.logs import open_log

START_S: Final = 180  # for each part of Ray; its defaults of 5 to 60 s are too short for a busy machine
# Environment of Ray's processes, where the user has not set these variables.
_ENVIRONMENT: Final = {
    "RAY_USAGE_STATS_ENABLED": "0",  # send no usage statistics
    # Detect a lost node in seconds; by default Ray waits for many minutes.
    "RAY_grpc_client_keepalive_time_ms": "5000",
    "RAY_grpc_client_keepalive_timeout_ms": "5000",
    "RAY_agent_register_timeout_ms": f"{START_S}000",
    "RAY_worker_register_timeout_seconds": str(START_S),
    "RAY_raylet_start_wait_time_s": "3",  # of one call in `_wait_for_node`
    "RAY_SERVE_PROXY_READY_CHECK_TIMEOUT_S": "60",
    "RAY_SERVE_CONTROL_LOOP_INTERVAL_S": "0.3",  # each round asks Ray for all nodes; by default there are ten a second
    CALLBACK[0]: CALLBACK[1],
    PRELOAD[0]: PRELOAD[1],
}
_POLL_S: Final = 0.2
_RETRY_AFTER_S: Final = 2.0
_KILL_S: Final = 10.0


def connect_ray(
    address: str | None,
    home: Path,
    namespace: str,
    *,
    cpus: int | None = None,
    attempts: int = 3,
    answer_s: int = START_S,
) -> str:
    """Connect to the cluster at ``address``, or start a local one without a dashboard; return the dashboard's URL.

    Args:
        address: of a cluster; None starts a local one.
        home: folder of the installation, for the log.
        namespace: of the names of the actors.
        cpus: concurrent backtests on a local cluster; by default all cores.
        attempts: number of attempts to start a local cluster.
        answer_s: for the first answer of a cluster; where TLS is on at one side alone there is none.

    Returns:
        The URL; "" where there is no dashboard.

    Raises:
        MemeSnipeError: no cluster responds at the address, or no local one starts.
    """
    for name, value in (_ENVIRONMENT | {"RAY_py_gcs_connect_timeout_s": str(answer_s)}).items():
        os.environ.setdefault(name, value)
    log = open_log(Home(home).logs, "ray", "INFO")
    common: dict[str, Any] = {"namespace": namespace, "log_to_driver": False, "logging_level": "ERROR"}
    if address:
        url = _join(address, common)
    else:
        own = common | {"include_dashboard": False, "num_cpus": cpus or max(2, os.cpu_count() or 1)}
        for attempt in range(1, attempts + 1):
            try:
                url = _start(home, own)
                break
            except MemeSnipeError as error:
                log.warning("Ray did not start", attempt=attempt, reason=str(error))
                if attempt == attempts:
                    raise
                time.sleep(_RETRY_AFTER_S)
    _keep_token_private()
    log.info("Ray has started", dashboard=url)
    return f"http://{url}" if url else ""


def _local_ray(folder: Path) -> AbstractContextManager[None]:
    """Start parts of a Ray on loopback, with the sockets of its dashboard beside its folder."""
    return on_loopback(TMPDIR=str(folder.parent))


def _join(address: str, common: dict[str, Any]) -> str:
    probe(address, uses_tls=os.environ.get("RAY_USE_TLS", "0").lower() in ("1", "true"))
    # A Ray that listens on loopback alone is reached only by a client that takes this for the machine's address too. It
    # requires its user's token, which a client of an address does not send by default.
    is_local = is_on_loopback_alone(address)
    reached = on_loopback() if is_local else nullcontext()
    printed = ""
    try:
        with reached, kept_from_stderr() as output:
            try:
                if is_local:
                    maybe_enable_token_auth_if_token_available(warn_if_disabled=False)
                return str(ray.init(address=address, **common).dashboard_url or "")
            finally:
                printed = text_of(output)
    except (ray.exceptions.RayError, ConnectionError, RuntimeError, ValueError) as error:
        raise MemeSnipeError(_why_not(address, error, printed)) from error


def _why_not(address: str, error: Exception, printed: str) -> str:
    """Return in one line why Ray has not connected to a cluster, and what to do; ``printed`` are its own words."""
    if "Version mismatch" in str(error):  # the only place where Ray says which versions is its message of several lines
        return f"the Ray cluster at {address} has other versions: {' '.join(str(error).split())}; install the same ones"
    if isinstance(error, ray.exceptions.AuthenticationError) or "InvalidAuthToken" in printed:
        hint = "set RAY_AUTH_MODE=token and use the token of the cluster (~/.ray/auth_token)"
        return f"the Ray cluster at {address} refuses the token: {first_line(error)}; {hint}"
    hint = (
        "check RAY_ADDRESS, RAY_AUTH_MODE=token where the cluster requires its token, and RAY_USE_TLS with certificates"
    )
    return f"no Ray cluster responds at {address}: {first_line(error)}; {hint}"


def _start(home: Path, own: dict[str, Any]) -> str:
    folder = ray_folder(installation_of(home))
    services.get_node = _wait_for_node  # Ray retries it for 30 s, which no setting changes
    before = set(psutil.Process().children())
    try:
        with _local_ray(folder), essential_processes(), _forked_workers_in(folder):
            return str(ray.init(address="local", _temp_dir=str(folder), **own).dashboard_url or "")
    except Exception as error:  # Ray raises a bare Exception when one of its parts is too slow
        ray.shutdown()
        _stop_worker_server()
        _kill(set(psutil.Process().children()) - before)  # shutdown does not end processes of an incomplete node
        raise MemeSnipeError(f"Ray does not start on this machine: {first_line(error).rstrip('.')}") from error


def _kill(processes: set[psutil.Process]) -> None:
    """Kill processes and their descendants, and wait until they have ended."""
    family = set(processes)
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            family |= set(process.children(recursive=True))
    for process in family:
        with suppress(psutil.NoSuchProcess):
            process.kill()
    psutil.wait_procs(family, timeout=_KILL_S)


_get_node: Any = services.get_node
_worker_servers: list[WorkerServer] = []  # at most one


def _wait_for_node(gcs_address: str, node_id: str) -> Any:
    """Return Ray's node, waiting for it while its raylet runs, for at most `START_S`.

    A raylet ends when its agents have not started within 15 s (https://github.com/ray-project/ray/issues/65983), which
    no setting changes. On a busy machine the next attempt may be faster, because the agents' files are then cached.

    Raises:
        MemeSnipeError: the raylet has ended.
        RuntimeError: the node has not started in time.
    """
    deadline = time.monotonic() + START_S
    while True:
        try:
            found = _get_node(gcs_address, node_id)
            for server in _worker_servers:  # now that the agents need the processor no more
                server.start()
            return found
        except RuntimeError:  # not yet
            if time.monotonic() > deadline:
                raise
            if not _has_raylet():
                raise MemeSnipeError("its raylet has ended: the machine may be too busy for its agents") from None
        time.sleep(_POLL_S)


def _has_raylet() -> bool:
    children = psutil.Process().children()
    return any(child.name() == "raylet" and child.status() != psutil.STATUS_ZOMBIE for child in children)


@contextmanager
def essential_processes() -> Iterator[None]:
    """Start a local Ray without its optional processes, which together take half of the time of its start.

    The dashboard is started later (`start_dashboard`). The monitor starts nodes, and a local cluster has one node. The
    log monitor sends logs to the driver, which does not print them.
    """
    names = ("start_api_server", "start_monitor", "start_log_monitor")
    before = {name: getattr(Node, name) for name in names}
    for name in names:
        setattr(Node, name, lambda *_, **__: None)
    try:
        yield
    finally:
        for name, method in before.items():
            setattr(Node, name, method)


@contextmanager
def forked_workers(server: WorkerServer) -> Iterator[None]:
    """Let the server fork the workers of a Ray that is started in this context."""
    os.environ.update(server.environment)
    name = "start_raylet"
    start_raylet: Any = getattr(Node, name)

    def start(node: Any, *args: Any, **options: Any) -> Any:
        node._ray_params.worker_path = forked_worker.__file__
        return start_raylet(node, *args, **options)

    setattr(Node, name, start)
    try:
        yield
    finally:
        setattr(Node, name, start_raylet)


def _forked_workers_in(folder: Path) -> AbstractContextManager[None]:
    """Let workers be forked where that is safe: libraries of macOS do not work after a fork."""
    if sys.platform != "linux":
        return nullcontext()
    _worker_servers.append(WorkerServer(folder.parent / "workers"))
    return forked_workers(_worker_servers[-1])


def _stop_worker_server() -> None:
    while _worker_servers:
        _worker_servers.pop().stop()


def start_dashboard() -> str:
    """Start the dashboard of the local cluster that this process has started; return its URL. Main thread only.

    Raises:
        MemeSnipeError: it does not start.
    """
    node: Any = ray._private.worker._global_node
    try:
        with _local_ray(Path(node.get_session_dir_path()).parent):
            node.start_api_server(include_dashboard=True, raise_on_failure=True)
    except Exception as error:  # a bare Exception is what Ray raises
        raise MemeSnipeError(f"Ray's dashboard does not start: {first_line(error)}") from error
    return f"http://{node.webui_url}"


def _keep_token_private() -> None:
    """Restrict the token of Ray's clusters to its owner: anyone with the token can run code on them."""
    token = Path.home() / ".ray" / "auth_token"
    if token.is_file() and token.stat().st_uid == os.getuid():
        token.chmod(0o600)


def disconnect_ray() -> None:
    """Disconnect from the cluster; a local one ends, and its session folder is removed."""
    node: Any = ray._private.worker._global_node
    session = Path(node.get_session_dir_path()) if node is not None and node.head else None
    ray.shutdown()
    _stop_worker_server()
    if session is not None:
        remove_session(session)
