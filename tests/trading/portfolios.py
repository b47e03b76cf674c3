"""Portfolios for tests, with proposed strategies and their results."""

from dataclasses import replace

from memesnipe.engine.genome import Genome, simple_genome
from memesnipe.engine.strategy_evidence import StrategyEvidence
from memesnipe.engine.strategy_result import StrategyResult
from memesnipe.market.events import LAMPORTS_PER_SOL
from memesnipe.protocol.account import Account
from memesnipe.protocol.messages import ParityRecord, PositionUpdate, RoundTripSeen, SimulationResults, StrategySpec
from memesnipe.trading.allocation import Caps
from memesnipe.trading.lifecycle import Gates, PromotionPolicy, Switches
from memesnipe.trading.loss_limit import LossLimit
from memesnipe.trading.portfolio import Portfolio
from memesnipe.trading.portfolio_state import Decision
from tests.support import columns_of, result

PAPER = Gates(min_sharpe=0.5, min_trades=5, min_observed_s=600, max_drawdown=0.3, max_parity_error_bps=500.0)
RULES = PromotionPolicy(PAPER, replace(PAPER, min_trades=50))
GAINS = StrategyEvidence(2.0, 900, 0.05, 0.01, 0)
LOSES = StrategyEvidence(0.5, 900, -0.05, 0.01, 0)
CAPS = Caps(loss_limit=LossLimit(0.0, 0.0))  # nothing but the probation capital
ANY_LOSS = Caps(loss_limit=LossLimit(1.0, 1.0))
OFF, ON = Switches(), Switches(True, True, True, True)
GOOD = result(
    spec_id="", observed_s=900.0, total_pnl_usd=10.0, total_return=0.01, sharpe=2.0, max_drawdown=0.1, orders=12,
    failed=1, trades=9, wins=5, fees_usd=1.0, periods=100, kurtosis=3.0,
)  # fmt: skip
POOR = replace(GOOD, sharpe=-1.0, total_return=-0.05)


def mark_of(account: Account, usd: float, ts: int = 0) -> PositionUpdate:
    """Return a mark of an account in which a SOL costs 1 USD."""
    return PositionUpdate(
        seq=1, ts=ts, equity_lamports=round(usd * LAMPORTS_PER_SOL), equity_usd=usd, cash_usd=usd, drawdown=0.0,
        flags=1, risk_level="normal", positions=[], account=account,
    )  # fmt: skip


EQUITY = {Account.PAPER: mark_of(Account.PAPER, 1000.0)}


def genome_of(spec_id: str) -> Genome:
    return simple_genome(spec_id, {})


def spec_of(spec_id: str, evaluations: int = 0) -> StrategySpec:
    return StrategySpec(
        seq=1, spec_id=spec_id, generation=3, index=0, of=1, evaluations=evaluations, fitness=0.0, train_sharpe=0.0,
        validation_sharpe=0.0, genome=genome_of(spec_id),
    )  # fmt: skip


def results_of(
    results: dict[str, StrategyResult],
    parity: dict[str, ParityRecord] | None = None,
    restarts: int = 0,
    **evidence: StrategyEvidence,
) -> SimulationResults:
    """Results with this evidence; by default good results have good evidence, and others bad."""
    named = [replace(one, spec_id=spec_id) for spec_id, one in results.items()]
    found = {s: evidence.get(s, GAINS if one.sharpe > 0 else LOSES) for s, one in results.items()}
    found = {s: replace(one, restarts=max(one.restarts, restarts)) for s, one in found.items()}
    return SimulationResults(seq=1, ts=1, flags=1, strategies=columns_of(named, found), parity=parity or {})


def portfolio_of(
    *specs: str,
    arena_size: int = 3,
    switches: Switches = OFF,
    rules: PromotionPolicy = RULES,
    caps: Caps = CAPS,
    shorts: frozenset[str] = frozenset(),
) -> Portfolio:
    """Return a portfolio to which these strategies are proposed."""
    portfolio = Portfolio(rules, caps, switches, arena_size=arena_size, shorts=shorts)
    for spec in specs:
        portfolio.on_spec(spec_of(spec))
    return portfolio


def round_trips_of(spec_id: str, *values: float) -> SimulationResults:
    """Results of round trips on a desk, one after the other."""
    seen = [RoundTripSeen(spec_id, 0, one) for value in values for one in (None, value)]
    return SimulationResults(seq=1, ts=1, flags=1, strategies=columns_of([], {}), parity={}, round_trips=seen)


def steps_of(decision: Decision) -> list[tuple[str, str, str]]:
    return [(t.spec_id, t.from_mode, t.to_mode) for t in decision.transitions]
