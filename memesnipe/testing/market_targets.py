"""Measured figures of the memecoin market, with the tolerance that the synthetic market is held to."""

from typing import Final, NamedTuple

from memesnipe.testing.market_figures import Figures

TAPE: Final = "2,501 recorded curve trades of 5 tokens, 2025-09"
LAUNCHES: Final = "66,288 launches"
MARKET: Final = "76 s of the whole market"
TRACKED: Final = "75 tokens tracked for 100 minutes"
FIRST_300_S: Final = "18 graduates, first 300 s"
MONTH: Final = "286 graduates over 30 days"
WALLETS: Final = "round trips of 91 active wallets"


class Target(NamedTuple):
    """A measured figure; generated, it may be between ``low`` and ``high``."""

    key: str
    label: str
    measured: float
    low: float
    high: float
    source: str
    is_set: bool = False  # a parameter of the mechanism was chosen for it directly


def _factor(key: str, label: str, measured: float, factor: float, source: str, *, is_set: bool = False) -> Target:
    return Target(key, label, measured, measured / factor, measured * factor, source, is_set)


def _range(key: str, label: str, measured: float, low: float, high: float, source: str) -> Target:
    return Target(key, label, measured, low, high, source)


TARGETS: Final = (
    _factor("size_50", "size of a trade, SOL: median", 0.049, 2.0, TAPE, is_set=True),
    _factor("size_90", "p90", 0.99, 1.5, TAPE, is_set=True),
    _factor("size_99", "p99", 2.9, 1.5, TAPE, is_set=True),
    _factor("impact_50", "impact of a trade, % of log price: median", 0.19, 2.0, TAPE),
    _factor("impact_75", "p75", 1.3, 1.5, TAPE),
    _factor("impact_90", "p90", 4.4, 1.5, TAPE),
    _factor("impact_99", "p99", 13.0, 1.5, TAPE),
    _range("in_slot_50", "most trades of a token in a slot, median of tokens", 9.0, 5.0, 14.0, TAPE),
    _range("peak_s_50", "peak, s after the first trade: median", 96.0, 12.0, 180.0, TAPE),
    _factor("peak_sol_50", "virtual SOL at the peak: median", 49.9, 1.3, TAPE),
    _factor("tape_wallets_50", "wallets of 500 trades: median", 182.0, 1.6, TAPE),
    _factor("seen_trades_50", "trades of a launch when last seen: median", 9.0, 1.5, LAUNCHES),
    _factor("seen_trades_75", "p75", 17.0, 1.5, LAUNCHES),
    _factor("seen_trades_90", "p90", 34.0, 1.6, LAUNCHES),
    _factor("seen_trades_99", "p99", 123.0, 1.6, LAUNCHES),
    _range("seen_sol_50", "virtual SOL when last seen: median", 32.9, 31.5, 34.0, LAUNCHES),
    _factor("reach_60", "share of launches that reach 60 virtual SOL, %", 1.6, 2.0, LAUNCHES),
    _factor("reach_85", "85 virtual SOL, %", 0.26, 2.5, LAUNCHES),
    _range("reach_115", "that complete the curve, % (0.10 and 0.63 were counted)", 0.3, 0.1, 0.63, LAUNCHES),
    _range("ends_at_31", "at most 1 SOL raised after 100 minutes, %", 88.0, 80.0, 95.0, TRACKED),
    _factor("market_trades", "trades in 76 s", 1292.0, 2.0, MARKET),
    _factor("market_tokens", "tokens traded", 143.0, 1.5, MARKET),
    _factor("market_wallets", "wallets", 683.0, 1.6, MARKET),
    _range("market_median", "trades a token: median", 1.0, 1.0, 2.0, MARKET),
    _factor("market_p90", "p90", 14.0, 2.0, MARKET),
    _factor("market_max", "maximum", 268.0, 2.5, MARKET),
    _range("market_top10", "share of the ten most traded tokens, %", 65.0, 50.0, 80.0, MARKET),
    _factor("market_move_50", "move between a token's trades, %: median", 1.0, 2.0, MARKET),
    _factor("market_move_90", "p90", 5.1, 1.6, MARKET),
    _factor("grad_trades_50", "trades of a graduate: median", 558.0, 2.0, FIRST_300_S),
    _factor("grad_wallets_50", "wallets: median", 240.0, 1.6, FIRST_300_S),
    _factor("grad_move_50", "move between trades of 0.05 SOL or more, %: median", 3.6, 1.5, FIRST_300_S),
    _factor("grad_move_90", "p90", 11.0, 1.6, FIRST_300_S),
    _factor("grad_move_99", "p99", 67.0, 2.5, FIRST_300_S),
    _range("grad_lost_90", "lost more than 90 % of the first price, %", 28.0, 10.0, 50.0, FIRST_300_S),
    _range("grad_half", "ended below half of the peak, %", 72.0, 50.0, 90.0, FIRST_300_S),
    _factor("grad_left", "last price, % of the peak: median", 1.8, 1.6, MONTH),
    _range("grad_below_10", "below 10 % of the peak, %", 93.0, 85.0, 100.0, MONTH),
    _range("grad_below_1", "below 1 % of the peak, %", 31.0, 15.0, 45.0, MONTH),
    _range("grad_early", "peaked within 2 h of the launch, %", 86.0, 75.0, 100.0, MONTH),
    _factor("hold_s_25", "holding time, s: p25", 12.0, 1.6, WALLETS),
    _factor("hold_s_50", "median", 36.0, 1.6, WALLETS),
    _factor("hold_s_75", "p75", 265.0, 1.6, WALLETS),
)


def outside(figures: Figures) -> list[str]:
    """Return the keys of the figures outside their tolerance, or missing."""
    return [target.key for target in TARGETS if not target.low <= figures.get(target.key, float("nan")) <= target.high]
