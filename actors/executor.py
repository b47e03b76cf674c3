"""The executor actor: `memesnipe.roles.executor` on Ray."""

from functools import partial
from typing import TYPE_CHECKING

import ray

from actors.host import ACTOR_OPTIONS, Host

if TYPE_CHECKING:  # the role is loaded in the actor's process alone
    from actors.host import Role
    from memesnipe.roles.context import Context
    from memesnipe.telemetry.metrics import ActorMetrics


@ray.remote(**ACTOR_OPTIONS)
class Executor(Host):
    """Simulate every strategy on the events, and execute the orders of those with an allocation."""

    name = "executor"

    def make_role(self, context: "Context", metrics: "ActorMetrics") -> "Role":
        """Return the role, with the venue of a live account."""
        from memesnipe.protocol.account import Account  # noqa: PLC0415
        from memesnipe.roles.executor import Executor as ExecutorRole  # noqa: PLC0415
        from memesnipe.roles.sharded_executor import ShardedExecutor  # noqa: PLC0415

        kind = ShardedExecutor if context.arenas else ExecutorRole
        if Account.LIVE not in context.capital:
            return kind(context, metrics)
        from memesnipe.roles.live_venue import open_live_venue  # noqa: PLC0415 - paper runs need none of it
        from memesnipe.roles.role_metrics import record_landing  # noqa: PLC0415

        venue = partial(open_live_venue, context, on_outcome=partial(record_landing, metrics))
        return kind(context, metrics, venue)
