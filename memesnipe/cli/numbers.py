"""Numeric options of the command line: finite, within a range that the help and the error message show."""

import math
from collections.abc import Callable
from typing import Any

import typer

from memesnipe.bounds import MAX_SEED, MAX_SHOWN
from memesnipe.errors import InputError


def number_option(option: str, minimum: float, maximum: float, meaning: str) -> Any:
    """Declare an option that takes a number; its errors name the option, the value and the range."""
    return _option(option, number_parser(option, minimum, maximum), meaning, f"{minimum:.15g} to {maximum:.15g}")


def integer_option(option: str, minimum: int, maximum: int, meaning: str) -> Any:
    """Declare an option that takes an integer."""
    return _option(option, integer_parser(option, minimum, maximum), meaning, f"{minimum} to {maximum}")


def seed_option(meaning: str) -> Any:
    """Declare `--seed`."""
    return integer_option("--seed", 0, MAX_SEED, meaning)


def number_parser(option: str, minimum: float, maximum: float, *, other: str = "") -> Callable[[Any], float]:
    """Return a parser that raises InputError for text that is not a number, not finite, or out of range.

    Args:
        option: name of the option, for the message.
        minimum: smallest value allowed.
        maximum: largest value allowed.
        other: another value that the option takes, for the message.
    """

    def parse(value: Any) -> float:
        try:
            found = float(value)
        except (ValueError, OverflowError):
            found = math.nan
        if not minimum <= found <= maximum:
            raise InputError(f"{option} {_shown(value)}: must be a number from {minimum:.15g} to {maximum:.15g}{other}")
        return found

    return parse


def integer_parser(option: str, minimum: int, maximum: int) -> Callable[[Any], int]:
    """Return a parser like that of `number_parser`, for integers."""

    def parse(value: Any) -> int:
        try:
            found = int(str(value))  # not int(1.5)
        except ValueError:
            found = minimum - 1
        if not minimum <= found <= maximum:
            raise InputError(f"{option} {_shown(value)}: must be a whole number from {minimum} to {maximum}")
        return found

    return parse


def _option(option: str, parser: Callable[[Any], Any], meaning: str, allowed: str) -> Any:
    return typer.Option(option, parser=parser, metavar="NUMBER", help=f"{meaning} ({allowed})")


def _shown(value: Any) -> str:
    text = ascii(str(value))[1:-1]
    return text if len(text) <= MAX_SHOWN else text[:MAX_SHOWN] + "..."
