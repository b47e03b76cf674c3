"""The ledger: what the fills made of the portfolio, what it is worth, and which positions must be left."""

from dataclasses import dataclass, field

from memesnipe.engine.holdings import Holding
from memesnipe.market.events import FUNDING, LAMPORTS_PER_SOL, PRICE, Event
from memesnipe.market.state import MarketState, TokenMarket
from memesnipe.protocol.commands import CommandName
from memesnipe.protocol.messages import FillMessage
from memesnipe.trading.breaker import Breaker, RiskLevel


@dataclass(slots=True)
class Position:
    """What a strategy holds of one token; once it is closed, what it earned is history and no part of the state."""

    spec_id: str
    token: int
    mint: str
    holding: Holding = field(default_factory=Holding)
    value_lamports: int = 0  # what the pool would pay, at its last fill or mark
    best_value_lamports: int = 0  # since it was opened


@dataclass(slots=True)
class LedgerState:
    """The ledger as plain data."""

    market_state: MarketState = field(default_factory=MarketState)
    capital_lamports: int = 0
    cash_lamports: int = 0
    positions: dict[str, Position] = field(default_factory=dict)  # those that are open, by "strategy/token"
    breaker: Breaker = field(default_factory=Breaker)
    halted: bool = False


@dataclass(frozen=True, slots=True)
class LedgerPolicy:
    """What the portfolio begins with, and when its positions must be left. Losses are ratios."""

    capital_usd: float
    stop_loss: float  # of what a position cost
    trailing_stop: float  # of its best value
    dead_after_ns: int


@dataclass(frozen=True, slots=True)
class Booked:
    """A position behind a fill, and what the fill realised: a profit, a loss, or the fee of an order that failed."""

    position: Position
    realised_lamports: int


@dataclass(frozen=True, slots=True)
class Mark:
    """The portfolio's worth after one event, what changed, and what must be sold."""

    equity_lamports: int
    equity_usd: float
    cash_usd: float
    level_changed: bool
    exits: list[tuple[Position, str]]


class Ledger:
    """Books every fill once and marks the portfolio when a decision is due.

    Capital is held in SOL: it is bought at the first price of SOL that is seen, drawdown is measured in lamports,
    and USD figures are at the price of SOL of the day.
    """

    def __init__(self, rules: LedgerPolicy, state: LedgerState | None = None) -> None:
        self.state = state or LedgerState()
        self._rules = rules

    def on_event(self, event: Event) -> None:
        """See the market move."""
        state = self.state
        before = state.market_state.tokens.get(event.token)
        if before is not None and (event.kind == FUNDING or _moved(before, event)):
            for position in self.open_positions():
                if position.token == event.token:
                    position.holding.on_event(before, event)
        state.market_state.apply(event)
        if not state.capital_lamports and state.market_state.sol_usd:
            state.capital_lamports = int(self._rules.capital_usd / state.market_state.sol_usd * LAMPORTS_PER_SOL)
            state.cash_lamports += state.capital_lamports

    def on_fill(self, message: FillMessage) -> Booked:
        """Book one fill."""
        fill, positions = message.fill, self.state.positions
        order = fill.order
        key = f"{order.spec_id}/{order.token}"
        position = positions.get(key) or Position(order.spec_id, order.token, message.mint)
        self.state.cash_lamports += fill.cash_change_lamports
        if fill.failure:
            return Booked(position, fill.cash_change_lamports)
        market = self.state.market_state.tokens[order.token]
        realised = position.holding.apply_fill(fill, market)
        if position.holding.is_open:
            positions[key] = position
            position.value_lamports = position.holding.value_lamports(market)
            position.best_value_lamports = max(position.best_value_lamports, position.value_lamports)
            return Booked(position, realised)
        positions.pop(key, None)
        return Booked(Position(order.spec_id, order.token, message.mint), realised)

    def apply(self, command: str) -> bool:
        """Take a halt or a reset by hand over; whether it was one of these."""
        if command == CommandName.HALT:
            self.state.halted = True
        elif command == CommandName.RISK_RESET:
            self.state.halted = False
            # A halt that ends does not forgive a drawdown; a level that only a reset ends does.
            if self.state.breaker.level in (RiskLevel.CRITICAL, RiskLevel.EMERGENCY):
                self.state.breaker.reset()
        return command in (CommandName.HALT, CommandName.RISK_RESET)

    def mark(self) -> Mark:
        """Value everything at what the pools would pay now, and let the breaker see it."""
        state = self.state
        by_token: dict[int, list[Position]] = {}
        for position in state.positions.values():
            by_token.setdefault(position.token, []).append(position)
        for token, positions in by_token.items():
            self._value(state.market_state.tokens[token], positions)
        state.market_state.drop_dead(self._rules.dead_after_ns, by_token)
        equity = state.cash_lamports + sum(p.value_lamports for p in self.open_positions())
        changed = state.breaker.see(equity)
        usd = state.market_state.sol_usd / LAMPORTS_PER_SOL
        return Mark(equity, equity * usd, state.cash_lamports * usd, changed, self._exits())

    def _value(self, market: TokenMarket, positions: list[Position]) -> None:
        """Value all tokens of one mint as one sale: they are one wallet's, and each holding moves the others' pool."""
        whole = Holding(
            token_raw=sum(p.holding.token_raw for p in positions),
            shift_sol_lamports=sum(p.holding.shift_sol_lamports for p in positions),
            shift_token_raw=sum(p.holding.shift_token_raw for p in positions),
        )
        value = whole.value_lamports(market) if whole.token_raw else 0
        for position in positions:
            holding = position.holding
            if holding.short is not None:
                position.value_lamports = holding.value_lamports(market)
            else:
                position.value_lamports = value * holding.token_raw // whole.token_raw
            position.best_value_lamports = max(position.best_value_lamports, position.value_lamports)

    def open_positions(self) -> list[Position]:
        """What is held, in the order in which it was opened."""
        return list(self.state.positions.values())

    def _exits(self) -> list[tuple[Position, str]]:
        exits = []
        for position in self.open_positions():
            if position.value_lamports <= position.holding.cost_lamports * (1.0 - self._rules.stop_loss):
                exits.append((position, "portfolio_stop_loss"))
            elif position.value_lamports <= position.best_value_lamports * (1.0 - self._rules.trailing_stop):
                exits.append((position, "portfolio_trailing_stop"))
        return exits


def _moved(before: TokenMarket, event: Event) -> bool:
    """Whether the token has gone to another pool, which does not know our trades."""
    return event.kind == PRICE and event.venue != before.pool.venue
