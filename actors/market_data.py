"""The market data actor: `memesnipe.roles.market_data` on Ray."""

from typing import TYPE_CHECKING

import ray

from actors.host import ACTOR_OPTIONS, Host

if TYPE_CHECKING:  # the role is loaded in the actor's process alone
    from actors.host import Role
    from memesnipe.roles.context import Context
    from memesnipe.telemetry.metrics import ActorMetrics


@ray.remote(**ACTOR_OPTIONS)
class MarketData(Host):
    """Number, store and publish the events of the feed."""

    name = "market_data"

    def make_role(self, context: "Context", metrics: "ActorMetrics") -> "Role":
        """Return the role, with the feed of the run."""
        from memesnipe.feeds.choice import make_feed  # noqa: PLC0415
        from memesnipe.garbage import collect_in_small_steps  # noqa: PLC0415
        from memesnipe.roles.feed_endpoints import endpoints_of  # noqa: PLC0415
        from memesnipe.roles.market_data import MarketData as MarketDataRole  # noqa: PLC0415

        feed = make_feed(context.choice, context.feed_checkpoints, endpoints_of(context.settings))
        role = MarketDataRole(context, metrics, feed)
        collect_in_small_steps()  # every event waits for this process
        return role

    def measure(self, metrics: "ActorMetrics") -> None:
        """Record the length of the streams and the lag of their readers."""
        from memesnipe.roles.context import Context  # noqa: PLC0415
        from memesnipe.roles.stream_monitor import watch_streams  # noqa: PLC0415

        watch_streams(Context(self._home, self._run_id), metrics, self._stop)
