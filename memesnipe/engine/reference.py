"""The reference engine: slow, obviously right, and written from `docs/market-model.md` alone.

The compiled engine is held against it fill by fill, so the two share no code.
"""

from types import SimpleNamespace
from typing import Final

from memesnipe.engine.genome import Genome
from memesnipe.engine.reference_account import Account
from memesnipe.engine.reference_pools import NOTHING, spend
from memesnipe.engine.reference_records import Exposure, Life, Market, Model, Outcome, Short, Tokens
from memesnipe.market.events import BUY_SIDE, FUNDING, NO_TOKEN, PRICE, SHORT_SIDE, Event, Events, rows
from memesnipe.sdk import HOLD, SELL, SHORT
from memesnipe.sdk.registry import Families

__all__ = ["Model", "Outcome", "Reference", "Trader"]

HOUR_NS: Final = 3.6e12
MOST_EXPOSURES: Final = 16


class Trader(Account):
    """One simulated strategy: an account, and the genes that decide for it."""

    def __init__(self, genome: Genome, families: Families, model: Model, market: Market, capital_usd: float) -> None:
        super().__init__(genome, model, market, capital_usd)
        self.families = [families[gene.family] for gene in genome.signals]
        self.params = [families[gene.family].make_params(gene.params) for gene in genome.signals]
        self.states: dict[tuple[int, int], SimpleNamespace] = {}  # by number of life and of gene

    # ---- an event

    def prepare(self, event: Event) -> None:
        """Let time pass up to an event, and settle what goes by the market as it was before it."""
        self.pass_time(event.ts)
        if event.token == NO_TOKEN:
            return
        life = self.market.continued_by(event)
        for exposure in self.exposures.values():
            position = exposure.position
            if life is None or exposure.life is not life:
                continue
            if isinstance(position, Tokens) and _brings_a_new_pool(event, life):
                position.sol_in = position.tokens_out = 0
            if isinstance(position, Short) and event.kind == FUNDING:
                _accrue(position, life, event.ts)

    def react(self, event: Event) -> None:
        """Vote and decide at an event that the market has taken over."""
        if self.funded_ts is None and self.market.sol_usd > 0:
            self.fund()
        if event.token == NO_TOKEN:
            for life in self.market.alive():
                self._vote(event, life)
            return
        life = self.market.lives[event.token]
        called = self._vote(event, life)
        if self.funded_ts is not None and not (event.kind == FUNDING and self._liquidated(life)):
            self._decide(event, life, called)

    def _liquidated(self, life: Life) -> bool:
        exposure = self.exposures.get(life.number)
        if exposure is None or exposure.order is not None or not isinstance(exposure.position, Short):
            return False
        is_gone = self.value(exposure) == 0
        if is_gone:
            self.close_at_once(exposure, "liquidated", NOTHING)
        return is_gone

    # ---- votes

    def _vote(self, event: Event, life: Life) -> bool:
        votes = self.votes.setdefault(life.number, [HOLD] * len(self.families))
        called = False
        for i, (family, params) in enumerate(zip(self.families, self.params, strict=True)):
            if event.kind in family.subscriptions:
                state = self.states.setdefault((life.number, i), family.make_state())
                votes[i] = family.on_event(params, state, event)
                called = True
        return called

    def _score(self, life: Life) -> float:
        score = 0.0
        for gene, vote in zip(self.genome.signals, self.votes[life.number], strict=True):
            score += gene.weight * (SELL if vote == SHORT else vote)
        return score

    def _needed(self) -> float:
        weights = 0.0
        for gene in self.genome.signals:
            weights += gene.weight * 1
        return self.genome.threshold * weights

    # ---- decisions

    def _decide(self, event: Event, life: Life, called: bool) -> None:
        exposure = self.exposures.get(life.number)
        score, needed = self._score(life), self._needed()
        if exposure is None:
            if called and score >= needed:
                self._enter_tokens(life)
            elif called and score <= -needed and SHORT in self.votes[life.number] and life.mark > 0:
                self._enter_short(life)
        elif exposure.position is not None and exposure.order is None:
            is_short = isinstance(exposure.position, Short)
            reason = self._stop(exposure) if event.kind == (FUNDING if is_short else PRICE) else ""
            against = score >= needed if is_short else score <= -needed
            if not reason and called and against:
                reason = "signal"
            if reason:
                self.leave(exposure, reason)

    def _stop(self, exposure: Exposure) -> str:
        exits, position, value = self.genome.exits, exposure.position, self.value(exposure)
        assert position is not None  # noqa: S101 - stops are of positions
        position.best = max(position.best, value)
        if value <= position.cost * (1 - exits.stop_loss):
            return "stop_loss"
        if value >= position.cost * (1 + exits.take_profit):
            return "take_profit"
        return "trailing_stop" if value <= position.best * (1 - exits.trailing_stop) else ""

    def _enter_tokens(self, life: Life) -> None:
        budget = self._budget()
        if life.pool is None or not self._may_enter(life) or budget <= 0:
            return
        expected = spend(life.pool, budget).tokens
        if expected > 0:
            self.send(Exposure(life), BUY_SIDE, "signal", budget, expected)

    def _enter_short(self, life: Life) -> None:
        budget = self._budget()
        if self._may_enter(life) and budget > 0:
            self.send(Exposure(life), SHORT_SIDE, "signal", budget, int(life.mark * 1e6))

    def _may_enter(self, life: Life) -> bool:
        filters = self.genome.filters
        old_enough = self.now - life.began >= filters.min_age_s * 1e9
        return life.liquidity_usd >= filters.min_liquidity_usd and old_enough and len(self.exposures) < MOST_EXPOSURES

    def _budget(self) -> int:
        ways_out = len(self.exposures) * self.network_fee
        free = self.cash_lamports - self.spoken_for() - ways_out
        return min(int(self.capital_lamports * self.genome.size), free - 2 * self.network_fee)


class Reference:
    """Strategies on one market, moved over its events."""

    def __init__(self, families: Families, model: Model, capital_usd: float) -> None:
        self.families, self.model, self.capital_usd = families, model, capital_usd
        self.market = Market(model.dead_after_ns)
        self.strategies: dict[str, Trader] = {}

    def add(self, genome: Genome) -> None:
        """Start a strategy with fresh capital, funded at once where a price of SOL is known."""
        trader = Trader(genome, self.families, self.model, self.market, self.capital_usd)
        if self.market.sol_usd > 0:
            trader.fund()
        self.strategies[genome.spec_id] = trader

    def advance(self, events: Events) -> None:
        """Move all strategies over some more events."""
        for event in rows(events):
            for trader in self.strategies.values():
                trader.prepare(event)
            self.market.take_over(event)
            for trader in self.strategies.values():
                trader.react(event)


def _brings_a_new_pool(event: Event, life: Life) -> bool:
    return event.kind == PRICE and (life.pool is None or life.pool.venue != event.venue)


def _accrue(short: Short, life: Life, ts: int) -> None:
    if life.funding_ts is not None:
        hours = (ts - max(life.funding_ts, short.filled_ts)) / HOUR_NS
        short.funding_usd += short.notional_usd * life.rate * hours
