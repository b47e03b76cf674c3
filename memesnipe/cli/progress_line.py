"""The one line about a run: what it waits for, how it is, and how far it has come; never a row of zeros."""

import time
from collections.abc import Callable, Mapping
from typing import Any, Final

from memesnipe.api.background_check import BackgroundCheck
from memesnipe.api.health import FINE

Json = Mapping[str, Any]

_OLD_S: Final = 10.0
_OPENING: Final = (("starting", ""), ("recovering", ""), ("down", "no heartbeat"))
_DISK_FULL: Final = ("No space left on device", "File too large", "Disk quota exceeded")


class HealthWatch:
    """The latest answer of a health check that may hang, for someone who will not wait for it."""

    def __init__(self, check: Callable[[], Json]) -> None:
        self._probe = BackgroundCheck(check)
        self._pending = self._probe.ask()
        self._answer: Json = {"status": "starting", "detail": "the dashboard", "parts": {}}
        self._heard_at = time.monotonic()

    def latest(self) -> Json:
        """The last answer, or that there is none any more."""
        if self._pending.done():
            if self._pending.exception() is None:
                self._answer, self._heard_at = self._pending.result(), time.monotonic()
            self._pending = self._probe.ask()
        silent_s = time.monotonic() - self._heard_at
        if silent_s > _OLD_S:
            return {"status": "unknown", "detail": f"the dashboard does not answer for {silent_s:.0f} s", "parts": {}}
        return self._answer


def progress_line(report: Json, health: Json, trouble: str, total: int | None) -> str:
    """The line.

    Args:
        report: the run in figures, {} while there are none.
        health: as `/api/health` tells it.
        trouble: what is known to be wrong besides, "" while nothing is.
        total: events of the feed, where that is known.
    """
    has_begun = bool(report) and report["events"]["consumed"] > 0
    wrong = "; ".join(filter(None, (trouble, _unwell(health, has_begun=has_begun))))
    if any(sign in wrong for sign in _DISK_FULL):
        wrong = f"disk full: {wrong}"
    if not has_begun:
        return wrong or "waiting for the first event"
    return f"{wrong}  |  {_figures(report, total)}" if wrong else f"{_figures(report, total)}  healthy"


def _unwell(health: Json, *, has_begun: bool) -> str:
    """What is not well, and why; "" when all is."""
    if health["status"] == "healthy":
        return ""
    bad = {name: part for name, part in health["parts"].items() if part["state"] not in FINE}
    if not has_begun:
        opening = [name for name, part in bad.items() if (part["state"], part["detail"]) in _OPENING]
        if opening and len(opening) == len(bad):
            return f"starting: {', '.join(opening)}"
    return f"{health['status']}: {_words(bad) or health['detail']}"


def _words(parts: Mapping[str, Mapping[str, str]]) -> str:
    """Parts that share a reason are named together."""
    together: dict[tuple[str, str], list[str]] = {}
    for name, part in parts.items():
        together.setdefault((part["state"], part["detail"]), []).append(name)
    words = ((f"{', '.join(names)} {state}", detail) for (state, detail), names in together.items())
    return "; ".join(f"{what} ({detail})" if detail else what for what, detail in words)


def _figures(report: Json, total: int | None) -> str:
    events, strategies = report["events"], report["strategies"]
    of = f"/{total:,}" if total else ""
    equity = report["equity_usd"]
    return (
        f"{events['consumed']:,}{of} events  generation {report['generations']}  "
        f"{strategies['simulating']} simulating  {strategies['paper']} on paper  "
        f"{report['trades']} trades  {report['open_positions']} open  "
        f"{'-' if equity is None else f'${equity:,.2f}'}  "
        f"risk {report['risk_level']}{', halted' if report['halted'] else ''}"
    )
