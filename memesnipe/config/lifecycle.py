"""Settings of the lifecycle: the gates of paper mode and of live mode, and demotion."""

from memesnipe.config.group import Group, setting
from memesnipe.config.types import Bps, Count, CountOrNone, Observation, Ratio, Sharpe


class LifecycleSettings(Group):
    """Gates of paper mode and of live mode, and demotion."""

    min_sharpe_for_promotion: Sharpe = setting(
        0.5, "annualised Sharpe ratio in the live simulation, required for paper mode", decides=True
    )
    min_trades_for_promotion: Count = setting(
        3, "round trips in the live simulation, required for paper mode", decides=True
    )
    min_observation_secs: Observation = setting(
        300, "event time in the live simulation, required for paper mode", decides=True
    )
    max_drawdown_for_promotion: Ratio = setting(0.3, "maximum drawdown for paper mode", decides=True)
    min_deflated_sharpe_for_paper: Ratio = setting(
        0.0, "probability of skill, with every evaluation counted, required for paper mode", decides=True
    )
    min_sharpe_to_stay: Sharpe = setting(
        0.0, "annualised Sharpe ratio below which a strategy is demoted, from paper and from live mode", decides=True
    )
    drift_fills: Count = setting(10, "compared fills before a strategy can be demoted for their error", decides=True)
    max_parity_error_bps: Bps = setting(
        1_000, "a strategy is demoted if its fills differ more than this from the simulated ones", decides=True
    )
    min_sharpe_for_live: Sharpe = setting(1.0, "annualised Sharpe ratio required for live mode", decides=True)
    min_trades_for_live: Count = setting(50, "round trips required for live mode", decides=True)
    min_observation_secs_for_live: Observation = setting(
        86_400, "event time in paper mode, required for live mode", decides=True
    )
    min_deflated_sharpe_for_live: Ratio = setting(
        0.95, "probability of skill, with every evaluation counted, required for live mode", decides=True
    )
    max_drawdown_for_live: Ratio = setting(0.15, "maximum drawdown for live mode", decides=True)
    min_compared_fills_for_live: CountOrNone = setting(
        20, "paper fills compared with simulated ones, required for live mode", decides=True
    )
    max_parity_error_bps_for_live: Bps = setting(
        500, "maximum difference of paper fills from simulated ones for live mode", decides=True
    )
