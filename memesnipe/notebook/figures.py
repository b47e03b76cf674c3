"""What the results share: axes to plot on, and tables as notebooks show them."""

from collections.abc import Mapping
from html import escape
from typing import Any, Final

from memesnipe.errors import MemeSnipeError

_DECADE: Final = 10.0


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


def show_times(ax: Any) -> None:
    """Label the horizontal axis with times in UTC, and the date once."""
    from matplotlib.dates import AutoDateLocator, ConciseDateFormatter  # noqa: PLC0415 - an extra of the package

    locator = AutoDateLocator()  # type: ignore[no-untyped-call]
    ax.xaxis.set_major_locator(locator)
    ax.xaxis.set_major_formatter(ConciseDateFormatter(locator))  # type: ignore[no-untyped-call]
    ax.set_xlabel("time (UTC)")


def show_prices(ax: Any, low: float, high: float) -> None:
    """Label the vertical axis with prices: logarithmic where they differ by more than a factor of ten.

    Args:
        ax: matplotlib's axes.
        low: lowest price, above 0.
        high: highest price.
    """
    if high <= _DECADE * low:
        return
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter  # noqa: PLC0415 - an extra of the package

    ax.set_yscale("log")
    ax.yaxis.set_major_locator(LogLocator(subs=(1.0, 2.0, 5.0)))
    ax.yaxis.set_major_formatter(FuncFormatter(lambda price, _: f"{price:.3g}"))
    ax.yaxis.set_minor_formatter(NullFormatter())


def html_table(title: str, values: Mapping[str, Any]) -> str:
    """Return names and values as a table in HTML."""
    rows = "".join(
        f"<tr><th style='text-align:left'>{escape(name)}</th><td>{escape(_text(value))}</td></tr>"
        for name, value in values.items()
    )
    return f"<table><caption>{escape(title)}</caption>{rows}</table>"


def _text(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {_text(item)}" for name, item in value.items())
    return f"{value:,.4g}" if isinstance(value, float) else str(value)
