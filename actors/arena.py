"""The arena actors: `memesnipe.roles.arena` on Ray, where the arenas have processes of their own."""

from typing import TYPE_CHECKING

import ray

from actors.host import ACTOR_OPTIONS, Host
from memesnipe.protocol.heartbeat import ARENAS

if TYPE_CHECKING:  # the role is loaded in the actor's process alone
    from actors.host import Role
    from memesnipe.roles.context import Context
    from memesnipe.telemetry.metrics import ActorMetrics


@ray.remote(**ACTOR_OPTIONS)
class Arena(Host):
    """Simulate a share of the strategies on the events.

    Args:
        home: and the arguments after ``index``: as for `Host`.
        run_id: number of the run.
        index: of the arena, from 0.
        metrics_port: as for `Host`.
        metrics_address: as for `Host`.
    """

    def __init__(
        self, home: str, run_id: int, index: int, metrics_port: int = 0, metrics_address: str = "127.0.0.1"
    ) -> None:
        super().__init__(home, run_id, metrics_port, metrics_address)
        self.name, self._index = ARENAS[index], index

    def make_role(self, context: "Context", metrics: "ActorMetrics") -> "Role":
        """Return the role."""
        from memesnipe.roles.arena import ArenaRole  # noqa: PLC0415

        return ArenaRole(context, metrics, self._index)
