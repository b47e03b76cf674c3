"""What the results share: axes to plot on, and tables as notebooks show them."""

from collections.abc import Mapping
from html import escape
from typing import Any

from memesnipe.errors import MemeSnipeError


def axes_of(ax: Any) -> Any:
    """Return the axes to plot on: those given, or new ones.

    Raises:
        MemeSnipeError: matplotlib is not installed.
    """
    if ax is not None:
        return ax
    try:
        from matplotlib import pyplot  # noqa: PLC0415 - an extra of the package
    except ImportError:
        raise MemeSnipeError("plots need matplotlib: pip install 'memesnipe[plot]'") from None
    return pyplot.subplots(figsize=(10, 4), layout="constrained")[1]


def html_table(title: str, values: Mapping[str, Any]) -> str:
    """Return names and values as a table in HTML."""
    rows = "".join(
        f"<tr><th style='text-align:left'>{escape(name.replace('_', ' '))}</th><td>{escape(_text(value))}</td></tr>"
        for name, value in values.items()
    )
    return f"<table><caption>{escape(title)}</caption>{rows}</table>"


def _text(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {_text(item)}" for name, item in value.items())
    return f"{value:,.4g}" if isinstance(value, float) else str(value)
