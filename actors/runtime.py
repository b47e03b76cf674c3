"""Ray, applied once: hosts the actors, and brings back those that die."""

import os
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import ray
from msgspec.structs import replace

from actors.backtest import Backtests, Conditions, evaluate_window
from memesnipe.engine.genome import Genome
from memesnipe.errors import first_line
from memesnipe.evolution.evaluation import Evaluation
from memesnipe.feeds.choice import make_feed
from memesnipe.market.events import Events
from memesnipe.protocol.heartbeat import Heartbeat
from memesnipe.roles.activity import RECOVERING, WAITING, ActivityTracker, activity_file
from memesnipe.roles.context import Context
from memesnipe.roles.executor import Executor
from memesnipe.roles.market_data import MarketData
from memesnipe.roles.portfolio import PortfolioRole
from memesnipe.roles.position import PositionRole
from memesnipe.roles.strategy_factory import Evaluate, StrategyFactory
from memesnipe.telemetry.logs import Logger, open_log, without_secrets
from memesnipe.telemetry.metrics import ActorMetrics

Shell = MarketData | Executor | PositionRole | PortfolioRole | StrategyFactory

SHELLS: dict[str, Callable[[Context, ActorMetrics], Shell]] = {
    "market_data": lambda context, metrics: MarketData(
        context, metrics, make_feed(context.choice, context.feed_checkpoints)
    ),
    "executor": Executor,
    "position": PositionRole,
    "portfolio": PortfolioRole,
    "strategy_factory": lambda context, metrics: StrategyFactory(context, metrics, _breeder(context)),
}


def _breeder(context: Context) -> Evaluate:
    settings = context.settings
    backtests = Backtests(
        Conditions(context.fill_model, settings.simulation.shadow_capital_usd, settings.simulation.strategy_folders)
    )

    def evaluate(window: Events, genomes: list[Genome]) -> list[Evaluation]:
        with context.activity.breeding():
            return evaluate_window(backtests, window, genomes, context.activity.bred)

    return evaluate


SERVICE = "service"  # the resource that such nodes offer, see cluster.yaml

_BEAT_S = 1.0
_MAX_BACKOFF_S = 5.0
_FORGIVEN_AFTER_S = 30.0
_STOP_S = 15.0


class ActorHost:
    """Runs one actor's loop. Whatever goes wrong, the answer is the same: back off, open again, go on."""

    def __init__(self, name: str, home: str, run_id: int, metrics_port: int) -> None:
        # Nothing that can fail: an actor whose restart fails here would be gone for good.
        self._name, self._home, self._run_id, self._metrics_port = name, Path(home), run_id, metrics_port
        self._stop = threading.Event()
        self._loop = threading.Lock()
        self._activity = ActivityTracker()
        self._heartbeat = Heartbeat(state="starting", pid=os.getpid())

    def run(self) -> str:
        """Run until `stop` is called; gives the actor's name."""
        # Who lost sight of a loop that is still running calls again: two of them would take each other's lease.
        if not self._loop.acquire(timeout=_STOP_S):
            return self._name
        try:
            return self._run()
        finally:
            self._loop.release()

    def _run(self) -> str:
        metrics = ActorMetrics(self._name)
        self._set(metrics_port=metrics.serve(self._metrics_port))
        self._activity.open(activity_file(self._home, self._run_id, self._name))
        threading.Thread(target=self._beat, daemon=True).start()
        failures = 0
        while not self._stop.is_set():
            began = time.monotonic()
            try:
                self._run_once(metrics)
            except Exception as error:  # noqa: BLE001 - every failure is met by recovering from the journal
                failures = 1 if time.monotonic() - began > _FORGIVEN_AFTER_S else failures + 1
                metrics.add_failure()
                reason = without_secrets(first_line(error))
                self._set(state="recovering", detail=reason)
                self._report(error)
                self._stop.wait(min(0.1 * 2**failures, _MAX_BACKOFF_S))
        self._set(state="finished", detail="")
        return self._name

    def _set(self, **changes: Any) -> None:
        """Replace fields of the heartbeat; the thread that writes it sees all of them or none."""
        self._heartbeat = replace(self._heartbeat, **changes)

    def _run_once(self, metrics: ActorMetrics) -> None:
        self._activity.begin(RECOVERING)
        context = Context(self._home, self._run_id, self._activity)
        shell = SHELLS[self._name](context, metrics)
        try:
            shell.open()
            while not self._stop.is_set():
                self._activity.begin(WAITING)
                self._set(state="running", detail="", seq=shell.seq)
                shell.step()
        finally:
            self._activity.begin(RECOVERING)  # the step is over, however it ended
            shell.close()

    def _report(self, error: Exception) -> None:
        open_log(self._home / "logs", self._name, "INFO").error("recovering", exc_info=error)

    def _beat(self) -> None:
        """Say every second how the actor is, while Redis is there to be told."""
        log = open_log(self._home / "logs", f"{self._name}_heartbeat", "INFO")
        while not self._stop.is_set():
            context = Context(self._home, self._run_id)
            try:
                while not self._stop.wait(_BEAT_S):
                    heartbeat = self._heartbeat
                    if heartbeat.state == "running" and (slow := self._activity.slow_state()):
                        heartbeat = replace(heartbeat, state=slow.state, detail=slow.detail)
                    context.bus.beat(self._name, heartbeat)
            except Exception as error:  # noqa: BLE001 - a missing heartbeat is itself the message
                log.warning("no heartbeat", error=first_line(error))
            finally:
                context.close()

    def stop(self) -> None:
        """Let the current step end, then stop."""
        self._stop.set()


