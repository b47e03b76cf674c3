"""Comparison: the differences between recorded rows and expected ones, as text."""

from collections.abc import Iterator, Mapping
from typing import Any


def differences(what: str, recorded: Mapping[Any, Any], expected: Mapping[Any, Any]) -> Iterator[str]:
    """Yield one line for each difference between rows of one kind, each under its key."""
    for key in sorted(recorded.keys() - expected.keys()):
        yield f"{what} {name_of(key)} was recorded, but is not expected"
    for key in sorted(expected.keys() - recorded.keys()):
        yield f"{what} {name_of(key)} is expected, but was not recorded"
    for key in sorted(recorded.keys() & expected.keys()):
        if recorded[key] != expected[key]:
            yield f"{what} {name_of(key)}: {_difference(recorded[key], expected[key])}"


def name_of(key: tuple[Any, ...]) -> str:
    """Return a key as text."""
    return "/".join(map(str, key))


def _difference(recorded: Any, expected: Any) -> str:
    if not isinstance(recorded, dict):
        return "its content differs"
    names = [name for name in recorded if recorded[name] != expected.get(name)]
    return ", ".join(f"{name} is recorded as {recorded[name]!r}, expected {expected.get(name)!r}" for name in names)
