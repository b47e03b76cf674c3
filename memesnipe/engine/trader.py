"""A trader: one genome at work with its own shadow capital."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from memesnipe.engine.genome import Genome
from memesnipe.engine.orders import Fill, FillModel, Holding, Order
from memesnipe.market.board import Board, TokenMarket
from memesnipe.market.events import BUY_SIDE, NS_PER_S, PRICE, SELL_SIDE, Event
from memesnipe.market.pools import quote_buy
from memesnipe.sdk.registry import Families
from memesnipe.stats.running import RunningReturns


@dataclass(slots=True)
class Account:
    """The money of one strategy, and the record of how it did."""

    capital_lamports: int = 0
    cash_lamports: int = 0
    joined_ts: int = 0
    holdings: dict[int, Holding] = field(default_factory=dict)
    pending: dict[int, Order] = field(default_factory=dict)
    returns: RunningReturns = field(default_factory=RunningReturns)
    orders: int = 0
    failed: int = 0
    fills: int = 0
    round_trips: int = 0
    wins: int = 0
    fees_lamports: int = 0

    def free_lamports(self, network_fee_lamports: int) -> int:
        """Cash that no order on its way may still need."""
        budgets = sum(order.budget_lamports for order in self.pending.values())
        return self.cash_lamports - budgets - len(self.pending) * network_fee_lamports

    def start(self, lamports: int, ts: int) -> None:
        """Begin with so much capital."""
        self.capital_lamports = self.cash_lamports = lamports
        self.joined_ts = ts
        self.returns.sample(lamports)


@dataclass(slots=True)
class TraderState:
    """A trader as plain data: all it takes to go on."""

    genome: Genome
    account: Account
    # token -> for each signal gene its state and its standing vote
    signals: dict[int, list[tuple[list[float | int], int]]]


class Trader:
    """Feels its signals on each event and decides; `fill` tells it what became of its orders."""

    def __init__(self, genome: Genome, account: Account, families: Families, model: FillModel) -> None:
        self.genome = genome
        self.spec_id = genome.spec_id
        self.account = account
        self._model = model
        self._genes = [(families[g.family], families[g.family].make_params(g.params)) for g in genome.signals]
        # Not divided by their sum: a unanimous vote must reach a threshold of 1 to the bit.
        self._needed = genome.threshold * self._weighted([1] * len(genome.signals))
        self.kinds = {kind for strategy, _ in self._genes for kind in strategy.subscriptions} | {PRICE}
        self._states: dict[int, list[Any]] = {}
        self._votes: dict[int, list[int]] = {}

    def on_event(self, event: Event, market: TokenMarket | None, board: Board) -> Order | None:
        """The order that this event calls for, if any."""
        score = self._score(event)
        account = self.account
        if market is None or event.token in account.pending:
            return None
        holding = account.holdings.get(event.token)
        if holding is None:
            return self._entry(event, market) if score >= self._needed else None
        reason = self._exit_reason(holding, market) if event.kind == PRICE else ""
        if not reason and score <= -self._needed:
            reason = "signal"
        return self.sell(event.token, reason, event.ts, board) if reason else None

    def _score(self, event: Event) -> float:
        """The weighted vote after this event; a gene's vote stands until its next event of the token."""
        states = self._states.get(event.token)
        if states is None:
            states = self._states[event.token] = [strategy.make_state() for strategy, _ in self._genes]
            self._votes[event.token] = [0] * len(states)
        votes = self._votes[event.token]
        for i, (strategy, params) in enumerate(self._genes):
            if event.kind in strategy.subscriptions:
                votes[i] = strategy.on_event(params, states[i], event)
        return self._weighted(votes)

    def _weighted(self, votes: list[int]) -> float:
        score = 0.0
        for gene, vote in zip(self.genome.signals, votes, strict=True):
            score += gene.weight * vote
        return score

    def _entry(self, event: Event, market: TokenMarket) -> Order | None:
        filters, account = self.genome.filters, self.account
        if market.liquidity_usd < filters.min_liquidity_usd:
            return None
        if event.ts - market.first_ts < filters.min_age_s * NS_PER_S:
            return None
        fee = self._model.network_fee_lamports
        # Two network fees: the way in, and the way out, which must be paid before the sale pays anything.
        budget = min(int(account.capital_lamports * self.genome.size), account.free_lamports(fee) - 2 * fee)
        expected = quote_buy(market.pool, budget).token_raw if budget > 0 else 0
        if expected == 0:
            return None
        self._votes[event.token] = [0] * len(self._genes)  # a decision spends the votes
        return self._send(event.token, BUY_SIDE, "signal", event.ts, event.seq, budget=budget, expected=expected)

    def _exit_reason(self, holding: Holding, market: TokenMarket) -> str:
        exits = self.genome.exits
        value = holding.value_lamports(market.pool)
        holding.best_value_lamports = max(holding.best_value_lamports, value)
        if value <= holding.cost_lamports * (1.0 - exits.stop_loss):
            return "stop_loss"
        if value >= holding.cost_lamports * (1.0 + exits.take_profit):
            return "take_profit"
        if value <= holding.best_value_lamports * (1.0 - exits.trailing_stop):
            return "trailing_stop"
        return ""

    def sell(self, token: int, reason: str, ts: int, board: Board) -> Order | None:
        """An order to sell all that is held of a token, unless one is on its way or its fee cannot be paid."""
        account, fee = self.account, self._model.network_fee_lamports
        holding = account.holdings.get(token)
        if holding is None or token in account.pending or account.free_lamports(fee) < fee:
            return None
        market = board.tokens[token]
        expected = holding.value_lamports(market.pool)
        self._votes[token] = [0] * len(self._genes)
        return self._send(token, SELL_SIDE, reason, ts, board.last_seq, token_raw=holding.token_raw, expected=expected)

    def _send(
        self, token: int, side: int, reason: str, ts: int, seq: int, *,
        budget: int = 0, token_raw: int = 0, expected: int,
    ) -> Order:  # fmt: skip
        account = self.account
        account.orders += 1
        due_ts = ts + self._model.latency_ns
        order = Order(
            self.spec_id, account.orders, token, side, reason, ts, seq, due_ts,
            self.genome.size if side == BUY_SIDE else 0.0, budget, token_raw, expected,
        )  # fmt: skip
        account.pending[token] = order
        return order

    def fill(self, fill: Fill) -> None:
        """Take the outcome of a pending order over."""
        account, token = self.account, fill.order.token
        del account.pending[token]
        account.cash_lamports += fill.cash_change_lamports
        account.fees_lamports += fill.pool_fee_lamports + fill.network_fee_lamports
        if fill.failure:
            account.failed += 1
            return
        account.fills += 1
        holding = account.holdings.setdefault(token, Holding())
        profit = holding.take(fill)
        if holding.token_raw == 0:
            del account.holdings[token]
            account.round_trips += 1
            account.wins += profit > 0

    def equity_lamports(self, board: Board) -> int:
        """Cash, and what the pools would pay now for what is held."""
        held = self.account.holdings.items()
        return self.account.cash_lamports + sum(h.value_lamports(board.tokens[t].pool) for t, h in held)

    def dump(self) -> TraderState:
        """Everything that is needed to go on later, as plain data."""
        return TraderState(self.genome, self.account, {t: list(self._dump_token(t)) for t in self._states})

    def _dump_token(self, token: int) -> Iterator[tuple[list[float | int], int]]:
        for (strategy, _), made, vote in zip(self._genes, self._states[token], self._votes[token], strict=True):
            yield strategy.dump_state(made), vote

    @classmethod
    def load(cls, state: TraderState, families: Families, model: FillModel) -> "Trader":
        """The trader of `dump`."""
        trader = cls(state.genome, state.account, families, model)
        for token, cells in state.signals.items():
            trader._states[token] = [
                strategy.make_state(values) for (strategy, _), (values, _) in zip(trader._genes, cells, strict=True)
            ]
            trader._votes[token] = [vote for _, vote in cells]
        return trader
