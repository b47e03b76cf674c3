"""A strategy's cash, orders and positions in the reference engine, and the work due between events."""

from typing import Final

from memesnipe.engine.genome import Genome
from memesnipe.market.events import BUY_SIDE, COVER_SIDE, NS_PER_S, SELL_SIDE, SHORT_SIDE
from memesnipe.sdk import HOLD
from memesnipe.testing.reference.pools import NOTHING, Quote, sell, shifted, spend, value_quote
from memesnipe.testing.reference.records import (
    VENUE_FEE_BPS,
    Exposure,
    Market,
    Model,
    Order,
    Outcome,
    Position,
    Short,
    Tokens,
    chance,
    venue_fee,
)

SAMPLE_NS: Final = 60 * NS_PER_S
RETRY_NS: Final = 60 * NS_PER_S

DID_NOT_LAND: Final = "did not land"
GIVES_NOTHING: Final = "the pool gives nothing"
SLIPPED: Final = "slippage beyond tolerance"


class Account:
    """The account of a strategy, and its changes between two events."""

    def __init__(self, genome: Genome, model: Model, market: Market, capital_usd: float) -> None:
        self.genome, self.model, self.market, self.capital_usd = genome, model, market, capital_usd
        self.network_fee = model.base_fee_lamports + model.priority_fee_lamports + model.tip_lamports
        self.now = market.ts
        self.funded_ts: int | None = None
        self.exposures: dict[int, Exposure] = {}  # by incarnation number
        self.votes: dict[int, list[int]] = {}  # by incarnation number, one vote per gene
        self.capital_lamports = self.cash_lamports = self.fees_lamports = 0
        self.orders = self.round_trips = self.wins = self.held_ns = 0
        self.gross_profit_lamports = self.gross_loss_lamports = 0
        self.outcomes: list[Outcome] = []
        self.samples: list[int] = []

    def fund(self) -> None:
        """Convert the capital at the current price of SOL."""
        self.funded_ts = self.now
        self.capital_lamports = self.cash_lamports = int(self.capital_usd / self.market.sol_usd * 1e9)

    # ---- value

    def equity_lamports(self) -> int:
        """Return cash plus the value of all positions."""
        return self.cash_lamports + sum(self.value(x) for x in self.exposures.values())

    def value(self, exposure: Exposure) -> int:
        """Return the proceeds of closing the position now; of a short before the fee."""
        incarnation, position = exposure.incarnation, exposure.position
        if isinstance(position, Short):
            return position.value(incarnation)
        if isinstance(position, Tokens) and incarnation.pool is not None:
            return value_quote(
                shifted(incarnation.pool, position.sol_in, position.tokens_out), position.amount
            ).received
        return 0

    def closing_quote(self, exposure: Exposure, *, dead: bool = False) -> Quote:
        """Return the quote of closing the position; if the token is ``dead``, even in a pool that does not trade."""
        incarnation, position = exposure.incarnation, exposure.position
        if isinstance(position, Short):
            return position.cover(incarnation)
        if isinstance(position, Tokens) and incarnation.pool is not None:
            pay = value_quote if dead else sell
            return pay(shifted(incarnation.pool, position.sol_in, position.tokens_out), position.amount)
        return NOTHING

    # ---- sending orders

    def reserved_lamports(self) -> int:
        """Return the cash reserved for orders in flight."""
        in_flight = [x.order for x in self.exposures.values() if x.order is not None]
        return sum(order.budget + self.network_fee for order in in_flight)

    def send(self, exposure: Exposure, side: int, reason: str, budget: int, expected: int) -> None:
        """Send an order and reset the standing votes."""
        exposure.order = self._next_order(side, reason, self.now + self.model.latency_ns, budget, expected)
        self.exposures[exposure.incarnation.number] = exposure
        self.votes[exposure.incarnation.number] = [HOLD] * len(self.genome.signals)

    def send_exit(self, exposure: Exposure, reason: str) -> None:
        """Send the order that closes a position, if the cash can pay its fee."""
        if isinstance(exposure.position, Short):
            self.send(exposure, COVER_SIDE, reason, 0, self.closing_quote(exposure).received)
        elif self.cash_lamports - self.reserved_lamports() >= self.network_fee:
            self.send(exposure, SELL_SIDE, reason, 0, self.value(exposure))

    def _next_order(self, side: int, reason: str, due: int, budget: int, expected: int) -> Order:
        self.orders += 1
        return Order(self.orders, side, reason, self.now, self.market.seq, due, budget, expected)

    # ---- work due between events

    def process_due(self, until: int) -> None:
        """Process everything due before an event at ``until``, in order of time."""
        while True:
            first = min(
                self.exposures.values(),
                key=lambda x: (self._due(x), x.incarnation.token, x.incarnation.number),
                default=None,
            )
            due = until if first is None else self._due(first)
            if self.funded_ts is not None and self._sample_ts(self.funded_ts) <= min(due, until):
                self._sample()
            elif first is not None and due < until:
                self.now = due
                self._process_due(first)
            else:
                self.now = until
                return

    def _sample_ts(self, funded_ts: int) -> int:
        return (funded_ts // SAMPLE_NS + 1 + len(self.samples)) * SAMPLE_NS

    def _sample(self) -> None:
        self.samples.append(self.equity_lamports())

    def _due(self, exposure: Exposure) -> int:
        if exposure.order is not None:
            return exposure.order.due
        return max(exposure.idle_since, min(self._death(exposure), _held(exposure).leave_ts))

    def _death(self, exposure: Exposure) -> int:
        return exposure.incarnation.last_ts + self.model.dead_after_ns

    def _process_due(self, exposure: Exposure) -> None:
        if exposure.order is not None:
            self._arrive(exposure, exposure.order)
        elif self._death(exposure) <= self.now:
            self.close_at_once(exposure, "dead", self.closing_quote(exposure, dead=True))
        else:
            _held(exposure).leave_ts = self.now + RETRY_NS
            self.send_exit(exposure, "max_hold")

    def _arrive(self, exposure: Exposure, order: Order) -> None:
        exposure.order, exposure.idle_since = None, self.now
        if order.side == BUY_SIDE:
            self._buy(exposure, order)
        elif order.side == SELL_SIDE:
            self._sell(exposure, order)
        elif order.side == SHORT_SIDE:
            self._open_short(exposure, order)
        else:
            self._close(exposure, order, self.closing_quote(exposure), 0)
        if exposure.position is None:
            self.exposures.pop(exposure.incarnation.number, None)

    # ---- fills

    def _failure(self, order: Order, got: int) -> str:
        bid = self.model.priority_fee_lamports + self.model.tip_lamports
        landing = self.model.landing_max * bid / (bid + self.model.landing_half_lamports) if bid else 0.0
        if not chance(self.model.seed, self.genome.spec_id, order.number) < landing:
            return DID_NOT_LAND
        if got <= 0:
            return GIVES_NOTHING
        return SLIPPED if self._slipped(order, got) else ""

    def _slipped(self, order: Order, got: int) -> bool:
        return got * 10_000 < order.expected * (10_000 - self.model.slippage_bps)

    def _fail(self, exposure: Exposure, order: Order, failure: str) -> None:
        is_pool_order = order.side in (BUY_SIDE, SELL_SIDE)
        network_fee = self.model.base_fee_lamports + self.model.priority_fee_lamports if is_pool_order else 0
        self.cash_lamports -= network_fee
        self._record(exposure, order, NOTHING, network_fee, failure)

    def _buy(self, exposure: Exposure, order: Order) -> None:
        pool = exposure.incarnation.pool
        quote = NOTHING if pool is None else spend(pool, order.budget)
        failure = self._failure(order, quote.tokens)
        if failure:
            self._fail(exposure, order, failure)
            return
        cost = quote.paid + self.network_fee
        self.cash_lamports -= cost
        exposure.position = Tokens(
            cost, self.now, self._longest_hold(), quote.tokens, sol_in=quote.sol + quote.kept, tokens_out=quote.tokens
        )
        self._record(exposure, order, quote, self.network_fee)

    def _sell(self, exposure: Exposure, order: Order) -> None:
        quote = self.closing_quote(exposure)
        failure = self._failure(order, quote.received)
        if failure:
            self._fail(exposure, order, failure)
        else:
            self._close(exposure, order, quote, self.network_fee)

    def _open_short(self, exposure: Exposure, order: Order) -> None:
        incarnation, mark = exposure.incarnation, int(exposure.incarnation.mark * 1e6)
        if mark <= 0 or self._slipped(order, mark):
            self._fail(exposure, order, GIVES_NOTHING if mark <= 0 else SLIPPED)
            return
        notional = order.budget * 10_000 // (10_000 + VENUE_FEE_BPS)
        quote = Quote(0, notional, venue_fee(notional), 0)
        self.cash_lamports -= quote.paid
        notional_usd = notional / 1e9 * incarnation.sol_usd
        exposure.position = Short(quote.paid, self.now, self._longest_hold(), notional, notional_usd, incarnation.mark)
        self._record(exposure, order, quote, 0)

    def _longest_hold(self) -> int:
        return self.now + int(self.genome.exits.max_hold_s * 1e9)

    def close_at_once(self, exposure: Exposure, reason: str, quote: Quote) -> None:
        """Close a position immediately, without landing and network fee, with its own order number."""
        side = COVER_SIDE if isinstance(exposure.position, Short) else SELL_SIDE
        self._close(exposure, self._next_order(side, reason, self.now, 0, quote.received), quote, 0)
        del self.exposures[exposure.incarnation.number]

    def _close(self, exposure: Exposure, order: Order, quote: Quote, network_fee: int) -> None:
        proceeds = quote.received - network_fee
        position = _held(exposure)
        profit = proceeds - position.cost
        self.held_ns += self.now - position.filled_ts
        exposure.position = None
        self.cash_lamports += proceeds
        self.round_trips += 1
        self.wins += profit > 0
        self.gross_profit_lamports += max(profit, 0)
        self.gross_loss_lamports += max(-profit, 0)
        self._record(exposure, order, quote, network_fee)

    def _record(self, exposure: Exposure, order: Order, quote: Quote, network_fee: int, failure: str = "") -> None:
        self.fees_lamports += quote.fee + network_fee
        self.outcomes.append(
            Outcome(
                order_no=order.number,
                token=exposure.incarnation.token,
                side=order.side,
                reason=order.reason,
                decided_ts=order.decided_ts,
                decided_seq=order.decided_seq,
                ts=self.now,
                seq=self.market.seq,
                budget_lamports=order.budget,
                expected=order.expected,
                token_raw=quote.tokens,
                sol_lamports=quote.sol,
                fee_lamports=quote.fee,
                network_fee_lamports=network_fee,
                failure=failure,
            )
        )


def _held(exposure: Exposure) -> Position:
    assert exposure.position is not None  # noqa: S101 - an exposure without an order has a position
    return exposure.position
