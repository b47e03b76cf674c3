"""The ledger: books fills into cash and positions, values them, and finds the positions that must be closed."""

from dataclasses import dataclass, field

from memesnipe.engine.holdings import Holding, follow, value_lamports
from memesnipe.market.events import FUNDING, LAMPORTS_PER_SOL, Event
from memesnipe.market.pools import changes_venue
from memesnipe.market.state import MarketState, TokenMarket, capital_lamports
from memesnipe.protocol.account import Account
from memesnipe.protocol.commands import CommandName
from memesnipe.protocol.messages import FillMessage
from memesnipe.trading.breaker import Breaker, RiskLevel


@dataclass(slots=True)
class Position:
    """A strategy's holding of one token. A closed position is no part of the state; its result is in the records."""

    spec_id: str
    token: int
    mint: str
    holding: Holding = field(default_factory=Holding)
    value_lamports: int = 0  # proceeds of selling it, at its last fill or mark
    best_value_lamports: int = 0  # the highest value since it was opened


@dataclass(slots=True)
class LedgerState:
    """The ledger as plain data."""

    market_state: MarketState = field(default_factory=MarketState)
    capital_lamports: int = 0
    cash_lamports: int = 0
    positions: dict[str, Position] = field(default_factory=dict)  # open ones, by "strategy/token"
    breaker: Breaker = field(default_factory=Breaker)
    halted: bool = False


@dataclass(frozen=True, slots=True)
class LedgerPolicy:
    """The initial capital, and the rules for closing positions. Losses are ratios."""

    capital_usd: float
    stop_loss: float  # of a position's cost
    trailing_stop: float  # of its highest value
    dead_after_ns: int


@dataclass(frozen=True, slots=True)
class Booked:
    """The position of a fill, and the realised amount: a profit, a loss, or the fee of a failed order."""

    position: Position
    realised_lamports: int


@dataclass(frozen=True, slots=True)
class Mark:
    """The account's value after one event, whether the risk level changed, and the exits with their reasons."""

    equity_lamports: int
    equity_usd: float
    cash_usd: float
    level_changed: bool
    exits: list[tuple[Position, str]]


class Ledger:
    """Books every fill of one account once, and marks the account when a decision is due.

    Capital is held in SOL: it is converted at the first price of SOL, drawdown is measured in lamports, and USD
    figures use the current price of SOL.
    """

    def __init__(self, rules: LedgerPolicy, state: LedgerState | None = None, account: Account = Account.PAPER) -> None:
        self.account = account
        self.state = state or LedgerState()
        self._rules = rules

    def on_event(self, event: Event) -> None:
        """Apply an event to the market and to the positions; convert the capital at the first price of SOL."""
        state = self.state
        before = state.market_state.tokens.get(event.token)
        if before is not None and (event.kind == FUNDING or changes_venue(before.pool, event)):
            for position in self.open_positions():
                if position.token == event.token:
                    follow(position.holding, before, event)
        state.market_state.apply(event)
        if not state.capital_lamports and state.market_state.sol_usd:
            state.capital_lamports = capital_lamports(self._rules.capital_usd, state.market_state.sol_usd)
            state.cash_lamports += state.capital_lamports

    def on_fill(self, message: FillMessage) -> Booked:
        """Book one fill; return its position and the realised amount."""
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
            position.value_lamports = value_lamports(position.holding, market)
            position.best_value_lamports = max(position.best_value_lamports, position.value_lamports)
            return Booked(position, realised)
        positions.pop(key, None)
        return Booked(Position(order.spec_id, order.token, message.mint), realised)

    def apply(self, command: str) -> bool:
        """Apply a halt or a reset; return whether the command is one of these."""
        if command == CommandName.HALT:
            self.state.halted = True
        elif command == CommandName.RISK_RESET:
            self.state.halted = False
            # Ending a halt keeps the drawdown; ending Critical or Emergency resets it.
            if self.state.breaker.level in (RiskLevel.CRITICAL, RiskLevel.EMERGENCY):
                self.state.breaker.reset()
        return command in (CommandName.HALT, CommandName.RISK_RESET)

    def mark(self) -> Mark:
        """Value all positions at the proceeds of selling them now, and apply the equity to the breaker."""
        state = self.state
        by_token: dict[int, list[Position]] = {}
        for position in state.positions.values():
            by_token.setdefault(position.token, []).append(position)
        for token, positions in by_token.items():
            self._value(state.market_state.tokens[token], positions)
        state.market_state.drop_dead(self._rules.dead_after_ns, by_token)
        equity = state.cash_lamports + sum(p.value_lamports for p in self.open_positions())
        changed = state.breaker.observe(equity)
        usd = state.market_state.sol_usd / LAMPORTS_PER_SOL
        return Mark(equity, equity * usd, state.cash_lamports * usd, changed, self._exits())

    def _value(self, market: TokenMarket, positions: list[Position]) -> None:
        """Value all holdings of one token as one sale: one wallet holds them, and each shifts the pool of all."""
        whole = Holding(
            held=1,
            token_raw=sum(p.holding.token_raw for p in positions),
            shift_sol_lamports=sum(p.holding.shift_sol_lamports for p in positions),
            shift_token_raw=sum(p.holding.shift_token_raw for p in positions),
        )
        value = value_lamports(whole, market)
        for position in positions:
            holding = position.holding
            if holding.is_short:
                position.value_lamports = value_lamports(holding, market)
            else:
                position.value_lamports = value * holding.token_raw // whole.token_raw
            position.best_value_lamports = max(position.best_value_lamports, position.value_lamports)

    def open_positions(self) -> list[Position]:
        """Return the open positions in order of opening."""
        return list(self.state.positions.values())

    def _exits(self) -> list[tuple[Position, str]]:
        exits = []
        for position in self.open_positions():
            if position.value_lamports <= position.holding.cost_lamports * (1.0 - self._rules.stop_loss):
                exits.append((position, "portfolio_stop_loss"))
            elif position.value_lamports <= position.best_value_lamports * (1.0 - self._rules.trailing_stop):
                exits.append((position, "portfolio_trailing_stop"))
        return exits
