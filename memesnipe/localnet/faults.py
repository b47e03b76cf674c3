"""Faults of the local cluster on purpose: how often each happens, decided by a seed, and counted."""

from collections import Counter
from dataclasses import dataclass, fields
from typing import Final

import numpy as np

from memesnipe.errors import InputError
from memesnipe.localnet.chain import Chain
from memesnipe.localnet.mempool import Entry

_REQUEST_KINDS: Final = ("rate_limit", "node_behind", "closed_socket")


@dataclass(frozen=True, slots=True)
class FaultRates:
    """The probability of each fault.

    Of a transaction (or bundle) that is sent: `drop` loses it, `delay` keeps it for 1 to `delay_slots` slots, `fail`
    lets it land with the custom error `fail_code`.

    Of a block: `reorder` shuffles its transactions. Of a slot: `skip` leaves it without a block, `stall` stops slots
    for 1 to `stall_slots` of their times, `fork` removes the 1 to `fork_blocks` newest blocks (finalized ones stay),
    and `cut_websockets` breaks every websocket.

    Of a request: `rate_limit` answers with status 429, `node_behind` with the error -32005, `closed_socket` breaks the
    connection without an answer; in two of three cases after the request has had its effect.
    """

    drop: float = 0.0
    delay: float = 0.0
    fail: float = 0.0
    reorder: float = 0.0
    skip: float = 0.0
    stall: float = 0.0
    fork: float = 0.0
    cut_websockets: float = 0.0
    rate_limit: float = 0.0
    node_behind: float = 0.0
    closed_socket: float = 0.0

    delay_slots: int = 8
    stall_slots: int = 20
    fork_blocks: int = 3
    fail_code: int = 6002

    def __post_init__(self) -> None:
        for kind in KINDS:
            if not 0.0 <= getattr(self, kind) <= 1.0:
                raise InputError(f"the rate of {kind} must be a probability from 0 to 1")
        for name in ("delay_slots", "stall_slots", "fork_blocks"):
            if getattr(self, name) < 1:
                raise InputError(f"{name} must be at least 1")


KINDS: Final = tuple(field.name for field in fields(FaultRates) if field.type is float)


class FaultPlan:
    """Decides which event gets a fault. Each kind has a random sequence of its own, so one does not shift another.

    Args:
        rates: how often.
        seed: of the sequences.
    """

    def __init__(self, rates: FaultRates | None = None, seed: int = 0) -> None:
        self.rates = rates or FaultRates()
        self.counts: Counter[str] = Counter()
        self._random = {kind: np.random.default_rng([seed, index]) for index, kind in enumerate(KINDS)}
        self._forced: Counter[str] = Counter()

    def force(self, kind: str, times: int = 1) -> None:
        """Let the next events of a kind have the fault, whatever its rate.

        Raises:
            InputError: there is no such kind.
        """
        if kind not in KINDS:
            raise InputError(f"{kind!r} is no fault: choose from {', '.join(KINDS)}")
        self._forced[kind] += times

    def happens(self, kind: str) -> bool:
        """Decide about one event, and count a fault."""
        is_forced = self._forced[kind] > 0
        self._forced[kind] -= is_forced
        rate = getattr(self.rates, kind)
        if is_forced or (rate > 0.0 and self._random[kind].random() < rate):
            self.counts[kind] += 1
            return True
        return False

    def up_to(self, kind: str, most: int) -> int:
        """Return an extent from 1 to ``most``."""
        return int(self._random[kind].integers(1, most + 1))

    def shuffled(self, entries: list[Entry]) -> list[Entry]:
        """Return entries in a random order."""
        return [entries[index] for index in self._random["reorder"].permutation(len(entries))]

    def of_request(self) -> str | None:
        """Return the fault of a request; None for none."""
        return next((kind for kind in _REQUEST_KINDS if self.happens(kind)), None)


class FaultyMempool:
    """A mempool that loses, delays, fails and reorders as planned."""

    def __init__(self, plan: FaultPlan) -> None:
        self._plan = plan
        self._slot = 0
        self._waiting: list[tuple[int, Entry]] = []  # with the first slot in which it may land

    def add(self, entry: Entry) -> None:
        """Add an entry, or lose it."""
        plan, due = self._plan, 0
        if plan.happens("drop"):
            return
        if plan.happens("delay"):
            due = self._slot + 1 + plan.up_to("delay", plan.rates.delay_slots)
        if plan.happens("fail"):
            entry = Entry(entry.transactions, plan.rates.fail_code)
        self._waiting.append((due, entry))

    def take(self, slot: int) -> list[Entry]:
        """Return the entries of the block in a slot."""
        self._slot = slot
        taken = [entry for due, entry in self._waiting if due <= slot]
        self._waiting = [item for item in self._waiting if item[0] > slot]
        return self._plan.shuffled(taken) if len(taken) > 1 and self._plan.happens("reorder") else taken


class SlotDriver:
    """Lets a chain go on by slots, with the faults of slots.

    Args:
        chain: to drive.
        plan: of the faults.
    """

    def __init__(self, chain: Chain, plan: FaultPlan) -> None:
        self._chain, self._plan = chain, plan
        self._stalled = 0  # slot times for which nothing goes on

    def step(self) -> None:
        """Let the time of one slot pass."""
        plan = self._plan
        if self._stalled:
            self._stalled -= 1
            return
        if plan.happens("stall"):
            self._stalled = plan.up_to("stall", plan.rates.stall_slots) - 1
            return
        ledger = self._chain.ledger
        removable = ledger.head.height - ledger.height("finalized")
        if removable and plan.happens("fork"):
            self._chain.roll_back(min(plan.up_to("fork", plan.rates.fork_blocks), removable))
        self._chain.tick(is_skipped=plan.happens("skip"))
