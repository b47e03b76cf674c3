"""The ledger: books fills into cash and positions, values them, and finds the stops and risk levels that they reach.

The desk and the position role of an account each have one, so that both derive the same from the same events and fills.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from typing import Final

from memesnipe.engine.holdings import Holding, follow, value_lamports
from memesnipe.engine.orders import Fill
from memesnipe.market.events import LAMPORTS_PER_SOL, Event
from memesnipe.market.state import MarketState, TokenMarket, capital_lamports
from memesnipe.protocol.account import Account
from memesnipe.protocol.commands import NOT_HELD, CommandName
from memesnipe.protocol.messages import AccountFigures, CommandMessage, FillMessage
from memesnipe.trading.breaker import Breaker, RiskLevel

_OF_RISK: Final = (CommandName.HALT, CommandName.FLATTEN, CommandName.RISK_RESET)
_UNTIL_RESET: Final = (RiskLevel.CRITICAL, RiskLevel.EMERGENCY)  # what a reset ends


@dataclass(slots=True)
class Position:
    """A strategy's holding of one token. A closed position is no part of the state; its result is in the records."""

    spec_id: str
    token: int
    mint: str = ""  # set by the position role, whose records have it
    holding: Holding = field(default_factory=Holding)
    value_lamports: int = 0  # proceeds of selling it, after the last event of its token
    best_value_lamports: int = 0  # the highest value since it was opened
    stop: str = ""  # the stop that the value has reached, if any
    is_closing: bool = False  # a person has asked for its sale


@dataclass(slots=True)
class LedgerState:
    """The ledger as plain data."""

    market_state: MarketState = field(default_factory=MarketState)
    capital_lamports: int = 0  # 0 before SOL has a price
    cash_lamports: int = 0
    positions: dict[int, dict[str, Position]] = field(default_factory=dict)  # open ones, by token and strategy
    value_lamports: int = 0  # of all positions
    breaker: Breaker = field(default_factory=Breaker)
    halted: bool = False
    flattening: bool = False  # whether every position is being sold, although trading is halted
    flattened_by: int = 0  # id of the last flatten; a flatten overtakes earlier commands on their way to the desks

    @property
    def refuses_exits(self) -> bool:
        """Whether not even exits are permitted: trading is halted, and not everything is being sold."""
        return not self.flattening and (self.halted or self.breaker.level is RiskLevel.EMERGENCY)

    def position(self, spec_id: str, token: int) -> Position | None:
        """Return a strategy's position in a token, or None."""
        return self.positions.get(token, {}).get(spec_id)

    def open_positions(self) -> list[Position]:
        """Return the open positions, those of one token together."""
        return [position for positions in self.positions.values() for position in positions.values()]


@dataclass(frozen=True, slots=True)
class LedgerPolicy:
    """The initial capital, and the stops of positions. Losses are ratios."""

    capital_usd: float  # converted at the first price of SOL
    stop_loss: float  # of a position's cost
    trailing_stop: float  # of its highest value
    dead_after_ns: int
    capital_lamports: int = 0  # instead, where the capital is what a wallet holds
    pool_has_own_trades: bool = False  # on a chain: the recorded pool has moved by them already


@dataclass(frozen=True, slots=True)
class Booked:
    """The position of a fill, and the realised amount: a profit, a loss, or the fee of a failed order."""

    position: Position
    realised_lamports: int


@dataclass(frozen=True, slots=True)
class RiskCheck:
    """The outcome of comparing an account with its stops and its breaker."""

    level_changed: bool
    stopped: list[Position]  # positions whose value has reached a stop
    newly_stopped: list[Position]  # those of them that had not, or another one, at the last check

    @property
    def is_news(self) -> bool:
        """Whether a risk level or a stop was reached that was not at the last check."""
        return self.level_changed or bool(self.newly_stopped)


@dataclass(frozen=True, slots=True)
class Mark:
    """The account's value where a decision is due."""

    equity_lamports: int
    equity_usd: float
    cash_usd: float
    risk: RiskCheck


