"""The portfolio actor: registers what was bred, promotes and demotes, and divides the capital."""

from dataclasses import asdict
from typing import Any

from pydantic import TypeAdapter
from sqlalchemy import update

from actors.consumer import Consumer
from actors.context import Context
from memesnipe.bus.merge import Entry
from memesnipe.bus.streams import (
    ALLOCATIONS,
    POSITION_UPDATES,
    RISK_EVENTS,
    SIMULATION_RESULTS,
    STRATEGY_SPECS,
)
from memesnipe.engine.results import StrategyResult
from memesnipe.market.events import GENERATION
from memesnipe.storage.journal import Effects
from memesnipe.storage.schema import Allocation, LifecycleRow, StrategyRow
from memesnipe.telemetry.metrics import ActorMetrics
from memesnipe.trading.lifecycle import Gates, Mode
from memesnipe.trading.portfolio import Decision, Portfolio, PortfolioState

_STATE = TypeAdapter(tuple[PortfolioState, dict[str, Any] | None, int])
_RESULTS = TypeAdapter(list[StrategyResult])


class PortfolioActor(Consumer):
    """Shell of `memesnipe.trading.portfolio.Portfolio`.

    It decides once the position actor has marked the portfolio; in lockstep, where a generation falls due at the
    same event, also once the factory has answered. Live it never waits for the factory.
    """

    name = "portfolio"
    reads = (SIMULATION_RESULTS, STRATEGY_SPECS, RISK_EVENTS, POSITION_UPDATES)
    writes = (ALLOCATIONS,)

    def __init__(self, context: Context, metrics: ActorMetrics) -> None:
        super().__init__(context, metrics)
        settings = context.settings
        gates = Gates(
            min_sharpe=settings.min_sharpe_for_promotion,
            min_trades=settings.min_trades_for_promotion,
            min_observed_s=settings.min_observation_secs,
            max_drawdown=settings.max_drawdown_for_promotion,
        )
        self._portfolio = Portfolio(gates, arena_size=settings.arena_size)
        self._lockstep = context.choice.lockstep
        self._due: dict[str, Any] | None = None  # the mark that waits for a decision
        self._bred_seq = 0  # the last event for which the factory has answered

    def handle(self, entries: list[Entry], effects: Effects) -> None:
        """Learn, and decide where a decision is due."""
        for entry in entries:
            if entry.stream == SIMULATION_RESULTS:
                results = _RESULTS.validate_python(entry.data["results"])
                self._portfolio.on_results({result.spec_id: result for result in results})
            elif entry.stream == STRATEGY_SPECS:
                self._portfolio.on_spec(entry.data)
                if entry.data["index"] + 1 == entry.data["of"]:
                    self._bred_seq = entry.seq
            elif entry.stream == POSITION_UPDATES:
                self._due = entry.data
            elif entry.stream == RISK_EVENTS:
                self.log.info("risk level", level=entry.data["level"])
            self._decide_if_due(effects)

    def _decide_if_due(self, effects: Effects) -> None:
        due = self._due
        if due is None:
            return
        if self._lockstep and due["flags"] & GENERATION and self._bred_seq < due["seq"]:
            return
        self._due = None
        self._write(due["seq"], self._portfolio.decide(due["seq"], due["equity_usd"]), effects)

    def _write(self, seq: int, decision: Decision, effects: Effects) -> None:
        for step in decision.transitions:
            effects.add(LifecycleRow, [{"seq": seq, **asdict(step)}])
            self.log.info("lifecycle", seq=seq, **asdict(step))
        strategies = self._portfolio.state.strategies
        effects.put(
            StrategyRow,
            [
                {
                    "spec_id": spec_id,
                    "genome": managed.genome,
                    "generation": managed.generation,
                    "mode": str(managed.mode),
                    "since_seq": managed.since_seq,
                    "allocation_usd": managed.allocation_usd,
                    "result": asdict(managed.result) if managed.result else None,
                }
                for spec_id, managed in strategies.items()
            ],
        )
        if decision.removed:
            retired = StrategyRow.spec_id.in_(decision.removed)
            effects.change(
                update(StrategyRow)
                .where(StrategyRow.run_id == self.context.run_id, retired)
                .values(mode=str(Mode.RETIRED), since_seq=seq, allocation_usd=0.0)
            )
        effects.add(
            Allocation,
            [{"seq": seq, "spec_id": s, "allocation_usd": usd} for s, usd in decision.allocations_usd.items()],
        )
        message = {
            "added": decision.added,
            "removed": decision.removed,
            "allocations_usd": decision.allocations_usd,
        }
        effects.send(ALLOCATIONS, seq, message)

    def dump(self) -> bytes:
        """The portfolio, and what it waits for."""
        return _STATE.dump_json((self._portfolio.state, self._due, self._bred_seq))

    def load(self, state: bytes) -> None:
        """Take the state of `dump` over."""
        self._portfolio.state, self._due, self._bred_seq = _STATE.validate_json(state)