# One thread runs the loop, the others answer while it does. An effect is never retried by Ray: the journal knows.
_HOST_OPTIONS: dict[str, Any] = {"num_cpus": 0, "max_restarts": -1, "max_task_retries": 0, "max_concurrency": 4}
_RemoteHost: Any = ray.remote(ActorHost)


class Supervisor:
    """Starts the actors, and runs again those that come back after their process died."""

    def __init__(self, home: Path, run_id: int, metrics_ports: dict[str, int], log: Logger) -> None:
        self._home, self._run_id, self._ports, self._log = home, run_id, metrics_ports, log
        self.hosts: dict[str, Any] = {}
        self._runs: dict[Any, str] = {}  # the running call of each actor

    def start(self) -> None:
        """Start every actor."""
        for name in SHELLS:
            self._create(name)

    def _create(self, name: str) -> None:
        options = {**_HOST_OPTIONS, "name": f"{name}-{self._run_id}"}
        if SERVICE in ray.cluster_resources():  # type: ignore[no-untyped-call]
            options["resources"] = {SERVICE: 1}  # a cluster that keeps nodes for services, away from backtests
        self.hosts[name] = _RemoteHost.options(**options).remote(
            name, str(self._home), self._run_id, self._ports.get(name, 0)
        )
        self._run(name)

    def _run(self, name: str) -> None:
        self._runs[self.hosts[name].run.remote()] = name

    def watch(self, timeout_s: float) -> None:
        """Look after the actors for a while."""
        ended, _ = ray.wait(list(self._runs), num_returns=1, timeout=timeout_s)
        for run in ended:
            name = self._runs.pop(run)
            try:
                ray.get(run)
            except ray.exceptions.ActorUnavailableError as error:
                self._log.warning("actor is being restarted", name=name, error=first_line(error))
                self._run(name)
            except ray.exceptions.ActorDiedError as error:
                self._log.error("actor is gone; starting another", name=name, error=first_line(error))
                self._create(name)
            else:
                self._run(name)

    def stop(self) -> None:
        """Let every actor end its step, then stop it; those that do not are killed."""
        for host in self.hosts.values():
            host.stop.remote()
        _, hanging = ray.wait(list(self._runs), num_returns=len(self._runs), timeout=_STOP_S)
        for run in hanging:
            self._log.warning("actor did not stop in time", name=self._runs[run])
        for host in self.hosts.values():
            ray.kill(host)
