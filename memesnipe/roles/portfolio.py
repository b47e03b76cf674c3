"""The portfolio actor: registers what was bred, promotes and demotes, and divides the capital."""

from dataclasses import asdict
from typing import Any

from pydantic import TypeAdapter
from sqlalchemy import bindparam, select, update

from memesnipe.bus.merge import Entry
from memesnipe.bus.streams import (
    ALLOCATIONS,
    COMMANDS,
    POSITION_UPDATES,
    RISK_EVENTS,
    SIMULATION_RESULTS,
    STRATEGY_SPECS,
)
from memesnipe.config.policies import caps_of, promotion_policy_of, switches_of
from memesnipe.engine.strategy_result import StrategyResult
from memesnipe.market.events import GENERATION
from memesnipe.roles.consumer import Consumer
from memesnipe.roles.context import Context
from memesnipe.storage.commands import CommandName
from memesnipe.storage.journal import UnitOfWork
from memesnipe.storage.schema import Allocation, LifecycleRow, StrategyRow
from memesnipe.storage.schema_control import Command
from memesnipe.telemetry.metrics import ActorMetrics
from memesnipe.trading.lifecycle import DOWN, Mode
from memesnipe.trading.portfolio import Decision, Managed, Portfolio, PortfolioState, Transition

_STATE = TypeAdapter(tuple[PortfolioState, dict[str, Any] | None, int])
_RESULTS = TypeAdapter(list[StrategyResult])
# With the figures of a strategy as they are now.
_TOLD = update(StrategyRow.__table__).where(  # type: ignore[arg-type]
    StrategyRow.run_id == bindparam("b_run"), StrategyRow.spec_id == bindparam("b_spec")
)
_MANUAL = (CommandName.PROMOTE, CommandName.DEMOTE)


