"""The payloads of the streams between roles. Money is whole lamports and raw tokens; ``ts`` is ns since 1970 UTC."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import msgspec

from memesnipe.engine.genome import Genome
from memesnipe.engine.orders import Fill
from memesnipe.market.events import NO_TOKEN
from memesnipe.protocol.account import Account
from memesnipe.protocol.commands import CommandName
from memesnipe.protocol.order_status import OrderStatus
from memesnipe.protocol.payload import Follows, Payload
from memesnipe.protocol.strategy_columns import StrategyColumns


class FillMessage(Payload, frozen=True, kw_only=True):
    """The outcome of one order of a desk."""

    stream: ClassVar[str] = "fills"

    mint: str
    side_name: str  # buy | sell | short | cover
    status: str  # PAPER | LIVE | FAILED
    parity_bps: float | None  # how much worse its price is than that of the simulated fill; None if that follows
    fill: Fill
    account: Account = Account.PAPER


class ParityRecord(msgspec.Struct, frozen=True):
    """The deviation of one strategy's fills from the simulated ones."""

    fills: int  # number of fills compared
    error_bps: float  # mean absolute error of the latest fills
    account: Account = Account.PAPER
    worse_bps: float = 0.0  # by so much their prices are worse for certain
    missed_z: float = 0.0  # how much more often only the simulated fill landed, in standard deviations


class ExecutionReport(Payload, frozen=True, kw_only=True):
    """The state of an order, reported by a venue that sends transactions. The paper venue sends no reports."""

    stream: ClassVar[str] = "execution_reports"

    ts: int
    spec_id: str
    order_no: int
    status: OrderStatus
    fill: Fill | None  # of an order that landed or failed, computed from the balances on the chain
    signature: str  # of the transaction; "" before it is signed
    detail: str
    account: Account = Account.LIVE


@dataclass(frozen=True, slots=True)
class RoundTripSeen:
    """The beginning or the end of a round trip on a desk."""

    spec_id: str
    position: int  # unique among the open round trips of the strategy
    value: float | None  # at the end: its profit relative to its stake, net of all costs
    live_profit_lamports: int = 0  # at the end, in the live account: its profit, net of all costs


class AccountFigures(msgspec.Struct, frozen=True):
    """Money and risk of an account at a mark, as its desk has them; the position role compares them with its own."""

    cash_lamports: int
    equity_lamports: int
    peak_lamports: int
    level: str
    halted: bool


class SimulationResults(Follows, frozen=True, kw_only=True):
    """The results of all strategies in the arena, at an event after which a decision is due."""

    stream: ClassVar[str] = "simulation_results"
    version: ClassVar[int] = 2

    v: int = 2
    ts: int
    flags: int  # of the event: 1 rebalance due | 2 generation due
    strategies: StrategyColumns
    parity: dict[str, ParityRecord]
    round_trips: list[RoundTripSeen] = msgspec.field(default_factory=list)  # since the last results
    accounts: dict[Account, AccountFigures] = msgspec.field(default_factory=dict)


class ExecutorProgress(Payload, frozen=True, kw_only=True):
    """The watermark of the executor: all of its messages up to event ``seq`` have been published."""

    stream: ClassVar[str] = "executor_progress"


class StrategySpec(Payload, frozen=True, kw_only=True):
    """A strategy that the search proposes."""

    stream: ClassVar[str] = "strategy_specs"

    spec_id: str
    generation: int
    index: int  # its rank in the generation, from 0
    of: int  # number of strategies that the generation proposes
    evaluations: int  # made in the run so far
    fitness: float
    train_sharpe: float
    validation_sharpe: float
    genome: Genome
    deflated_sharpe: float = 0.0  # probability of skill in validation, all evaluations counted; 0 where unknown


