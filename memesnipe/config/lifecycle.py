"""Settings of the lifecycle: the gates of paper mode and of live mode, and demotion."""

from memesnipe.config.group import Group, setting
from memesnipe.config.types import Bps, Count, CountOrNone, Evidence, Observation, Probability, Ratio, Return, Sharpe


class LifecycleSettings(Group):
    """Gates of paper mode and of live mode, and demotion."""

    min_sharpe_for_promotion: Sharpe = setting(
        0.5, "minimum simulated Sharpe ratio (annualised) for paper mode", decides=True
    )
    min_trades_for_promotion: Count = setting(3, "minimum simulated round trips for paper mode", decides=True)
    min_observation_secs: Observation = setting(300, "minimum simulated event time for paper mode", decides=True)
    max_drawdown_for_promotion: Ratio = setting(0.3, "maximum drawdown for paper mode", decides=True)
    min_deflated_sharpe_for_paper: Ratio = setting(
        0.0, "minimum deflated Sharpe ratio (all evaluations counted) for paper mode", decides=True
    )
    paper_alpha: Probability = setting(
        0.05, "bound of the share of false discoveries among strategies beyond probation", decides=True
    )
    live_alpha: Probability = setting(
        0.01, "bound of the share of false discoveries among strategies in live mode", decides=True
    )
    min_expected_return: Return = setting(
        0.0, "minimum expected return of a round trip (ratio of its stake) for probation", decides=True
    )
    demotion_evidence: Evidence = setting(
        20, "evidence that a strategy has lost half of its expected profit, for its demotion", decides=True
    )
    min_sharpe_to_stay: Sharpe = setting(
        0.0, "minimum Sharpe ratio (annualised) to stay in paper or live mode", decides=True
    )
    drift_fills: Count = setting(10, "compared fills before a demotion for their error", decides=True)
    max_parity_error_bps: Bps = setting(
        1_000, "maximum difference of fills from simulated ones; more is a demotion", decides=True
    )
    min_sharpe_for_live: Sharpe = setting(1.0, "minimum Sharpe ratio (annualised) for live mode", decides=True)
    min_trades_for_live: Count = setting(50, "minimum round trips for live mode", decides=True)
    min_observation_secs_for_live: Observation = setting(
        86_400, "minimum event time on paper for live mode", decides=True
    )
    min_deflated_sharpe_for_live: Ratio = setting(
        0.95, "minimum deflated Sharpe ratio (all evaluations counted) for live mode", decides=True
    )
    max_drawdown_for_live: Ratio = setting(0.15, "maximum drawdown for live mode", decides=True)
    min_compared_fills_for_live: CountOrNone = setting(
        20, "minimum paper fills compared with simulated ones for live mode", decides=True
    )
    max_parity_error_bps_for_live: Bps = setting(500, "maximum difference of these fills for live mode", decides=True)
