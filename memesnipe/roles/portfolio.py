"""The portfolio role: admits bred strategies, promotes and demotes them, and divides the capital."""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import msgspec
from sqlalchemy import bindparam, select, update

from memesnipe.bus.merge import Entry
from memesnipe.config.policies import caps_of, promotion_policy_of, switches_of
from memesnipe.engine.genome import Genome, genome_from
from memesnipe.errors import MemeSnipeError
from memesnipe.market.events import GENERATION
from memesnipe.protocol.account import Account
from memesnipe.protocol.commands import CommandName
from memesnipe.protocol.messages import (
    BacktestResult,
    CommandMessage,
    PositionUpdate,
    RiskEvent,
    SimulationResults,
    StrategySpec,
)
from memesnipe.roles.consumer import Consumer
from memesnipe.roles.context import Context
from memesnipe.roles.role_metrics import record_strategies
from memesnipe.sdk.registry import discover
from memesnipe.sdk.strategy import BUY, SHORT
from memesnipe.storage.journal import UnitOfWork
from memesnipe.storage.schema import AllocationRow, LifecycleRow, StrategyRow
from memesnipe.storage.schema_control import CommandRow
from memesnipe.telemetry.metrics import ActorMetrics
from memesnipe.trading.lifecycle import DOWN, Mode
from memesnipe.trading.portfolio import Portfolio
from memesnipe.trading.portfolio_state import Decision, Managed, PortfolioDump, Transition, allocation_of
from memesnipe.trading.standing import NEVER

_STATE = msgspec.msgpack.Decoder(tuple[PortfolioDump, list[PositionUpdate], int])
# Sets the current figures of a strategy.
_SET_FIGURES = update(StrategyRow.__table__).where(  # type: ignore[arg-type]
    StrategyRow.run_id == bindparam("b_run"), StrategyRow.spec_id == bindparam("b_spec")
)
_MANUAL = (CommandName.PROMOTE, CommandName.DEMOTE)


def shorting_families(folders: Sequence[Path]) -> frozenset[str]:
    """Return the families, bundled and in ``folders``, that may vote SHORT and never BUY."""
    families = discover(*folders)
    return frozenset(name for name, one in families.items() if SHORT in one.votes and BUY not in one.votes)


