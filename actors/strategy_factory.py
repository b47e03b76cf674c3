"""The strategy factory actor: `memesnipe.roles.strategy_factory` on Ray, with its backtests as Ray tasks."""

from typing import TYPE_CHECKING

import ray

from actors.host import ACTOR_OPTIONS, Host

if TYPE_CHECKING:  # the role is loaded in the actor's process alone
    from actors.host import Role
    from memesnipe.engine.genome import Genome
    from memesnipe.evolution.evaluation import Evaluation
    from memesnipe.evolution.samples import Sample
    from memesnipe.roles.context import Context
    from memesnipe.telemetry.metrics import ActorMetrics


@ray.remote(**ACTOR_OPTIONS)
class StrategyFactory(Host):
    """Breed strategies on the latest hours of the market."""

    name = "strategy_factory"

    def make_role(self, context: "Context", metrics: "ActorMetrics") -> "Role":
        """Return the role, which evaluates its generations on the cluster."""
        from actors.backtest import Backtests, Conditions  # noqa: PLC0415
        from actors.stored_window import StoredWindow  # noqa: PLC0415
        from memesnipe.roles.strategy_factory import StrategyFactory as FactoryRole  # noqa: PLC0415

        settings, activity = context.settings, context.activity
        conditions = Conditions(
            context.fill_model, settings.simulation.shadow_capital_usd, settings.simulation.strategy_folders
        )
        backtests, stored = Backtests(conditions), StoredWindow()

        def evaluate(generation: int, sample: "Sample", genomes: "list[Genome]") -> "list[Evaluation]":
            with activity.breeding():
                train, validation = stored.segments(sample)
                title = f"generation {generation}"
                before = (backtests.genes, backtests.genes_kept)
                done = backtests.evaluate(train, validation, genomes, activity.record_backtests, title)
                metrics.add("genes", backtests.genes - before[0])
                metrics.add("genes_kept", backtests.genes_kept - before[1])
                return done

        return FactoryRole(context, metrics, evaluate)
