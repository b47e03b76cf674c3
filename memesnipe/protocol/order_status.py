"""The states of an order and their transitions: one table, shared by desk, ledger and verification."""

from enum import StrEnum
from typing import Final


class OrderStatus(StrEnum):
    """The states of an order. An order is stored as `intended` before it can have any effect."""

    INTENDED = "intended"
    SIGNED = "signed"  # a transaction exists and may be submitted at any time
    SUBMITTED = "submitted"
    LANDED = "landed"
    FAILED = "failed"  # it reached the chain, paid its fee and did not trade, or it did not land
    EXPIRED = "expired"  # its blockhash expired before it landed
    UNKNOWN = "unknown"  # submitted; the venue cannot determine its outcome yet
    CANCELLED = "cancelled"  # cancelled before it was signed
    RECONCILED = "reconciled"  # its outcome agrees with the balances of the wallet


_S = OrderStatus
TRANSITIONS: Final[dict[OrderStatus, frozenset[OrderStatus]]] = {
    # The paper venue needs no signature: its orders go from intended to their outcome.
    _S.INTENDED: frozenset({_S.SIGNED, _S.LANDED, _S.FAILED, _S.CANCELLED}),
    _S.SIGNED: frozenset({_S.SUBMITTED, _S.EXPIRED, _S.UNKNOWN}),
    _S.SUBMITTED: frozenset({_S.LANDED, _S.FAILED, _S.EXPIRED, _S.UNKNOWN}),
    _S.UNKNOWN: frozenset({_S.SUBMITTED, _S.LANDED, _S.FAILED, _S.EXPIRED}),
    _S.LANDED: frozenset({_S.RECONCILED}),
    _S.FAILED: frozenset({_S.RECONCILED}),
    _S.EXPIRED: frozenset({_S.RECONCILED}),
    _S.CANCELLED: frozenset(),
    _S.RECONCILED: frozenset(),
}
OPEN: Final = frozenset({_S.INTENDED, _S.SIGNED, _S.SUBMITTED, _S.UNKNOWN})  # the order may still trade


class TransitionError(ValueError):
    """The table has no such transition."""


def assert_transition(before: OrderStatus, after: OrderStatus) -> None:
    """Check a transition.

    Raises:
        TransitionError: the table does not have the transition.
    """
    if after not in TRANSITIONS[before]:
        raise TransitionError(f"an order that is {before} cannot become {after}")


def is_outdated(before: OrderStatus, reported: OrderStatus) -> bool:
    """Return whether a report repeats the status of an order, or has one that precedes it in the table.

    Venues report late and more than once; such a report has no effect.
    """
    return reported is before or (reported not in TRANSITIONS[before] and before in _successors(reported))


def _successors(status: OrderStatus) -> set[OrderStatus]:
    """Return the statuses that can follow a status, in any number of steps."""
    found: set[OrderStatus] = set()
    new = set(TRANSITIONS[status])
    while new:
        found |= new
        new = {after for each in new for after in TRANSITIONS[each]} - found
    return found
