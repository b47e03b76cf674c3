"""Execution: arenas and desks over the same events, so that a decision on paper is the simulated decision.

The state changes in two ways only: by events, and by controls between two events. Events and controls therefore derive
the state again, after a crash and when a run is verified.

Each desk consumes the decisions of all arenas in one total order: by event, then by decision time, then by the number
under which a strategy was admitted. The records therefore do not depend on how many arenas there are.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain

import numpy as np

from memesnipe.engine.fills import FillModel
from memesnipe.engine.orders import ENTRIES, Order
from memesnipe.execution.paper import PaperVenue
from memesnipe.execution.reporting import ReportingVenue
from memesnipe.execution.venue import ExecutionVenue
from memesnipe.market.events import DECISION, Events, last_of_decisions
from memesnipe.protocol.account import Account
from memesnipe.protocol.messages import (
    AllocationMessage,
    CommandMessage,
    ControlPayload,
    ExecutionReport,
    ParityRecord,
    RoundTripSeen,
)
from memesnipe.protocol.strategy_columns import StrategyColumns
from memesnipe.sdk.registry import Families
from memesnipe.trading.accounts import AccountState, TradingAccount
from memesnipe.trading.arena import Arena, ArenaBatch, ArenaPort, ArenaState
from memesnipe.trading.desk import Desk
from memesnipe.trading.desk_state import order_key
from memesnipe.trading.gate import Limits
from memesnipe.trading.ledger import LedgerPolicy
from memesnipe.trading.steps import Results, Step


@dataclass(slots=True)
class DeskSideState:
    """The state beside the arenas."""

    accounts: dict[Account, AccountState] = field(default_factory=dict)
    account_of: dict[str, Account] = field(default_factory=dict)  # of the strategies with an allocation
    admitted: int = 0  # strategies ever admitted
    admission_no: dict[str, int] = field(default_factory=dict)  # of the strategies in the arenas
    observed: list[RoundTripSeen] = field(default_factory=list)  # since the last results


@dataclass(slots=True)
class ExecutionState:
    """The state of all arenas, and the state beside them."""

    arenas: list[ArenaState]
    side: DeskSideState


class OrderFlow:
    """Advances the desks of all accounts over events and the output of all arenas, and applies controls."""

    def __init__(self, arenas: Sequence[ArenaPort], accounts: Sequence[TradingAccount]) -> None:
        """Create it from arenas and accounts in their initial states; the last account's steps have the results."""
        self._arenas = arenas
        self.accounts = {account.name: account for account in accounts}
        self._side = DeskSideState({account.name: account.state for account in accounts})

    @property
    def seq(self) -> int:
        """The number of the last event that was applied."""
        return self._arenas[0].seq

    def advance(self, events: Events) -> Iterator[Step]:
        """Yield the steps up to each event after which a decision is due, and those for the remaining events.

        Each account has one step, in the order of the accounts; the last one has the results.
        """
        start = 0
        for last in [*last_of_decisions(events), len(events) - 1]:
            if last >= start:
                batch = events[start : last + 1]
                yield from self._advance_accounts(batch, [arena.advance(batch) for arena in self._arenas])
                start = last + 1

    def _advance_accounts(self, events: Events, batches: Sequence[ArenaBatch]) -> list[Step]:
        simulated = {order_key(fill.order): fill for fill in chain.from_iterable(batch.fills for batch in batches)}
        decisions = self._in_order(batches)
        steps = [
            account.advance(events, self._decisions_of(account.name, decisions), simulated)
            for account in self.accounts.values()
        ]
        self._observe()
        flags = int(events[-1]["flags"]) & DECISION
        if flags:
            figures = {
                name: account.mark(step) for (name, account), step in zip(self.accounts.items(), steps, strict=True)
            }
            self._leave_orphans(batches, steps)
            observed, self._side.observed = self._side.observed, []
            strategies, parity = self._strategy_columns(), self._parity_records()
            steps[-1].results = Results(steps[-1].ts, flags, strategies, parity, observed, figures)
        return steps

    def _strategy_columns(self) -> StrategyColumns:
        """Return results and evidence of all strategies in the order of their admission."""
        columns = [arena.columns() for arena in self._arenas]
        spec_ids = [spec_id for names, _ in columns for spec_id in names]
        figures = np.concatenate([figures for _, figures in columns])
        if len(self._arenas) > 1:
            order = sorted(range(len(spec_ids)), key=lambda row: self._side.admission_no[spec_ids[row]])
            spec_ids, figures = [spec_ids[row] for row in order], figures[order]
        return StrategyColumns.of(spec_ids, figures)

    def _observe(self) -> None:
        """Pass the round trips of the desks to the evidence of their strategies."""
        observed = [
            (index, name, seen)
            for index, (name, account) in enumerate(self.accounts.items())
            for seen in account.desk.take_observed()
        ]
        # The accounts advance one after the other; in this order the evidence does not depend on batches, although
        # many events of a chain have the same time.
        observed.sort(key=lambda found: (found[2].ts, found[2].is_between_events, found[2].seq))
        for index, name, seen in observed:
            # After a change of mode a strategy may hold a token in both accounts.
            position = seen.token * len(self.accounts) + index
            for arena in self._arenas:
                if arena.owns(seen.spec_id):
                    arena.observe_desk(seen.spec_id, position, seen.value)
            profit = seen.profit_lamports if name is Account.LIVE and seen.value is not None else 0
            self._side.observed.append(RoundTripSeen(seen.spec_id, position, seen.value, profit))

    def _in_order(self, batches: Sequence[ArenaBatch]) -> list[Order]:
        """Merge the decisions of all arenas into the total order; a strategy's own decisions keep theirs."""
        if len(batches) == 1:
            return batches[0].decisions
        admission_no = self._side.admission_no
        return sorted(
            chain.from_iterable(batch.decisions for batch in batches),
            key=lambda order: (
                order.decided_seq,
                order.decided_between_events,
                order.decided_ts,
                admission_no[order.spec_id],
            ),
        )

    def _decisions_of(self, account: Account, decisions: list[Order]) -> list[Order]:
        """Return the decisions that concern an account: entries of its strategies, and all exits.

        After a change of mode a strategy may still hold tokens in its former account; a desk without the holding
        ignores the exit.
        """
        if len(self.accounts) == 1:
            return decisions
        account_of = self._side.account_of
        return [d for d in decisions if d.side not in ENTRIES or account_of.get(d.spec_id, Account.PAPER) is account]

    def _leave_orphans(self, batches: Sequence[ArenaBatch], steps: Sequence[Step]) -> None:
        exposed = frozenset[tuple[str, int]]().union(*(batch.exposed for batch in batches))
        for account, step in zip(self.accounts.values(), steps, strict=True):
            account.leave_orphans(exposed, step)

    def _parity_records(self) -> dict[str, ParityRecord]:
        """Return the parity of each strategy; only the account in which it has an allocation has a record."""
        return {s: record for account in self.accounts.values() for s, record in account.parity_records().items()}

    def apply(self, control: ControlPayload) -> list[Step]:
        """Apply a control: a message that changes the state between two events.

        Returns:
            One step for each account that the control concerns.

        Raises:
            KeyError: the control is for an account that the run does not have.
            TransitionError: a report contradicts the state of its order.
        """
        steps = self._apply(control)
        self._observe()
        return steps

    def _apply(self, control: ControlPayload) -> list[Step]:
        accounts, seq = self.accounts, self.seq
        match control:
            case CommandMessage():
                return [each.apply_command(control, seq) for each in accounts.values() if control.concerns(each.name)]
            case ExecutionReport():
                return [accounts[control.account].apply_report(control, seq)]
            case AllocationMessage():
                return self._apply_allocations(control)

    def _apply_allocations(self, message: AllocationMessage) -> list[Step]:
        """Add and remove strategies in the arenas, and set the allocations of the desks."""
        side = self._side
        for genome in message.added:
            side.admitted += 1
            side.admission_no[genome.spec_id] = side.admitted
        side.account_of = {spec_id: Account(message.modes[spec_id]) for spec_id in message.allocations_usd}
        allocated: dict[Account, dict[str, float]] = {name: {} for name in self.accounts}
        for spec_id, usd in message.allocations_usd.items():
            allocated[side.account_of[spec_id]][spec_id] = usd
        # A desk consumes decisions of strategies with an allocation, a holding or an open order.
        watched = {s for name, account in self.accounts.items() for s in account.set_allocations(allocated[name])}
        batches = [arena.apply(message, watched) for arena in self._arenas]
        for spec_id in message.removed:
            side.admission_no.pop(spec_id, None)
        steps = [account.begin_step(self.seq) for account in self.accounts.values()]
        self._leave_orphans(batches, steps)
        return steps

    @property
    def side(self) -> DeskSideState:
        """The state beside the arenas; no copy: store it before the next step changes it."""
        return self._side

    def load_side(self, side: DeskSideState) -> None:
        """Continue from a state of `side`."""
        self._side = side
        for name, account in self.accounts.items():
            account.load(side.accounts[name])