class PortfolioRole(Consumer):
    """Runs `memesnipe.trading.portfolio.Portfolio` on the streams.

    The marks of all accounts at one event lead to a decision. In lockstep, where a generation is due at that event, the
    decision follows the factory's specs for that event; otherwise it does not wait for the factory.
    """

    name = "portfolio"

    def __init__(self, context: Context, metrics: ActorMetrics) -> None:
        super().__init__(context, metrics)
        settings, is_live = context.settings, Account.LIVE in context.capital
        self._portfolio = Portfolio(
            promotion_policy_of(settings),
            caps_of(settings),
            switches_of(settings, is_live=is_live),
            arena_size=settings.simulation.arena_size,
            shorts=shorting_families(settings.simulation.strategy_folders) if is_live else frozenset(),
        )
        self._lockstep = context.choice.lockstep
        self._due: list[PositionUpdate] = []  # marks of one event that wait for a decision, one for each account
        self._specs_seq = 0  # the last event for which all specs were received

    def handle(self, entries: list[Entry], work: UnitOfWork) -> None:
        """Apply the entries, and decide where a decision is due."""
        for entry in entries:
            match entry.payload:
                case SimulationResults() as results:
                    self._portfolio.on_results(results)
                case StrategySpec() as spec:
                    self._portfolio.on_spec(spec)
                    if spec.index + 1 == spec.of:
                        self._specs_seq = spec.seq
                case BacktestResult() as result if not result.proposed:
                    self._specs_seq = result.seq  # no spec follows
                case PositionUpdate() as mark:
                    # A mark of a later event replaces those that have led to no decision.
                    self._due = [*(due for due in self._due if due.seq == mark.seq), mark]
                case CommandMessage() as command if command.name in _MANUAL:
                    self._apply(command, work)
                case RiskEvent() as risk:
                    self.log.info("risk level", level=risk.level)
            self._decide_if_due(work)

    def _apply(self, command: CommandMessage, work: UnitOfWork) -> None:
        spec_id = command.spec_id
        retired = self._retired(spec_id) if command.name == CommandName.PROMOTE else None
        if retired is not None:
            outcome, step = self._portfolio.on_return(spec_id, *retired, command.reason), None
        else:
            outcome, step = self._portfolio.on_command(command.seq, command.name, spec_id, command.reason)
        if step is not None:
            self._write_steps([step], work)
            moved = StrategyRow.spec_id == step.spec_id
            work.change(
                update(StrategyRow)
                .where(StrategyRow.run_id == self.context.run_id, moved)
                .values(mode=step.to_mode, since_seq=step.seq)
            )
        work.change(update(CommandRow).where(CommandRow.command_id == command.command_id).values(outcome=outcome))
        self.log.warning("command applied", command=command.name, spec_id=spec_id, outcome=outcome)

    def _retired(self, spec_id: str) -> tuple[int, Genome] | None:
        """Return generation and genome of a retired strategy; None where it is not retired."""
        if spec_id not in self._portfolio.state.retired:
            return None
        query = select(StrategyRow.generation, StrategyRow.genome).where(
            StrategyRow.run_id == self.context.run_id, StrategyRow.spec_id == spec_id
        )
        with self.context.database.connect() as connection:
            row = connection.execute(query).one()
        return row.generation, genome_from(row.genome)

    def _decide_if_due(self, work: UnitOfWork) -> None:
        if len(self._due) < len(self.context.capital):
            return
        last = self._due[-1]
        if self._lockstep and last.flags & GENERATION and self._specs_seq < last.seq:
            return
        marks = {due.account: due for due in self._due}
        self._due = []
        self._write(last, self._portfolio.decide(last.seq, marks), work)
        record_strategies(self.metrics, self._portfolio)

    def _write(self, due: PositionUpdate, decision: Decision, work: UnitOfWork) -> None:
        seq = due.seq
        self._write_steps(decision.transitions, work)
        self._write_strategies(decision, work, is_generation=bool(due.flags & GENERATION))
        if decision.removed:
            retired = StrategyRow.spec_id.in_(decision.removed)
            work.change(
                update(StrategyRow)
                .where(StrategyRow.run_id == self.context.run_id, retired)
                .values(mode=str(Mode.RETIRED), since_seq=seq, allocation_usd=0.0)
            )
        work.add(
            AllocationRow,
            [{"seq": seq, "spec_id": s, "allocation_usd": usd} for s, usd in decision.allocations_usd.items()],
        )
        if due.flags & GENERATION:
            work.send(self._portfolio.arena_standings(seq))
        work.send(allocation_of(decision, self._portfolio.state, seq, due.after))

    def _write_steps(self, steps: list[Transition], work: UnitOfWork) -> None:
        work.add(LifecycleRow, [asdict(step) for step in steps])
        for step in steps:
            self.log.info("lifecycle", **asdict(step))

    def _write_strategies(self, decision: Decision, work: UnitOfWork, *, is_generation: bool) -> None:
        """Write new strategies with their genomes, and of the others, perhaps thousands, only changed ones."""
        strategies = self._portfolio.state.strategies
        joined = dict(self._genomes(decision))
        work.put(
            StrategyRow,
            [
                {"spec_id": spec_id, "genome": genome.to_dict(), "generation": strategies[spec_id].generation}
                | self._figures(spec_id, strategies[spec_id])
                for spec_id, genome in joined.items()
            ],
        )
        moved = {step.spec_id for step in decision.transitions} | set(decision.released)
        changed = [
            {"b_run": self.context.run_id, "b_spec": spec_id, **self._figures(spec_id, managed)}
            for spec_id, managed in strategies.items()
            if spec_id not in joined and (is_generation or spec_id in moved or managed.mode in DOWN)
        ]
        if changed:
            work.change(_SET_FIGURES, changed)

    def _genomes(self, decision: Decision) -> list[tuple[str, Genome]]:
        new = [step.spec_id for step in decision.transitions if step.from_mode in ("", Mode.RETIRED)]
        return list(zip(new, decision.added, strict=True))

    def dump(self) -> bytes:
        """Return the portfolio's state, the mark without a decision, and the event of the last specs."""
        return msgspec.msgpack.encode((self._portfolio.dump(), self._due, self._specs_seq))

    def load(self, state: bytes) -> None:
        """Continue from a state of `dump`.

        Raises:
            MemeSnipeError: another version has written the state.
        """
        try:
            dump, self._due, self._specs_seq = _STATE.decode(state)
        except msgspec.MsgspecError as error:
            raise MemeSnipeError("another version has written the state of the portfolio; begin a new run") from error
        self._portfolio.load(dump)

    def _figures(self, spec_id: str, managed: Managed) -> dict[str, Any]:
        records = self._portfolio.records
        result, parity = records.result(spec_id), records.parity(spec_id)
        return {
            "mode": str(managed.mode),
            "since_seq": managed.since_seq,
            "allocation_usd": managed.allocation_usd,
            "result": asdict(result) if result else None,
            "parity_bps": parity.error_bps if parity.fills else None,
            "parity_fills": parity.fills,
            "deflated_sharpe": managed.deflated_sharpe,
            "evidence": self._evidence(spec_id, managed) if result else None,
            "live_usd": managed.live.usd if managed.live else None,
        }

    def _evidence(self, spec_id: str, managed: Managed) -> dict[str, Any]:
        records = self._portfolio.records
        evidence, standing = records.evidence(spec_id), self._portfolio.standing(spec_id)
        return {
            "e_value": evidence.e_value,
            "threshold": standing.threshold,
            "is_proven": managed.is_proven,
            "round_trips": evidence.round_trips,
            "mean_return": evidence.mean,
            "expected_return": standing.expected,
            "deviation": standing.deviation,
            "trades_needed": standing.trades_needed if standing.trades_needed < NEVER else None,
            "weight": records.weight(spec_id),
        }
