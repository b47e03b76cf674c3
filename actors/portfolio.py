"""The portfolio actor: `memesnipe.roles.portfolio` on Ray."""

from typing import TYPE_CHECKING

import ray

from actors.host import ACTOR_OPTIONS, Host

if TYPE_CHECKING:  # the role is loaded in the actor's process alone
    from actors.host import Role
    from memesnipe.roles.context import Context
    from memesnipe.telemetry.metrics import ActorMetrics


@ray.remote(**ACTOR_OPTIONS)
class Portfolio(Host):
    """Decide which strategies trade, and with how much."""

    name = "portfolio"

    def make_role(self, context: "Context", metrics: "ActorMetrics") -> "Role":
        """Return the role."""
        from memesnipe.roles.portfolio import PortfolioRole  # noqa: PLC0415

        return PortfolioRole(context, metrics)
