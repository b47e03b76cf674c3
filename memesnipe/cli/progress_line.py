"""The progress line of a run: the parts it waits for, its health and its figures."""

import time
from collections.abc import Callable, Mapping
from typing import Any, Final

from memesnipe.api.background_check import BackgroundCheck
from memesnipe.api.health import FINE
from memesnipe.number_text import signed_usd
from memesnipe.storage.wording import plural

Json = Mapping[str, Any]
Figures = list[tuple[int, str]]  # ranks, of which the lowest are left out first, and texts

_ALWAYS: Final = 9  # the rank of what is never left out

_ASK_EVERY_S: Final = 1.0  # an answer takes a tenth of a second of processor time, of four processes
_STALE_S: Final = 10.0
_STARTING: Final = (("starting", ""), ("recovering", ""), ("down", "no heartbeat"))
_DISK_FULL: Final = ("No space left on device", "File too large", "Disk quota exceeded")


class HealthWatch:
    """The latest result of a health check that may hang, without waiting for it. It is repeated every second."""

    def __init__(self, check: Callable[[], Json]) -> None:
        self._check = BackgroundCheck(check)
        self._health: Json = {"status": "starting", "detail": "the dashboard", "parts": {}}
        self._received_at = time.monotonic()
        self._ask()

    def _ask(self) -> None:
        self._pending, self._asked_at, self._is_pending = self._check.submit(), time.monotonic(), True

    def latest(self) -> Json:
        """Return the last health, or the status `unknown` when it is older than 10 s."""
        if self._is_pending and self._pending.done():
            self._is_pending = False
            if self._pending.exception() is None:
                self._health, self._received_at = self._pending.result(), time.monotonic()
        if not self._is_pending and time.monotonic() - self._asked_at >= _ASK_EVERY_S:
            self._ask()
        age_s = time.monotonic() - self._received_at
        if age_s > _STALE_S:
            return {"status": "unknown", "detail": f"the dashboard has not responded for {age_s:.0f} s", "parts": {}}
        return self._health


def progress_line(report: Json, health: Json, system_problem: str, total: int | None, width: int | None = None) -> str:
    """Return the progress line; below it, in a live run, the line of the live account.

    Args:
        report: as `/api/report` returns it; {} before the first report.
        health: as `/api/health` returns it.
        system_problem: a problem that is not part of the health; "" without one.
        total: number of events of the feed; None if unknown.
        width: of the terminal, in columns: less important figures are left out, and a problem has a line of its own;
            None shows all figures in one line.
    """
    has_begun = bool(report) and report["events"]["consumed"] > 0
    problem = "; ".join(filter(None, (system_problem, _health_problem(health, has_begun=has_begun))))
    if any(sign in problem for sign in _DISK_FULL):
        problem = f"disk full: {problem}"
    if not has_begun:
        return problem or "waiting for the first event"
    healthy = [] if problem else [(_ALWAYS, "healthy")]
    figures = _fit([*_figures(report, total), *healthy], width)
    separator = "  |  " if width is None else "\n"
    return (f"{problem}{separator}{figures}" if problem else figures) + _live(report, width)


def _health_problem(health: Json, *, has_begun: bool) -> str:
    """Return the unhealthy parts with their reasons; "" when the system is healthy."""
    if health["status"] == "healthy":
        return ""
    bad = {name: part for name, part in health["parts"].items() if part["state"] not in FINE}
    if not has_begun:
        starting = [name for name, part in bad.items() if (part["state"], part["detail"]) in _STARTING]
        if starting and len(starting) == len(bad):
            return f"starting: {', '.join(starting)}"
    return f"{health['status']}: {_describe(bad) or health['detail']}"


def _describe(parts: Mapping[str, Mapping[str, str]]) -> str:
    """Return the parts with their states and reasons, grouped by reason."""
    groups: dict[tuple[str, str], list[str]] = {}
    for name, part in parts.items():
        groups.setdefault((part["state"], part["detail"]), []).append(name)
    phrases = ((f"{', '.join(names)} {state}", detail) for (state, detail), names in groups.items())
    return "; ".join(f"{phrase} ({detail})" if detail else phrase for phrase, detail in phrases)


def _figures(report: Json, total: int | None) -> Figures:
    """Return the figures of the run and of its paper account; the live account has a line of its own."""
    events, strategies = report["events"], report["strategies"]
    of = f"/{total:,}" if total else ""
    return [
        (_ALWAYS, f"{events['consumed']:,}{of} events"),
        (2, f"generation {report['generations']}"),
        (1, f"{strategies['simulating']} simulating"),
        (4, f"{strategies['paper']} on paper"),
        *_account(report),
    ]


def _live(report: Json, width: int | None) -> str:
    live, trading = report.get("live"), report["strategies"]["live"]
    if live is None:
        return ""
    begins = (_ALWAYS, f"live account: {plural(trading, 'strategy', 'strategies')}")
    return f"\n{_fit([begins, *_account(live)], width)}"


def _account(figures: Json) -> Figures:
    """Return the round trips, the money and the risk of one account."""
    equity, trading = figures["equity_usd"], figures["trading_usd"]
    is_usual = figures["risk_level"] == "normal" and not figures["halted"]
    return [
        (5, f"{figures['trades']:,} round trips"),
        (3, f"{figures['open_positions']} open"),
        (6, "-" if equity is None else f"${equity:,.2f}"),
        (7, f"trading {'-' if trading is None else signed_usd(trading)}"),
        (0 if is_usual else _ALWAYS, f"risk {figures['risk_level']}{', halted' if figures['halted'] else ''}"),
    ]


def _fit(figures: Figures, width: int | None) -> str:
    """Return the texts side by side; where that is too wide, without those of the lowest ranks."""
    kept = list(figures)
    while True:
        line = "  ".join(text for _, text in kept)
        least = min(rank for rank, _ in kept)
        if width is None or len(line) <= width or least == _ALWAYS:
            return line
        kept = [(rank, text) for rank, text in kept if rank != least]
