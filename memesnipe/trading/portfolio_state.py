"""The state of the portfolio as plain data, and its decisions."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

import msgspec

from memesnipe.engine.genome import Genome
from memesnipe.protocol.account import Account
from memesnipe.protocol.messages import AllocationMessage, ParityRecord
from memesnipe.stats.evidence_budget import MIN_MASS, EvidenceBudget
from memesnipe.trading.demotion import DetectorState
from memesnipe.trading.lifecycle import Mode
from memesnipe.trading.live_capital import LiveCapital
from memesnipe.trading.loss_limit import EquityDay
from memesnipe.trading.strategy_records import RecordsState


class ManualOverride(StrEnum):
    """A person's decision about a strategy, in force until the next such decision."""

    UP = "up"  # only fills that drift from the simulation demote it
    DOWN = "down"  # no gate promotes it


# An array when it is encoded: there are thousands, and the names of the fields would be most of the state.
class Managed(msgspec.Struct, array_like=True):
    """One strategy under management; what every decision needs of all strategies is in `StrategyRecords`."""

    generation: int
    mode: Mode
    since_seq: int
    since_observed_s: float = 0.0  # its observation time on entering this mode
    allocation_usd: float = 0.0
    deflated_sharpe: float | None = None
    size: float = 1.0  # share of its capital that it stakes on an entry
    is_proven: bool = False  # on paper or live, and its evidence reaches the threshold: it is beyond probation
    manual_override: ManualOverride | None = None
    live: LiveCapital | None = None
    live_parity: ParityRecord | None = None  # of its live fills with the simulated ones
    only_shorts: bool = False  # all of its signals are of families that enter by shorts alone

    @property
    def is_on_probation(self) -> bool:
        """Whether it trades on paper without proof."""
        return self.mode is Mode.PAPER and not self.is_proven


@dataclass(frozen=True, slots=True)
class Candidate:
    """A strategy that may join at the next decision."""

    spec_id: str
    generation: int
    genome: Genome
    mass: float = MIN_MASS  # of its weight in the selection, from its backtest
    return_reason: str = ""  # of a retired strategy that a person has promoted


@dataclass(frozen=True, slots=True)
class Transition:
    """One step in the lifecycle of a strategy; steps are numbered from 1 across all strategies."""

    number: int
    seq: int
    spec_id: str
    from_mode: str
    to_mode: str
    reason: str


@dataclass(slots=True)
class PortfolioState:
    """What the portfolio knows of each strategy apart from records and detectors."""

    strategies: dict[str, Managed] = field(default_factory=dict)
    candidates: list[Candidate] = field(default_factory=list)  # admitted at the next decision
    retired: set[str] = field(default_factory=set)  # they join again by a manual promotion, not by being bred again
    steps: int = 0  # of all strategies together
    evaluations: int = 0  # made in this run so far
    admitted: int = 0  # strategies ever admitted to the arena
    budget: EvidenceBudget = field(default_factory=EvidenceBudget)  # of all weights
    restarted: list[str] = field(default_factory=list)  # strategies that start again at the next decision
    days: dict[Account, EquityDay] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PortfolioDump:
    """The whole portfolio as plain data."""

    state: PortfolioState
    records: RecordsState  # of the strategies in the state, in their order
    detectors: DetectorState


@dataclass(frozen=True, slots=True)
class Decision:
    """The decision at one event: the strategies that join and leave the arena, and all allocations."""

    added: list[Genome]
    removed: list[str]
    allocations_usd: dict[str, float]
    transitions: list[Transition]
    released: list[str]  # strategies that had an allocation before, and have none now
    restarted: list[str] = field(default_factory=list)  # strategies that start again without evidence


def accept_parity(strategies: Mapping[str, Managed], records: Mapping[str, ParityRecord]) -> dict[str, ParityRecord]:
    """Return the records that are of the account in which their strategy trades, and keep those of live strategies.

    A record of the other account is from before the strategy changed its mode, and does not count any more.
    """
    accepted = {
        spec_id: record
        for spec_id, record in records.items()
        if spec_id in strategies and str(strategies[spec_id].mode) == str(record.account)
    }
    for spec_id, managed in strategies.items():
        if managed.mode is Mode.LIVE:
            managed.live_parity = accepted.get(spec_id)
    return accepted


def allocation_of(decision: Decision, state: PortfolioState, seq: int, after: Mapping[str, int]) -> AllocationMessage:
    """Return a decision at event ``seq`` as a message, which follows from the messages ``after``, by stream."""
    return AllocationMessage(
        seq=seq,
        added=decision.added,
        removed=decision.removed,
        allocations_usd=decision.allocations_usd,
        modes={spec_id: str(state.strategies[spec_id].mode) for spec_id in decision.allocations_usd},
        restarted=decision.restarted,
        after=dict(after),
    )
