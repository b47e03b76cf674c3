"""The states of an order and the transitions between them: the one table that desk, ledger and verification use."""

from enum import StrEnum
from typing import Final


class OrderStatus(StrEnum):
    """The states. An order is written as `intended` before it can have any effect."""

    INTENDED = "intended"
    SIGNED = "signed"  # a transaction exists and may be submitted any time
    SUBMITTED = "submitted"
    LANDED = "landed"
    FAILED = "failed"  # it reached the chain, paid its fee and did not trade, or it did not land
    EXPIRED = "expired"  # its blockhash expired before it landed
    UNKNOWN = "unknown"  # submitted, and the venue cannot say yet what became of it
    CANCELLED = "cancelled"  # recalled before it was signed
    RECONCILED = "reconciled"  # its outcome agrees with the balances of the wallet


_S = OrderStatus
TRANSITIONS: Final[dict[OrderStatus, frozenset[OrderStatus]]] = {
    # A venue that trades on paper needs no signature: its orders go from intended to their outcome.
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
    """An order cannot go from one state to another."""


def assert_transition(before: OrderStatus, after: OrderStatus) -> None:
    """Check a transition.

    Raises:
        TransitionError: the table does not have it.
    """
    if after not in TRANSITIONS[before]:
        raise TransitionError(f"an order that is {before} cannot become {after}")
