"""The position actor: `memesnipe.roles.position` on Ray."""

from typing import TYPE_CHECKING

import ray

from actors.host import ACTOR_OPTIONS, Host

if TYPE_CHECKING:  # the role is loaded in the actor's process alone
    from actors.host import Role
    from memesnipe.roles.context import Context
    from memesnipe.telemetry.metrics import ActorMetrics


@ray.remote(**ACTOR_OPTIONS)
class Position(Host):
    """Book the fills, mark the portfolio and run the circuit breaker."""

    name = "position"

    def make_role(self, context: "Context", metrics: "ActorMetrics") -> "Role":
        """Return the role."""
        from memesnipe.roles.position import PositionRole  # noqa: PLC0415

        return PositionRole(context, metrics)