class Ledger:
    """Books every fill of one account once, and checks its risk after every event of a held token and at every mark.

    Capital is held in SOL: it is converted at the first price of SOL, drawdown is measured in lamports, and USD
    figures use the current price of SOL.
    """

    def __init__(self, rules: LedgerPolicy, state: LedgerState | None = None, account: Account = Account.PAPER) -> None:
        self.account = account
        self.state = state or LedgerState()
        self._rules = rules

    @property
    def equity_lamports(self) -> int:
        """Cash plus the value of all positions."""
        return self.state.cash_lamports + self.state.value_lamports

    def on_event(self, event: Event) -> RiskCheck | None:
        """Apply an event to the market and to the positions; set the capital at the first price of SOL.

        Returns:
            The check of the event's positions and of the account; None where the event's token is not held.
        """
        state = self.state
        held = state.positions.get(event.token)
        if held:
            before = state.market_state.tokens[event.token]
            for position in held.values():
                follow(position.holding, before, event)
        state.market_state.apply(event)
        if not state.capital_lamports and state.market_state.sol_usd:
            usd = self._rules.capital_usd
            state.capital_lamports = self._rules.capital_lamports or capital_lamports(usd, state.market_state.sol_usd)
            state.cash_lamports += state.capital_lamports
        if not held:
            return None
        self._value(event.token)
        return self._check(held.values())

    def on_fill(self, message: FillMessage) -> Booked:
        """Book the fill of a message, and keep the address of its token."""
        booked = self.book(message.fill)
        booked.position.mint = message.mint
        return booked

    def book(self, fill: Fill) -> Booked:
        """Book one fill, and value the positions in its token; return its position and the realised amount."""
        state, order = self.state, fill.order
        position = state.position(order.spec_id, order.token) or Position(order.spec_id, order.token)
        state.cash_lamports += fill.cash_change_lamports
        if fill.failure:
            return Booked(position, fill.cash_change_lamports)
        realised = position.holding.apply_fill(fill, state.market_state.tokens[order.token])
        if self._rules.pool_has_own_trades:
            position.holding.shift_sol_lamports = position.holding.shift_token_raw = 0
        held = state.positions.setdefault(order.token, {})
        if position.holding.is_open:
            held[order.spec_id] = position
        else:
            held.pop(order.spec_id, None)
            state.value_lamports -= position.value_lamports
            position = Position(order.spec_id, order.token, position.mint)
        if held:
            self._value(order.token)
        else:
            del state.positions[order.token]
        return Booked(position, realised)

    def apply(self, command: CommandMessage) -> bool:
        """Apply a halt, a flatten or a reset; return whether the command is one of these and not overtaken."""
        state = self.state
        if command.name not in _OF_RISK or self.is_overtaken(command):
            return False
        if command.name == CommandName.RISK_RESET:
            state.halted = state.flattening = False
            # Ending a halt keeps the drawdown; ending Critical or Emergency resets it.
            if state.breaker.level in _UNTIL_RESET:
                state.breaker.reset()
            return True
        state.halted, state.flattening = True, command.name == CommandName.FLATTEN
        if state.flattening:
            state.flattened_by = command.command_id
        return True

    def is_changed_by(self, command: CommandMessage) -> bool:
        """Return whether a halt or a reset, not applied yet, would change something."""
        state = self.state
        match command.name:
            case CommandName.HALT:
                return not state.halted or state.flattening
            case CommandName.RISK_RESET:
                return state.halted or state.breaker.level in _UNTIL_RESET
        return True

    def is_overtaken(self, command: CommandMessage) -> bool:
        """Return whether a halt or a reset was given before the last flatten, which it must not end."""
        return command.name in _OF_RISK and command.command_id < self.state.flattened_by

    def close(self, spec_id: str, token: int) -> str:
        """Treat a position as one at a stop until it is sold; return why not, "" where it is done."""
        position = self.state.position(spec_id, token)
        if position is None:
            return NOT_HELD
        if self.state.refuses_exits:
            return "trading is halted; `memesnipe flatten` sells while it is, and `memesnipe risk reset` resumes it"
        position.is_closing = True
        return ""

    def mark(self) -> Mark:
        """Return the account's value, and check all positions and the breaker.

        Fills since the last event of a held token, and fees of failed orders, have changed the value.
        """
        state = self.state
        usd = state.market_state.sol_usd / LAMPORTS_PER_SOL
        risk = self._check(state.open_positions())
        return Mark(self.equity_lamports, self.equity_lamports * usd, state.cash_lamports * usd, risk)

    def figures(self) -> AccountFigures:
        """Return the account's money and risk."""
        state, breaker = self.state, self.state.breaker
        return AccountFigures(
            state.cash_lamports, self.equity_lamports, breaker.peak_lamports, str(breaker.level), state.halted
        )

    def drop_dead(self, kept: Collection[int] = ()) -> None:
        """Drop the markets of dead tokens that are neither held nor ``kept``."""
        self.state.market_state.drop_dead(self._rules.dead_after_ns, {*self.state.positions, *kept})

    def _value(self, token: int) -> None:
        """Value the positions in a token as one sale: one wallet holds them, and each shifts the pool of all."""
        state = self.state
        market, positions = state.market_state.tokens[token], list(state.positions[token].values())
        before = sum(position.value_lamports for position in positions)
        for position, value in zip(positions, _values(market, [p.holding for p in positions]), strict=True):
            position.value_lamports = value
            position.best_value_lamports = max(position.best_value_lamports, value)
        state.value_lamports += sum(position.value_lamports for position in positions) - before

    def _check(self, positions: Iterable[Position]) -> RiskCheck:
        """Compare positions with their stops, and the account's equity with the breaker."""
        stopped, newly_stopped = [], []
        for position in positions:
            stop = self._stop_of(position)
            if stop:
                stopped.append(position)
                if stop != position.stop:
                    newly_stopped.append(position)
            position.stop = stop
        return RiskCheck(self.state.breaker.observe(self.equity_lamports), stopped, newly_stopped)

    def _stop_of(self, position: Position) -> str:
        if self.state.flattening:
            return CommandName.FLATTEN.value
        if position.is_closing:
            return CommandName.CLOSE.value
        if position.value_lamports <= position.holding.cost_lamports * (1.0 - self._rules.stop_loss):
            return "portfolio_stop_loss"
        if position.value_lamports <= position.best_value_lamports * (1.0 - self._rules.trailing_stop):
            return "portfolio_trailing_stop"
        return ""


def _values(market: TokenMarket, holdings: list[Holding]) -> list[int]:
    """Return the value of each holding of one token, in lamports."""
    whole = Holding(
        held=1,
        token_raw=sum(holding.token_raw for holding in holdings),
        shift_sol_lamports=sum(holding.shift_sol_lamports for holding in holdings),
        shift_token_raw=sum(holding.shift_token_raw for holding in holdings),
    )
    value = value_lamports(whole, market) if whole.token_raw else 0
    return [
        value_lamports(holding, market) if holding.is_short else value * holding.token_raw // whole.token_raw
        for holding in holdings
    ]
