"""The lifecycle of a strategy: simulating -> paper -> live and back. Each step has gates and a recorded reason."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from memesnipe.engine.strategy_evidence import StrategyEvidence
from memesnipe.engine.strategy_result import StrategyResult
from memesnipe.number_text import signed, significant
from memesnipe.trading.standing import Standing


class Mode(StrEnum):
    """What a strategy may do."""

    SIMULATING = "simulating"
    PAPER = "paper"
    LIVE = "live"
    RETIRED = "retired"


_SHOWN_RETURN: Final = 0.0001  # its digits do not show a smaller one
MAX_MISSED_Z: Final = 3.0  # standard deviations
UP: Final = {Mode.SIMULATING: Mode.PAPER, Mode.PAPER: Mode.LIVE}
DOWN: Final = {below: above for above, below in ((Mode.SIMULATING, Mode.PAPER), (Mode.PAPER, Mode.LIVE))}


@dataclass(frozen=True, slots=True)
class Gates:
    """The requirements for promotion to a mode, and for staying in it."""

    min_sharpe: float  # annualised
    min_trades: int  # round trips
    min_observed_s: float  # of event time, in the present mode
    max_drawdown: float  # ratio
    min_deflated_sharpe: float = 0.0  # probability of skill, with every evaluation counted
    min_compared_fills: int = 0  # fills compared with simulated ones
    max_parity_error_bps: float = float("inf")


@dataclass(frozen=True, slots=True)
class PromotionPolicy:
    """The gates of both promotions, and the rules of demotion."""

    paper: Gates
    live: Gates
    paper_alpha: float = 0.05  # bound of the share of false discoveries among strategies beyond probation
    live_alpha: float = 0.01  # among strategies in live mode
    min_expected_return: float = 0.0  # of a round trip, for probation
    demotion_evidence: float = 20.0  # evidence that half of the expected profit is gone
    min_sharpe_to_stay: float = 0.0  # annualised
    drift_fills: int = 10  # with fewer compared fills drift is not assessed


@dataclass(frozen=True, slots=True)
class Switches:
    """The conditions that must all hold before anything trades with real money."""

    live_trading_enabled: bool = False
    paper_trading_off: bool = False
    wallet: bool = False
    live_run: bool = False  # begun with `--mode live`, which requires that the signer signs

    def missing(self) -> str:
        """Return the conditions that do not hold, in words; "" where all hold."""
        words = {
            "LIVE_TRADING_ENABLED is false": self.live_trading_enabled,
            "PAPER_TRADING_MODE is true": self.paper_trading_off,
            "there is no wallet": self.wallet,
            "the run is on paper, without --mode live": self.live_run,
        }
        return ", ".join(word for word, is_on in words.items() if not is_on)


@dataclass(frozen=True, slots=True)
class Track:
    """The record of a strategy to which the gates are applied."""

    result: StrategyResult
    observed_s: float  # event time in the present mode
    deflated_sharpe: float
    standing: Standing
    evidence: StrategyEvidence
    compared_fills: int = 0
    parity_error_bps: float = 0.0
    against: float = 1.0  # evidence that it has lost half of its expected profit
    is_proven: bool = False  # beyond probation, on paper
    worse_bps: float = 0.0  # of live fills: by so much they are worse than the simulated ones for certain
    missed_z: float = 0.0  # of live orders: how much more often only the simulated one landed, in standard deviations


def next_mode(
    mode: Mode, track: Track, rules: PromotionPolicy, switches: Switches, *, is_pinned: bool = False
) -> tuple[Mode, str]:
    """Return the mode that follows from a strategy's record, and the reason; the same mode and "" without a change.

    A pinned strategy, which a person has promoted, is demoted only by drift and by the switches.
    """
    if mode is Mode.LIVE and switches.missing():
        return Mode.PAPER, f"live trading is switched off: {switches.missing()}"
    if mode in DOWN:
        gates = rules.paper if mode is Mode.PAPER else rules.live
        reason = _drifting(mode, track, gates, rules) or ("" if is_pinned else _failing(track, gates, rules))
        if reason:
            return DOWN[mode], reason
    if mode is Mode.SIMULATING and _may_trade_on_paper(track, rules):
        return Mode.PAPER, _describe(track, track.standing.threshold)
    if mode is Mode.PAPER and not switches.missing() and _may_trade_live(track, rules):
        return Mode.LIVE, _describe(track, track.standing.live_threshold)
    return mode, ""


def _may_trade_on_paper(track: Track, rules: PromotionPolicy) -> bool:
    """Return whether a strategy is proven, or its expected profit justifies probation."""
    is_expected = track.evidence.round_trips > 0 and track.standing.expected > rules.min_expected_return
    return (track.standing.is_proven or is_expected) and not first_failed_gate(track, rules.paper)


def _may_trade_live(track: Track, rules: PromotionPolicy) -> bool:
    return track.standing.is_proven_for_live and not first_failed_gate(track, rules.live)


def _failing(track: Track, gates: Gates, rules: PromotionPolicy) -> str:
    result = track.result
    if result.max_drawdown > gates.max_drawdown:
        return f"drawdown {result.max_drawdown:.2%} is above {gates.max_drawdown:.2%}"
    if track.against >= rules.demotion_evidence:
        return f"its profit has fallen below half of what was expected (evidence {track.against:,.0f})"
    if not track.is_proven and track.standing.expected <= rules.min_expected_return:
        return f"a round trip is expected to return {signed(track.standing.expected, '.2%')}"
    if result.sharpe < rules.min_sharpe_to_stay:
        return f"sharpe fell to {result.sharpe:.2f}"
    return ""


def _drifting(mode: Mode, track: Track, gates: Gates, rules: PromotionPolicy) -> str:
    """Return how fills differ from the simulated ones beyond the limit; "" where they do not, or too few are compared.

    Live fills differ by chance too, so that only what is certain counts (`memesnipe.trading.parity`).
    """
    if track.compared_fills < rules.drift_fills:
        return ""
    if mode is not Mode.LIVE:
        error_bps = track.parity_error_bps
        is_beyond = error_bps > gates.max_parity_error_bps
        return f"its fills are {error_bps:.0f} bps from the simulated ones" if is_beyond else ""
    if track.worse_bps > gates.max_parity_error_bps:
        return f"its live fills are at least {track.worse_bps:.0f} bps worse than the simulated ones"
    if track.missed_z >= MAX_MISSED_Z:
        return f"its live orders land less often than the simulated ones ({track.missed_z:.1f} standard deviations)"
    return ""


def first_failed_gate(track: Track, gates: Gates) -> str:
    """Return the name of the first gate that a record does not pass; "" where it passes all."""
    result = track.result
    passed = {
        "observation time": track.observed_s >= gates.min_observed_s,
        "trades": track.evidence.round_trips >= gates.min_trades,
        "sharpe": result.sharpe >= gates.min_sharpe,
        "deflated sharpe": track.deflated_sharpe >= gates.min_deflated_sharpe,
        "drawdown": result.max_drawdown <= gates.max_drawdown,
        "compared fills": track.compared_fills >= gates.min_compared_fills,
        "parity": track.compared_fills == 0 or track.parity_error_bps <= gates.max_parity_error_bps,
    }
    return next((name for name, is_passed in passed.items() if not is_passed), "")


def _describe(track: Track, threshold: float) -> str:
    evidence, standing = track.evidence, track.standing
    return (
        f"evidence {significant(evidence.e_value, 4)} of {significant(threshold, 4)}, "
        f"{evidence.round_trips} round trips, {signed(standing.expected, '.2%')} expected of the next"
    )


def retirement_reason(bound: float) -> str:
    """Return why a strategy leaves an arena that is full.

    Args:
        bound: the upper bound of the return of its round trips.
    """
    if 0.0 < abs(bound) < _SHOWN_RETURN:
        found = f"{'returns' if bound > 0 else 'loses'} less than {_SHOWN_RETURN:.2%}"
    else:
        found = f"returns {signed(bound, '.2%')}"
    return f"the arena is full, and a round trip of it {found} at best"
