"""Steps: the outcomes on the desk of one account up to one event, before they are recorded."""

from dataclasses import dataclass, field

from memesnipe.engine.orders import Fill, Order
from memesnipe.engine.strategy_evidence import StrategyEvidence
from memesnipe.engine.strategy_result import StrategyResult
from memesnipe.protocol.account import Account
from memesnipe.protocol.messages import AccountFigures, ParityRecord, RoundTripSeen
from memesnipe.protocol.order_status import OrderStatus
from memesnipe.trading.gate import RiskRefused


@dataclass(frozen=True, slots=True)
class Results:
    """The results of the simulating strategies, where a decision is due."""

    ts: int
    flags: int
    results: list[StrategyResult]
    parity: dict[str, ParityRecord]
    evidence: dict[str, StrategyEvidence]
    round_trips: list[RoundTripSeen]  # of the desks, since the last results
    accounts: dict[Account, AccountFigures]  # of the desks


@dataclass(frozen=True, slots=True)
class DeskFill:
    """A fill of the desk, the price of SOL at its time, and its parity error where a simulated fill corresponds."""

    fill: Fill
    sol_usd: float
    parity_bps: float | None = None


@dataclass(slots=True)
class Step:
    """The outcomes up to one event, in order; ``seq`` and ``ts`` are those of the event."""

    seq: int
    ts: int
    account: Account = Account.PAPER
    orders: list[Order] = field(default_factory=list)
    refused: list[RiskRefused] = field(default_factory=list)
    cancelled: list[Order] = field(default_factory=list)
    recalled: list[Order] = field(default_factory=list)  # open orders whose cancellation the venue is to be asked for
    reported: dict[str, OrderStatus] = field(default_factory=dict)  # by a venue, by order key
    fills: list[DeskFill] = field(default_factory=list)
    compared: dict[str, float] = field(default_factory=dict)  # parity of earlier fills, by order key
    level_changed: bool = False  # of the account's breaker
    results: Results | None = None

    def add(self, outcome: Order | RiskRefused | None) -> None:
        """Add the desk's outcome of a decision."""
        if isinstance(outcome, RiskRefused):
            self.refused.append(outcome)
        elif outcome is not None:
            self.orders.append(outcome)