class PortfolioRole(Consumer):
    """Shell of `memesnipe.trading.portfolio.Portfolio`.

    It decides once the position actor has marked the portfolio; in lockstep, where a generation falls due at the
    same event, also once the factory has answered. Live it never waits for the factory.
    """

    name = "portfolio"
    reads = (SIMULATION_RESULTS, STRATEGY_SPECS, RISK_EVENTS, COMMANDS, POSITION_UPDATES)
    writes = (ALLOCATIONS,)

    def __init__(self, context: Context, metrics: ActorMetrics) -> None:
        super().__init__(context, metrics)
        settings = context.settings
        self._portfolio = Portfolio(
            promotion_policy_of(settings), caps_of(settings), switches_of(settings), arena_size=settings.arena_size
        )
        self._lockstep = context.choice.lockstep
        self._due: dict[str, Any] | None = None  # the mark that waits for a decision
        self._bred_seq = 0  # the last event for which the factory has answered

    def handle(self, entries: list[Entry], work: UnitOfWork) -> None:
        """Learn, and decide where a decision is due."""
        for entry in entries:
            if entry.stream == SIMULATION_RESULTS:
                results = _RESULTS.validate_python(entry.data["results"])
                self._portfolio.on_results({result.spec_id: result for result in results}, entry.data["parity"])
            elif entry.stream == STRATEGY_SPECS:
                self._portfolio.on_spec(entry.data)
                if entry.data["index"] + 1 == entry.data["of"]:
                    self._bred_seq = entry.seq
            elif entry.stream == POSITION_UPDATES:
                self._due = entry.data
            elif entry.stream == COMMANDS and entry.data["name"] in _MANUAL:
                self._apply(entry, work)
            elif entry.stream == RISK_EVENTS:
                self.log.info("risk level", level=entry.data["level"])
            self._decide_if_due(work)

    def _apply(self, entry: Entry, work: UnitOfWork) -> None:
        said = entry.data
        gone = self._retired(said["spec_id"]) if said["name"] == CommandName.PROMOTE else None
        if gone is not None:
            outcome, step = self._portfolio.on_return(said["spec_id"], *gone, said["reason"]), None
        else:
            outcome, step = self._portfolio.on_command(entry.seq, said["name"], said["spec_id"], said["reason"])
        if step is not None:
            self._write_steps([step], work)
            moved = StrategyRow.spec_id == step.spec_id
            work.change(
                update(StrategyRow)
                .where(StrategyRow.run_id == self.context.run_id, moved)
                .values(mode=step.to_mode, since_seq=step.seq)
            )
        work.change(update(Command).where(Command.command_id == said["command_id"]).values(outcome=outcome))
        self.log.warning("applied", command=said["name"], spec_id=said["spec_id"], outcome=outcome)

    def _retired(self, spec_id: str) -> tuple[int, dict[str, Any]] | None:
        """Generation and genome of a retired strategy; None where it is none."""
        if spec_id not in self._portfolio.state.retired:
            return None
        query = select(StrategyRow.generation, StrategyRow.genome).where(
            StrategyRow.run_id == self.context.run_id, StrategyRow.spec_id == spec_id
        )
        with self.context.database.connect() as connection:
            row = connection.execute(query).one()
        return row.generation, row.genome

    def _decide_if_due(self, work: UnitOfWork) -> None:
        due = self._due
        if due is None:
            return
        if self._lockstep and due["flags"] & GENERATION and self._bred_seq < due["seq"]:
            return
        self._due = None
        self._write(due, self._portfolio.decide(due["seq"], due["equity_usd"]), work)

    def _write(self, due: dict[str, Any], decision: Decision, work: UnitOfWork) -> None:
        seq = due["seq"]
        self._write_steps(decision.transitions, work)
        self._write_strategies(decision, work, is_generation=bool(due["flags"] & GENERATION))
        if decision.removed:
            retired = StrategyRow.spec_id.in_(decision.removed)
            work.change(
                update(StrategyRow)
                .where(StrategyRow.run_id == self.context.run_id, retired)
                .values(mode=str(Mode.RETIRED), since_seq=seq, allocation_usd=0.0)
            )
        work.add(
            Allocation,
            [{"seq": seq, "spec_id": s, "allocation_usd": usd} for s, usd in decision.allocations_usd.items()],
        )
        strategies = self._portfolio.state.strategies
        message = {
            "added": decision.added,
            "removed": decision.removed,
            "allocations_usd": decision.allocations_usd,
            "modes": {spec_id: str(strategies[spec_id].mode) for spec_id in decision.allocations_usd},
            "after": due["after"],
        }
        work.send(ALLOCATIONS, seq, message)

    def _write_steps(self, steps: list[Transition], work: UnitOfWork) -> None:
        work.add(LifecycleRow, [asdict(step) for step in steps])
        for step in steps:
            self.log.info("lifecycle", **asdict(step))

    def _write_strategies(self, decision: Decision, work: UnitOfWork, *, is_generation: bool) -> None:
        """New ones with their genomes; the others where there is something new, for there may be thousands."""
        strategies = self._portfolio.state.strategies
        joined = dict(self._genomes(decision))
        work.put(
            StrategyRow,
            [
                {"spec_id": spec_id, "genome": genome, "generation": strategies[spec_id].generation}
                | _figures(strategies[spec_id])
                for spec_id, genome in joined.items()
            ],
        )
        moved = {step.spec_id for step in decision.transitions}
        told = [
            {"b_run": self.context.run_id, "b_spec": spec_id, **_figures(managed)}
            for spec_id, managed in strategies.items()
            if spec_id not in joined and (is_generation or spec_id in moved or managed.mode in DOWN)
        ]
        if told:
            work.change(_TOLD, told)

    def _genomes(self, decision: Decision) -> list[tuple[str, dict[str, Any]]]:
        new = [step.spec_id for step in decision.transitions if step.from_mode in ("", Mode.RETIRED)]
        return list(zip(new, decision.added, strict=True))

    def dump(self) -> bytes:
        """The portfolio, and what it waits for."""
        return _STATE.dump_json((self._portfolio.state, self._due, self._bred_seq))

    def load(self, state: bytes) -> None:
        """Take the state of `dump` over."""
        self._portfolio.state, self._due, self._bred_seq = _STATE.validate_json(state)


def _figures(managed: Managed) -> dict[str, Any]:
    return {
        "mode": str(managed.mode),
        "since_seq": managed.since_seq,
        "allocation_usd": managed.allocation_usd,
        "result": asdict(managed.result) if managed.result else None,
        "parity_bps": managed.parity_error_bps if managed.compared_fills else None,
        "parity_fills": managed.compared_fills,
        "deflated_sharpe": managed.deflated_sharpe,
        "live_usd": managed.live.usd if managed.live else None,
    }
