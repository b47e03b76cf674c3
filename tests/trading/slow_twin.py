"""A slow account for tests: after every event it values all positions again, and derives stops and risk level anew."""

from dataclasses import dataclass, field

from memesnipe.engine.holdings import Holding, follow, value_lamports
from memesnipe.engine.orders import Fill
from memesnipe.market.events import LAMPORTS_PER_SOL, Event
from memesnipe.market.pools import moved, value_of
from memesnipe.market.state import MarketState
from memesnipe.trading.ledger import LedgerPolicy

Key = tuple[str, int]  # strategy, token


@dataclass
class SlowTwin:
    """One account. Nothing but the fills and the highest values is kept from one event to the next."""

    policy: LedgerPolicy
    market: MarketState = field(default_factory=MarketState)
    holdings: dict[Key, Holding] = field(default_factory=dict)
    best: dict[Key, int] = field(default_factory=dict)
    cash: int = 0
    peak: int = 0
    level: str = "normal"
    is_funded: bool = False

    def apply(self, event: Event) -> dict[Key, str]:
        """Apply an event; return the stops that the positions in its token have reached."""
        before = self.market.tokens.get(event.token)
        for (_, token), holding in self.holdings.items():
            if token == event.token and before is not None:
                follow(holding, before, event)
        self.market.apply(event)
        if not self.is_funded and self.market.sol_usd:
            self.is_funded = True
            self.cash += int(self.policy.capital_usd / self.market.sol_usd * LAMPORTS_PER_SOL)
        if event.token not in {token for _, token in self.holdings}:
            return {}
        return {key: stop for key, stop in self.check().items() if key[1] == event.token}

    def book(self, fill: Fill) -> None:
        """Book a fill of the desk."""
        key = (fill.order.spec_id, fill.order.token)
        self.cash += fill.cash_change_lamports
        if fill.failure:
            return
        holding = self.holdings.setdefault(key, Holding())
        holding.apply_fill(fill, self.market.tokens[key[1]])
        if not holding.is_open:
            del self.holdings[key]
            self.best.pop(key, None)
        self._raise_best(self.values())

    def check(self) -> dict[Key, str]:
        """Update peak and level; return the stops that have been reached."""
        values = self.values()
        self._raise_best(values)
        equity = self.cash + sum(values.values())
        self.peak = max(self.peak, equity)
        lost = (self.peak - equity) / self.peak if self.peak else 0.0
        if self.level != "emergency":
            floors = {0.0: "normal", 0.05: "warning", 0.1: "critical", 0.15: "emergency"}
            self.level = floors[max(floor for floor in floors if floor <= lost)]
        reached: dict[Key, str] = {}
        for key, value in values.items():
            if value <= self.holdings[key].cost_lamports * (1.0 - self.policy.stop_loss):
                reached[key] = "portfolio_stop_loss"
            elif value <= self.best[key] * (1.0 - self.policy.trailing_stop):
                reached[key] = "portfolio_trailing_stop"
        return reached

    def values(self) -> dict[Key, int]:
        """Return the value of each position: a share of the proceeds of selling all of its token at once."""
        found = {}
        for key, holding in self.holdings.items():
            market = self.market.tokens[key[1]]
            if holding.is_short:
                found[key] = value_lamports(holding, market)
                continue
            beside = [other for (_, token), other in self.holdings.items() if token == key[1]]
            whole = sum(other.token_raw for other in beside)
            sol, raw = (sum(getattr(h, f"shift_{what}") for h in beside) for what in ("sol_lamports", "token_raw"))
            quote = value_of(moved(market.pool, sol, raw), whole)
            found[key] = (quote.sol_lamports - quote.fee_lamports) * holding.token_raw // whole
        return found

    def _raise_best(self, values: dict[Key, int]) -> None:
        self.best |= {key: max(self.best.get(key, 0), value) for key, value in values.items()}
