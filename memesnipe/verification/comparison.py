"""Comparison: where records are not what they should be, in words."""

from collections.abc import Iterator, Mapping
from typing import Any


def differences(what: str, recorded: Mapping[Any, Any], expected: Mapping[Any, Any]) -> Iterator[str]:
    """Where records of one kind, each under its key, are not what was expected, one line each."""
    for key in sorted(recorded.keys() - expected.keys()):
        yield f"{what} {name_of(key)} was recorded, but should not be there"
    for key in sorted(expected.keys() - recorded.keys()):
        yield f"{what} {name_of(key)} should be there, but was not recorded"
    for key in sorted(recorded.keys() & expected.keys()):
        if recorded[key] != expected[key]:
            yield f"{what} {name_of(key)}: {_difference(recorded[key], expected[key])}"


def name_of(key: tuple[Any, ...]) -> str:
    """A key as people are shown it."""
    return "/".join(map(str, key))


def _difference(recorded: Any, expected: Any) -> str:
    if not isinstance(recorded, dict):
        return "says something else"
    names = [name for name in recorded if recorded[name] != expected.get(name)]
    return ", ".join(f"{name} is recorded as {recorded[name]!r} and should be {expected.get(name)!r}" for name in names)
