"""Numbers on the command line: finite, and from a least to a most that the help and the message name."""

import math
from collections.abc import Callable
from typing import Any

import typer

from memesnipe.bounds import MAX_SEED, MAX_SHOWN
from memesnipe.errors import InputError


def number(option: str, least: float, most: float, meaning: str) -> Any:
    """The declaration of an option that takes a number; its errors name the option, the value and the range."""
    return _option(option, number_parser(option, least, most), meaning, f"{least:.15g} to {most:.15g}")


def whole(option: str, least: int, most: int, meaning: str) -> Any:
    """The declaration of an option that takes a whole number."""
    return _option(option, whole_parser(option, least, most), meaning, f"{least} to {most}")


def seed(meaning: str) -> Any:
    """The declaration of `--seed`."""
    return whole("--seed", 0, MAX_SEED, meaning)


def number_parser(option: str, least: float, most: float, *, other: str = "") -> Callable[[Any], float]:
    """A parser that raises InputError for what is no number, not finite, or out of range.

    Args:
        option: as it is typed.
        least: that it may be.
        most: that it may be.
        other: what else is allowed, for the message.
    """

    def parse(value: Any) -> float:
        try:
            found = float(value)
        except (ValueError, OverflowError):
            found = math.nan
        if not least <= found <= most:
            raise InputError(f"{option} {_shown(value)}: must be a number from {least:.15g} to {most:.15g}{other}")
        return found

    return parse


def whole_parser(option: str, least: int, most: int) -> Callable[[Any], int]:
    """As `number_parser`, for whole numbers."""

    def parse(value: Any) -> int:
        try:
            found = int(str(value))  # not int(1.5)
        except ValueError:
            found = least - 1
        if not least <= found <= most:
            raise InputError(f"{option} {_shown(value)}: must be a whole number from {least} to {most}")
        return found

    return parse


def _option(option: str, parser: Callable[[Any], Any], meaning: str, allowed: str) -> Any:
    return typer.Option(option, parser=parser, metavar="NUMBER", help=f"{meaning} ({allowed})")


def _shown(value: Any) -> str:
    text = ascii(str(value))[1:-1]
    return text if len(text) <= MAX_SHOWN else text[:MAX_SHOWN] + "..."
