"""The supervisor: the Ray actor that starts the five actors and replaces those that have died.

Ray restarts the supervisor itself; it then finds the actors again by their names, and they continue meanwhile. Where
the cluster is shared and no `--detach` was given, the actors are owned by the supervisor and end with it instead.
"""

import os
import queue
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Any, Final, NamedTuple

import msgspec
import ray
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

import memesnipe
from actors.arena import Arena
from actors.executor import Executor
from actors.host import ACTOR_OPTIONS, STOP_S
from actors.market_data import MarketData
from actors.portfolio import Portfolio
from actors.position import Position
from actors.strategy_factory import StrategyFactory
from memesnipe.config.home import Home
from memesnipe.errors import first_line
from memesnipe.protocol.heartbeat import ARENAS
from memesnipe.telemetry.logs import Logger, open_log

ACTORS: Final[dict[str, Any]] = {
    "market_data": MarketData,
    "executor": Executor,
    "position": Position,
    "portfolio": Portfolio,
    "strategy_factory": StrategyFactory,
}
Listen = tuple[int, str]  # port and address
SERVICE: Final = "service"  # resource of the nodes for services, see cluster.yaml
ARENA: Final = "arena"  # resource of the nodes for arenas with processes of their own

_SHARE: Final = 0.001  # of the resource that an arena takes: nodes are for arenas, however many these are
_WATCH_S: Final = 0.25
_PAUSE_S: Final = 0.2  # before an actor is created again: the name of a dead one becomes free a moment later
_OWNER_S: Final = 10.0  # without a ping of `memesnipe up`, after which it counts as gone
NAME: Final = "supervisor"  # in Ray, and of its log
NAMESPACE: Final = "memesnipe-{}"  # of the names in Ray of the system of an installation


class Checkpoint(msgspec.Struct, frozen=True, kw_only=True):
    """The actors that a supervisor has started, stored in the file `Home.checkpoint`."""

    session: str  # of the `memesnipe up` to which it belongs
    run_id: int
    actors: tuple[str, ...]  # names in Ray


class Response(NamedTuple):
    """The response to a ping."""

    has_ended: bool  # from elsewhere
    notices: list[str]  # sentences about actors since the last ping


class SystemState(NamedTuple):
    """A system on a cluster, as its supervisor describes it."""

    version: str  # of MemeSnipe
    home: str  # folder of the installation
    node: str  # address of the node of the supervisor
    run_id: int
    has_owner: bool  # whether its `memesnipe up` runs
    parts: dict[str, dict[str, str]]  # state and detail of each actor
    problem: str  # why the states are not known; "" if they are


