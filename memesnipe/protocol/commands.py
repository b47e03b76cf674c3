"""The commands that a person gives a run, and the check of the reason given with one."""

from enum import StrEnum
from typing import Final

from memesnipe.errors import InputError

MAX_REASON_BYTES: Final = 1_024


class CommandName(StrEnum):
    """The commands."""

    HALT = "halt"  # stop all trading, as Emergency does
    RISK_RESET = "risk_reset"  # leave a halt or Emergency; drawdown is measured from the next mark on
    PROMOTE = "promote"  # one mode up, past the gates
    DEMOTE = "demote"  # one mode down


def check_reason(reason: str) -> None:
    """Refuse a reason that cannot be stored.

    Raises:
        InputError: it is too long, not UTF-8, or has a zero byte.
    """
    try:
        size = len(reason.encode())
    except UnicodeEncodeError as error:
        raise InputError("the reason is not text in UTF-8") from error
    if size > MAX_REASON_BYTES:
        raise InputError(f"the reason has {size:,} bytes; it may have {MAX_REASON_BYTES:,}")
    if "\0" in reason:
        raise InputError("the reason holds a zero byte, which cannot be stored")
