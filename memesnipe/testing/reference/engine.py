"""The reference engine: slow, simple, and written only from `docs/market-model.md`.

Tests compare the compiled engine with it fill by fill, so the two share no code.
"""

from types import SimpleNamespace
from typing import Final

from memesnipe.engine.genome import Genome
from memesnipe.market.events import BUY_SIDE, FUNDING, NO_TOKEN, PRICE, SHORT_SIDE, Event, Events, rows
from memesnipe.sdk import HOLD, SELL, SHORT
from memesnipe.sdk.registry import Families
from memesnipe.testing.reference.account import Account
from memesnipe.testing.reference.pools import NOTHING, spend
from memesnipe.testing.reference.records import Exposure, Incarnation, Market, Model, Outcome, Short, Tokens

__all__ = ["Model", "Outcome", "Reference", "Trader"]

HOUR_NS: Final = 3.6e12
MAX_EXPOSURES: Final = 16


class Trader(Account):
    """One simulated strategy: an account with voting genes."""

    def __init__(self, genome: Genome, families: Families, model: Model, market: Market, capital_usd: float) -> None:
        super().__init__(genome, model, market, capital_usd)
        self.families = [families[gene.family] for gene in genome.signals]
        self.params = [families[gene.family].make_params(gene.params) for gene in genome.signals]
        self.states: dict[tuple[int, int], SimpleNamespace] = {}  # by incarnation number and gene

    # ---- an event

    def prepare(self, event: Event) -> None:
        """Process the work due before an event, and changes that depend on the market before it."""
        self.process_due(event.ts)
        if event.token == NO_TOKEN:
            return
        incarnation = self.market.incarnation_of(event)
        for exposure in self.exposures.values():
            position = exposure.position
            if incarnation is None or exposure.incarnation is not incarnation:
                continue
            if isinstance(position, Tokens) and _changes_venue(event, incarnation):
                position.sol_in = position.tokens_out = 0
            if isinstance(position, Short) and event.kind == FUNDING:
                _accrue(position, incarnation, event.ts)

    def react(self, event: Event) -> None:
        """Vote and decide at an event that was applied to the market."""
        if self.funded_ts is None and self.market.sol_usd > 0:
            self.fund()
        if event.token == NO_TOKEN:
            for incarnation in self.market.alive():
                self._vote(event, incarnation)
            return
        incarnation = self.market.incarnations[event.token]
        called = self._vote(event, incarnation)
        if self.funded_ts is not None and not (event.kind == FUNDING and self._liquidated(incarnation)):
            self._decide(event, incarnation, called)

    def _liquidated(self, incarnation: Incarnation) -> bool:
        exposure = self.exposures.get(incarnation.number)
        if exposure is None or exposure.order is not None or not isinstance(exposure.position, Short):
            return False
        is_gone = self.value(exposure) == 0
        if is_gone:
            self.close_at_once(exposure, "liquidated", NOTHING)
        return is_gone

    # ---- votes

    def _vote(self, event: Event, incarnation: Incarnation) -> bool:
        votes = self.votes.setdefault(incarnation.number, [HOLD] * len(self.families))
        called = False
        for i, (family, params) in enumerate(zip(self.families, self.params, strict=True)):
            if event.kind in family.subscriptions:
                state = self.states.setdefault((incarnation.number, i), family.make_state())
                votes[i] = family.on_event(params, state, event)
                called = True
        return called

    def _score(self, incarnation: Incarnation) -> float:
        score = 0.0
        for gene, vote in zip(self.genome.signals, self.votes[incarnation.number], strict=True):
            score += gene.weight * (SELL if vote == SHORT else vote)
        return score

    def _vote_threshold(self) -> float:
        weights = 0.0
        for gene in self.genome.signals:
            weights += gene.weight * 1
        return self.genome.threshold * weights

    # ---- decisions

    def _decide(self, event: Event, incarnation: Incarnation, called: bool) -> None:
        exposure = self.exposures.get(incarnation.number)
        score, vote_threshold = self._score(incarnation), self._vote_threshold()
        if exposure is None:
            if called and score >= vote_threshold:
                self._enter_tokens(incarnation)
            elif (
                called and score <= -vote_threshold and SHORT in self.votes[incarnation.number] and incarnation.mark > 0
            ):
                self._enter_short(incarnation)
        elif exposure.position is not None and exposure.order is None:
            is_short = isinstance(exposure.position, Short)
            reason = self._stop(exposure) if event.kind == (FUNDING if is_short else PRICE) else ""
            against = score >= vote_threshold if is_short else score <= -vote_threshold
            if not reason and called and against:
                reason = "signal"
            if reason:
                self.send_exit(exposure, reason)

    def _stop(self, exposure: Exposure) -> str:
        exits, position, value = self.genome.exits, exposure.position, self.value(exposure)
        assert position is not None  # noqa: S101 - stops are of positions
        position.best = max(position.best, value)
        if value <= position.cost * (1 - exits.stop_loss):
            return "stop_loss"
        if value >= position.cost * (1 + exits.take_profit):
            return "take_profit"
        return "trailing_stop" if value <= position.best * (1 - exits.trailing_stop) else ""

    def _enter_tokens(self, incarnation: Incarnation) -> None:
        budget = self._budget()
        if incarnation.pool is None or not self._may_enter(incarnation) or budget <= 0:
            return
        expected = spend(incarnation.pool, budget).tokens
        if expected > 0:
            self.send(Exposure(incarnation), BUY_SIDE, "signal", budget, expected)

    def _enter_short(self, incarnation: Incarnation) -> None:
        budget = self._budget()
        if self._may_enter(incarnation) and budget > 0:
            self.send(Exposure(incarnation), SHORT_SIDE, "signal", budget, int(incarnation.mark * 1e6))

    def _may_enter(self, incarnation: Incarnation) -> bool:
        filters = self.genome.filters
        old_enough = self.now - incarnation.began >= filters.min_age_s * 1e9
        return (
            incarnation.liquidity_usd >= filters.min_liquidity_usd
            and old_enough
            and len(self.exposures) < MAX_EXPOSURES
        )

    def _budget(self) -> int:
        exit_fees = len(self.exposures) * self.network_fee
        free = self.cash_lamports - self.reserved_lamports() - exit_fees
        return min(int(self.capital_lamports * self.genome.size), free - 2 * self.network_fee)


class Reference:
    """Strategies that share one market."""

    def __init__(self, families: Families, model: Model, capital_usd: float) -> None:
        self.families, self.model, self.capital_usd = families, model, capital_usd
        self.market = Market(model.dead_after_ns)
        self.strategies: dict[str, Trader] = {}

    def add(self, genome: Genome) -> None:
        """Add a strategy with fresh capital, funded at once if the price of SOL is known."""
        trader = Trader(genome, self.families, self.model, self.market, self.capital_usd)
        if self.market.sol_usd > 0:
            trader.fund()
        self.strategies[genome.spec_id] = trader

    def advance(self, events: Events) -> None:
        """Advance all strategies over events."""
        for event in rows(events):
            for trader in self.strategies.values():
                trader.prepare(event)
            self.market.apply(event)
            for trader in self.strategies.values():
                trader.react(event)


def _changes_venue(event: Event, incarnation: Incarnation) -> bool:
    return event.kind == PRICE and (incarnation.pool is None or incarnation.pool.venue != event.venue)


def _accrue(short: Short, incarnation: Incarnation, ts: int) -> None:
    if incarnation.funding_ts is not None:
        hours = (ts - max(incarnation.funding_ts, short.filled_ts)) / HOUR_NS
        short.funding_usd += short.notional_usd * incarnation.rate * hours
