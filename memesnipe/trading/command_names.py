"""The names of the commands that a person gives a run, and what may be said with one.

They stand alone, so that naming one loads no compiler.
"""

from typing import Final

from memesnipe.errors import InputError

HALT: Final = "halt"
RISK_RESET: Final = "risk_reset"
PROMOTE: Final = "promote"
DEMOTE: Final = "demote"

MAX_REASON_BYTES: Final = 1_024


def check_reason(reason: str) -> None:
    """Refuse a reason that cannot be recorded.

    Raises:
        InputError: it is too long, or holds what is no text.
    """
    try:
        size = len(reason.encode())
    except UnicodeEncodeError as error:
        raise InputError("the reason is not text in UTF-8") from error
    if size > MAX_REASON_BYTES:
        raise InputError(f"the reason has {size:,} bytes; it may have {MAX_REASON_BYTES:,}")
    if "\0" in reason:
        raise InputError("the reason holds a zero byte, which cannot be stored")
