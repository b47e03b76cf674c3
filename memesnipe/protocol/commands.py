"""The manual commands of a run, and the check of the reason that is stored with a command."""

from enum import StrEnum
from typing import Final

from memesnipe.errors import InputError

MAX_REASON_BYTES: Final = 1_024
MANUAL: Final = "manual"  # how the recorded reason of a change begins that a person asked for
BY_KILL_FILE: Final = "the file halt exists"  # the reason of a halt that market_data records
NOT_HELD: Final = "it is not held"  # why a close is refused

# How the outcomes begin of commands that have changed nothing, or not yet.
REFUSED: Final = "refused: "
NO_EFFECT: Final = "without effect: "
WAITING: Final = "waiting: it takes effect at the next event"


class CommandName(StrEnum):
    """The names of the manual commands."""

    HALT = "halt"  # stop all trading, as Emergency does
    FLATTEN = "flatten"  # stop all entries, and sell every position
    RISK_RESET = "risk_reset"  # leave a halt or Emergency; drawdown is measured from the next mark on
    PROMOTE = "promote"  # one mode up, without the gates
    DEMOTE = "demote"  # one mode down
    CLOSE = "close"  # sell one position


def is_effective(outcome: str | None) -> bool | None:
    """Return whether a command with this outcome has changed something; None while it waits."""
    if outcome is None or outcome == WAITING:
        return None
    return not outcome.startswith((REFUSED, NO_EFFECT))


def check_reason(reason: str) -> None:
    """Check that a reason can be stored.

    Raises:
        InputError: the reason has more than `MAX_REASON_BYTES` bytes, is not UTF-8, or has a zero byte.
    """
    try:
        size = len(reason.encode())
    except UnicodeEncodeError as error:
        raise InputError("the reason is not text in UTF-8") from error
    if size > MAX_REASON_BYTES:
        raise InputError(f"the reason has {size:,} bytes; it may have {MAX_REASON_BYTES:,}")
    if "\0" in reason:
        raise InputError("the reason contains a zero byte, which cannot be stored")
