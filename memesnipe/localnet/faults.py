"""Faults of the local cluster on purpose: how often each happens, decided by a seed, and counted."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any, Final

import numpy as np

from memesnipe.errors import InputError, did_you_mean
from memesnipe.localnet.chain import Chain
from memesnipe.localnet.mempool import Entry

_CODES: Final = 1 << 32  # of custom errors
_REQUEST_KINDS: Final = ("rate_limit", "node_behind", "closed_socket")


@dataclass(frozen=True, slots=True)
class FaultRates:
    """The probability of each fault.

    Of a transaction (or bundle) that is sent: `drop` loses it, `delay` keeps it for 1 to `delay_blocks` blocks, `fail`
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

    delay_blocks: int = 8
    stall_slots: int = 20
    fork_blocks: int = 1  # more take back confirmed blocks, which mainnet has never done
    fail_code: int = 6002

    def __post_init__(self) -> None:
        for kind in KINDS:
            if not 0.0 <= getattr(self, kind) <= 1.0:
                raise InputError(f"the rate of {kind} must be a probability from 0 to 1")
        for name in ("delay_blocks", "stall_slots", "fork_blocks"):
            if getattr(self, name) < 1:
                raise InputError(f"{name} must be at least 1")
        if not 0 <= self.fail_code < _CODES:
            raise InputError(f"fail_code must be a custom error from 0 to {_CODES - 1}")


KINDS: Final = tuple(field.name for field in fields(FaultRates) if field.type is float)


def parse_rates(pairs: Sequence[str]) -> FaultRates:
    """Return the rates in texts of the option ``--fault`` such as ``drop=0.1``.

    Raises:
        InputError: one is not a name of a rate or of an extent with a number, or is given twice.
    """
    values: dict[str, Any] = {}
    for pair in pairs:
        name, _, text = pair.partition("=")
        kind = next((one.type for one in fields(FaultRates) if one.name == name), None)
        if kind is None:
            names = [one.name for one in fields(FaultRates)]
            near = did_you_mean(name, names)
            raise InputError(f"--fault {pair!r}: there is no such fault{near}; choose from {', '.join(names)}")
        if name in values:
            raise InputError(f"--fault {pair!r}: {name} is given twice; give it once")
        try:
            values[name] = float(text) if kind is float else int(text)
        except ValueError:
            raise InputError(f"--fault {pair!r}: {text!r} is no number") from None
    try:
        return FaultRates(**values)
    except InputError as error:
        raise InputError(f"--fault: {error}") from None


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
        """Return entries in a random order; those that are spared keep theirs among themselves."""
        mixed = [entries[index] for index in self._random["reorder"].permutation(len(entries))]
        spared = iter([entry for entry in entries if entry.is_spared])
        return [next(spared) if entry.is_spared else entry for entry in mixed]

    def of_request(self) -> str | None:
        """Return the fault of a request; None for none."""
        return next((kind for kind in _REQUEST_KINDS if self.happens(kind)), None)


class FaultyMempool:
    """A mempool that loses, delays, fails and reorders as planned."""

    def __init__(self, plan: FaultPlan) -> None:
        self._plan = plan
        self._waiting: list[tuple[int, Entry]] = []  # with the number of blocks that pass it by

    def add(self, entry: Entry) -> None:
        """Add an entry, or lose it."""
        plan = self._plan
        if entry.is_spared:
            self._waiting.append((0, entry))
            return
        if plan.happens("drop"):
            return
        blocks = plan.up_to("delay", plan.rates.delay_blocks) if plan.happens("delay") else 0
        if plan.happens("fail"):
            entry = Entry(entry.transactions, plan.rates.fail_code)
        self._waiting.append((blocks, entry))

    def take(self) -> list[Entry]:
        """Return the entries of the next block."""
        taken = [entry for blocks, entry in self._waiting if not blocks]
        self._waiting = [(blocks - 1, entry) for blocks, entry in self._waiting if blocks]
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
        # After a fork without a new block the head is confirmed: the next fork leaves it, unless told otherwise.
        safe = ledger.height("confirmed" if plan.rates.fork_blocks == 1 else "finalized")
        removable = ledger.head.height - safe
        if removable and plan.happens("fork"):
            self._chain.roll_back(min(plan.up_to("fork", plan.rates.fork_blocks), removable))
        self._chain.tick(is_skipped=plan.happens("skip"))
