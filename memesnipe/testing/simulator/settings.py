"""The settings of simulated runs: strategies trade within seconds of event time, and positions are closed early."""

from functools import cache
from typing import Any, Final

from memesnipe.config.settings import Settings, settings_from

# Gates so lenient that strategies soon trade on paper; limits so tight that positions are closed and orders refused.
LENIENT: Final[dict[str, Any]] = {
    "min_deflated_sharpe_for_arena": 0,
    "min_observation_secs": 0,
    "min_trades_for_promotion": 1,
    "min_sharpe_for_promotion": -1000,
    "max_drawdown_for_promotion": 1,
    "min_expected_return": -1000,
    "min_sharpe_to_stay": -500,
    "demotion_evidence": 1e9,
    "probation_capital_usd": 300,
    "max_probation_strategies": 100,
    "portfolio_stop_loss_percent": 2,
    "trailing_stop_loss_percent": 2,
    "max_token_exposure_usd": 400,
}
_VALUES: Final = {
    **LENIENT,
    "population_size": 32,
    "first_population_size": 32,
    "specs_per_generation": 8,
    "arena_size": 12,
    "rebalance_interval_secs": 75,
    "generation_interval_secs": 100,
    "training_hours": 0.05,
}


@cache
def simulated_settings() -> Settings:
    """Return the settings, which name no server and no folder."""
    return settings_from(_VALUES, env_file=None)
