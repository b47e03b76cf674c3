"""The process of one role: opens the role, lets it step, and opens it again after an error, as an actor does."""

from collections.abc import Callable
from typing import Any, Final

import redis
from sqlalchemy.exc import OperationalError

from memesnipe.bus.merge import ForeignEntryError, StreamGapError
from memesnipe.protocol.heartbeat import ARENAS
from memesnipe.roles.arena import ArenaRole
from memesnipe.roles.executor import Executor
from memesnipe.roles.market_data import MarketData
from memesnipe.roles.portfolio import PortfolioRole
from memesnipe.roles.position import PositionRole
from memesnipe.roles.sharded_executor import ShardedExecutor
from memesnipe.roles.strategy_factory import StrategyFactory
from memesnipe.storage.lease import Epochs, LeaseLostError
from memesnipe.testing.simulator.machine import Machine, SimulatedContext, evaluate_sample, metrics
from memesnipe.testing.simulator.scheduler import Process, Scheduler

Role = MarketData | Executor | ShardedExecutor | ArenaRole | PositionRole | PortfolioRole | StrategyFactory
ROLES: Final[dict[str, type[Any]]] = {
    role.name: role for role in (MarketData, Executor, StrategyFactory, PositionRole, PortfolioRole)
}
# An actor recovers from each of these; any other error is a defect.
EXPECTED: Final = (redis.ConnectionError, ForeignEntryError, StreamGapError, LeaseLostError, OperationalError, OSError)
_MAX_BACKOFF_S: Final = 1.0


class RoleProcess(Process):
    """A process that runs a role until it is killed.

    Attributes:
        role: the open role; None while it is opened.
        errors: from which the role has recovered.
    """

    def __init__(self, name: str, scheduler: Scheduler, machine: Machine, after_step: Callable[[Role], None]) -> None:
        super().__init__(name, scheduler)
        self.role: Role | None = None
        self.errors: list[Exception] = []
        self._machine, self._after_step = machine, after_step

    def work(self) -> None:
        """Run the role."""
        epochs: Epochs = {}
        failures = 0
        while True:
            context = SimulatedContext(self._machine, self, epochs)
            role: Role | None = None
            try:
                role = self._made(context)
                role.open()
                self.role = role
                while True:
                    role.step()
                    self._after_step(role)
                    failures = 0
            except EXPECTED as error:
                self.errors.append(error)
                failures += 1
            finally:
                self.role = None
                (role or context).close()  # of a killed process the operating system closes the files
            self.sleep(min(0.1 * 2**failures, _MAX_BACKOFF_S))

    def _made(self, context: SimulatedContext) -> Role:
        if self.name in ARENAS:
            return ArenaRole(context, metrics(Executor.name), ARENAS.index(self.name))
        arguments: list[Any] = []
        if self.name == MarketData.name:
            arguments = [self._machine.feed(self)]
        elif self.name == StrategyFactory.name:
            arguments = [lambda _, sample, genomes: evaluate_sample(sample, genomes)]
        kind = ShardedExecutor if context.arenas and self.name == Executor.name else ROLES[self.name]
        made: Role = kind(context, metrics(self.name), *arguments)
        return made