@ray.remote(**ACTOR_OPTIONS)
class Supervisor:
    """Start the actors of a run, call `run` on them again after Ray has restarted them, and create dead ones again.

    Args:
        home: folder of the installation.
        session: of the `memesnipe up` that it belongs to.
        run_id: number of the run.
        metrics: port and address of the Prometheus metrics, by actor.
        keep_actors: whether the actors outlive this process; Ray restarts it in less than a second.
        arenas: how many arenas of the run have processes of their own.
    """

    def __init__(
        self, home: str, session: str, run_id: int, metrics: dict[str, Listen], keep_actors: bool, arenas: int = 0
    ) -> None:
        # Nothing here can fail: Ray does not restart an actor again after its constructor has failed in a restart.
        self._home, self._session, self._run_id = Path(home), session, run_id
        self._metrics, self._keep_actors = metrics, keep_actors
        self._roles = (*ACTORS, *ARENAS[:arenas])
        self._hosts: dict[str, Any] = {}
        self._runs: dict[Any, str] = {}  # the call of `run` of each actor
        self._stop, self._stopped, self._ended = threading.Event(), threading.Event(), threading.Event()
        self._returns: dict[Any, tuple[str, float]] = {}  # of each replaced actor the call that ends once it works
        self._notices: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._pinged_at = time.monotonic()
        threading.Thread(target=self._supervise, daemon=True).start()

    def ping(self) -> Response:
        """Return whether the system was ended, and what has happened; called by its `memesnipe up` all the time."""
        self._pinged_at = time.monotonic()
        return Response(self._ended.is_set(), [self._notices.get() for _ in range(self._notices.qsize())])

    def describe(self) -> SystemState:
        """Return the state of the system that it supervises."""
        from memesnipe.roles.heartbeats import read_heartbeats  # noqa: PLC0415 - for this call alone

        try:
            beats, problem = read_heartbeats(self._home, self._roles), ""
        except Exception as error:  # noqa: BLE001 - the rest is known without Redis
            beats, problem = {}, first_line(error)
        node: Any = ray.util.get_node_ip_address()  # type: ignore[no-untyped-call]
        return SystemState(
            memesnipe.__version__, str(self._home), node, self._run_id, self._has_owner(), beats, problem
        )

    def _has_owner(self) -> bool:
        return time.monotonic() - self._pinged_at < _OWNER_S

    def end(self) -> bool:
        """Stop every actor, for `memesnipe down --address`; return whether a `memesnipe up` does the rest."""
        self._ended.set()
        has_owner = self._has_owner()
        self.stop()
        return has_owner

    def stop(self) -> None:
        """Stop every actor after its current step, and kill those that take longer than 15 s."""
        self._stop.set()
        self._stopped.wait(2 * STOP_S)

    def _supervise(self) -> None:
        log = open_log(Home(self._home).logs, NAME, "INFO")
        try:
            self._begin(log)
            while not self._stop.is_set():
                self._watch(log)
            self._stop_actors(log)
            self._stopped.set()
        except BaseException as error:
            log.error("supervisor restarts", exc_info=error)
            time.sleep(1.0)
            os._exit(1)

    def _begin(self, log: Logger) -> None:
        """Start the actors, or find them again after a restart; end those of an earlier `memesnipe up`."""
        before = read_checkpoint(self._home)
        is_restart = before is not None and before.session == self._session
        for name in before.actors if before is not None and not is_restart else ():
            kill(name)
        names = tuple(map(self._ray_name, self._roles))
        _write_checkpoint(self._home, Checkpoint(session=self._session, run_id=self._run_id, actors=names))
        for role in self._roles:
            self._create(role)
        log.info("supervising", run=self._run_id, restarted=is_restart)

    def _ray_name(self, role: str) -> str:
        return f"{role}-{self._run_id}"

    def _create(self, role: str) -> None:
        options: dict[str, Any] = {"name": self._ray_name(role), "get_if_exists": True, **_place_of(role)}
        if self._keep_actors:
            options["lifetime"] = "detached"
        arena: Any = Arena
        actor, index = (arena, (ARENAS.index(role),)) if role in ARENAS else (ACTORS[role], ())
        given = (str(self._home), self._run_id, *index, *self._metrics.get(role, ()))
        self._hosts[role] = actor.options(**options).remote(*given)
        self._run(role)

    def _run(self, role: str) -> None:
        self._runs[self._hosts[role].run.remote()] = role

    def _watch(self, log: Logger) -> None:
        """Wait briefly for a call of `run` to end, and call it again."""
        ended, _ = ray.wait([*self._runs, *self._returns], num_returns=1, timeout=_WATCH_S)
        for run in ended:
            if run in self._returns:
                self._note_return(run)
                continue
            role = self._runs.pop(run)
            try:
                ray.get(run)
            # The node of an actor that must be on one node may be lost; the next supervisor is on another.
            except (ray.exceptions.ActorDiedError, ray.exceptions.ActorUnschedulableError) as error:
                log.error("actor died; it is created again", name=role, error=first_line(error))
                self._stop.wait(_PAUSE_S)
                self._create(role)
                self._note_end(role)
                continue
            except ray.exceptions.RayError as error:
                log.warning("actor is being restarted", name=role, error=first_line(error))
                self._note_end(role)
            self._run(role)

    def _note_end(self, role: str) -> None:
        self._notices.put(f"The actor {role} has ended, and is being replaced ...")
        self._returns[self._hosts[role].wait_until_open.remote()] = (role, time.monotonic())

    def _note_return(self, call: Any) -> None:
        role, since = self._returns.pop(call)
        with suppress(ray.exceptions.RayError):  # it has died again, which has its own notice
            ray.get(call)
            self._notices.put(f"The actor {role} works again after {time.monotonic() - since:.1f} s.")

    def _stop_actors(self, log: Logger) -> None:
        for host in self._hosts.values():
            host.stop.remote()
        _, hanging = ray.wait(list(self._runs), num_returns=len(self._runs), timeout=STOP_S)
        for run in hanging:
            log.warning("actor did not stop in time", name=self._runs[run])
        for host in self._hosts.values():
            ray.kill(host)


def _place_of(role: str) -> dict[str, Any]:
    """Return the options that place an actor.

    All are on the supervisor's node, because the event log is a file that market_data writes and others read; arenas
    are spread over the nodes with the resource `arena`, if the cluster has it.
    """
    if role in ARENAS and (place := placement(ARENA)):
        return {"resources": dict.fromkeys(place["resources"], _SHARE), "scheduling_strategy": "SPREAD"}
    # Ray places an actor without resources anywhere unless its node is required (soft=False).
    node_id = ray.get_runtime_context().get_node_id()
    return {**placement(), "scheduling_strategy": NodeAffinitySchedulingStrategy(node_id, soft=False)}


def placement(*resources: str) -> dict[str, Any]:
    """Return the options that put an actor on the nodes with the first of the resources that the cluster has.

    By default these are the nodes for services, away from backtests. Without such nodes the options are empty.
    """
    known = ray.cluster_resources()  # type: ignore[no-untyped-call]
    return next(({"resources": {resource: 1}} for resource in resources or (SERVICE,) if resource in known), {})


def kill(name: str) -> None:
    """Kill an actor of this namespace for good, if there is one of that name."""
    with suppress(ValueError):
        ray.kill(ray.get_actor(name))


def read_checkpoint(home: Path) -> Checkpoint | None:
    """Return what the supervisor of an installation has started; None if that is not known."""
    try:
        return msgspec.json.decode(Home(home).checkpoint.read_bytes(), type=Checkpoint)
    except (OSError, msgspec.MsgspecError):
        return None


def _write_checkpoint(home: Path, checkpoint: Checkpoint) -> None:
    path = Home(home).checkpoint
    part = path.with_suffix(".part")
    part.write_bytes(msgspec.json.encode(checkpoint))
    part.replace(path)