class ArenaStandings(Payload, frozen=True, kw_only=True):
    """What the live results say of each strategy in the arena, after the decision at an event with a generation.

    Raises:
        ValueError: a column has not one value a strategy.
    """

    stream: ClassVar[str] = "arena_standings"

    spec_ids: list[str]
    round_trips: list[int]  # of each strategy, since its admission or its last demotion
    expected: list[float]  # return of a round trip
    deviations: list[float]  # standard deviation of that expectation

    def __post_init__(self) -> None:
        if {len(self.round_trips), len(self.expected), len(self.deviations)} != {len(self.spec_ids)}:
            raise ValueError(f"a column has not one value for each of {len(self.spec_ids)} strategies")

    def rows(self) -> Iterator[tuple[str, int, float, float]]:
        """Yield spec id, round trips, expected return and its deviation of each strategy."""
        return zip(self.spec_ids, self.round_trips, self.expected, self.deviations, strict=True)


class CommandMessage(Payload, frozen=True, kw_only=True):
    """A manual command; it takes effect after event ``seq``."""

    stream: ClassVar[str] = "commands"

    command_id: int
    name: CommandName
    spec_id: str  # of promote, demote and close
    reason: str
    account: str = ""  # "": every account
    token: int = NO_TOKEN  # of close

    def concerns(self, account: Account) -> bool:
        """Return whether the command is for an account."""
        return self.account in ("", account)


class AppliedCommand(CommandMessage, frozen=True, kw_only=True):
    """A manual command that the desks have applied after event ``seq``; the position role applies it there too."""

    stream: ClassVar[str] = "applied_commands"


class RiskEvent(Follows, frozen=True, kw_only=True):
    """The circuit breaker of an account after a change."""

    stream: ClassVar[str] = "risk_events"

    ts: int
    level: str  # normal | warning | critical | emergency
    drawdown: float  # ratio of the peak
    halted: bool
    cause: str  # drawdown, or the name of a command
    account: Account = Account.PAPER


class ExitOrder(Follows, frozen=True, kw_only=True):
    """A position has reached a stop; the desk closes it at this event, whatever its strategy decides."""

    stream: ClassVar[str] = "exit_orders"

    ts: int
    spec_id: str
    token: int
    mint: str
    opened_ts: int  # of the holding to close
    reason: str
    account: Account = Account.PAPER


class AllocationMessage(Follows, frozen=True, kw_only=True):
    """A decision of the portfolio: the strategies that join or leave the arena, and the capital of each strategy."""

    stream: ClassVar[str] = "allocations_channel"

    added: list[Genome]
    removed: list[str]
    allocations_usd: dict[str, float]
    modes: dict[str, str]  # of the strategies with an allocation; each trades in the account of its mode
    restarted: list[str] = msgspec.field(default_factory=list)  # strategies that start again without evidence


class PositionSummary(msgspec.Struct, frozen=True):
    """One open position at a mark."""

    spec_id: str
    mint: str
    token_raw: int
    cost_lamports: int
    value_lamports: int


class PositionUpdate(Follows, frozen=True, kw_only=True):
    """An account at a mark."""

    stream: ClassVar[str] = "position_updates"

    ts: int
    equity_lamports: int
    equity_usd: float
    cash_usd: float
    drawdown: float
    flags: int  # of the event: 1 rebalance due | 2 generation due
    risk_level: str
    positions: list[PositionSummary]
    account: Account = Account.PAPER


class BacktestJob(Payload, frozen=True, kw_only=True):
    """A generation that is about to be evaluated."""

    stream: ClassVar[str] = "backtest_jobs_submitted"

    generation: int
    genomes: int
    window_events: int


class BacktestResult(Payload, frozen=True, kw_only=True):
    """A generation that was evaluated."""

    stream: ClassVar[str] = "backtest_results"

    generation: int
    genomes: int
    window_events: int
    evaluations: int
    best_fitness: float
    median_fitness: float
    seconds: float  # wall time
    proposed: int = 0  # number of its genomes that are proposed for the arena


# The payloads that the executor applies between two events. The other inputs of a run are its events.
ControlPayload = CommandMessage | ExecutionReport | AllocationMessage
