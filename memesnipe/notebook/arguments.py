"""Checks of the arguments of the API for notebooks: a wrong one is one line, as of a command."""

import math
from typing import Any

from memesnipe.errors import InputError

_SHOWN = 60  # characters of a wrong value


def check_type(name: str, value: Any, kinds: tuple[type, ...], expected: str) -> None:
    """Check the type of an argument.

    Args:
        name: of the argument, for the message.
        value: as given.
        kinds: the types that it may have.
        expected: what it must be, in words.

    Raises:
        InputError: it has another type.
    """
    if not isinstance(value, kinds):
        raise InputError(f"{name}={_shown(value)}: must be {expected}")


def check_number(name: str, value: Any, least: float = -math.inf, most: float = math.inf) -> None:
    """Check that an argument is a finite number within a range; True and False are none.

    Raises:
        InputError: it is not.
    """
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if not is_number or not math.isfinite(value) or not least <= value <= most:
        allowed = f" from {least:.15g} to {most:.15g}" if math.isfinite(least) and math.isfinite(most) else ""
        raise InputError(f"{name}={_shown(value)}: must be a number{allowed}")


def check_integer(name: str, value: Any, least: int, most: int) -> None:
    """Check that an argument is a whole number within a range.

    Raises:
        InputError: it is not.
    """
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise InputError(f"{name}={_shown(value)}: must be a whole number from {least} to {most}")


def _shown(value: Any) -> str:
    text = " ".join(ascii(value).split())
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."