class Execution(OrderFlow):
    """Arenas and desks in one process."""

    def __init__(self, arenas: Sequence[Arena], accounts: Sequence[TradingAccount]) -> None:
        """Create it from arenas and accounts in their initial states."""
        self.arenas = list(arenas)
        super().__init__(self.arenas, accounts)

    def dump(self) -> ExecutionState:
        """Return the state. The part beside the arenas is no copy, as in `side`."""
        return ExecutionState([arena.dump() for arena in self.arenas], self.side)

    def load(self, state: ExecutionState) -> None:
        """Continue from a state of `dump`."""
        for arena, arena_state in zip(self.arenas, state.arenas, strict=True):
            arena.load(arena_state)
        self.load_side(state.side)


def local_execution(
    families: Families,
    model: FillModel,
    *,
    shadow_capital_usd: float,
    limits: Mapping[Account, Limits],
    policies: Mapping[Account, LedgerPolicy],
    threads: int = 1,
    arenas: int = 1,
) -> Execution:
    """Return arenas and desks in this process, in their initial state.

    Args:
        families: all strategy families.
        model: fees, latency and landing of orders.
        shadow_capital_usd: simulated capital of each strategy.
        limits: of the risk gate of each account.
        policies: the capital and the stops of each account.
        threads: of each arena.
        arenas: how many.
    """
    made = [
        Arena(families, model, shadow_capital_usd=shadow_capital_usd, threads=threads, index=index, count=arenas)
        for index in range(arenas)
    ]
    return Execution(made, trading_accounts(model, limits, policies))


def trading_accounts(
    model: FillModel, limits: Mapping[Account, Limits], policies: Mapping[Account, LedgerPolicy]
) -> list[TradingAccount]:
    """Return the accounts that have limits and policies, in their initial state."""
    venues: dict[Account, ExecutionVenue] = {Account.LIVE: ReportingVenue(model), Account.PAPER: PaperVenue(model)}
    return [
        TradingAccount(name, Desk(venue, limits[name], policies[name]))
        for name, venue in venues.items()
        if name in limits
    ]
