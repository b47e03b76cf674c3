"""The progress line of a run: the parts it waits for, its health and its figures."""

import time
from collections.abc import Callable, Mapping
from typing import Any, Final

from memesnipe.api.background_check import BackgroundCheck
from memesnipe.api.health import FINE
from memesnipe.number_text import signed_usd
from memesnipe.storage.wording import plural

Json = Mapping[str, Any]

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


def progress_line(report: Json, health: Json, system_problem: str, total: int | None) -> str:
    """Return the progress line; below it, in a live run, the line of the live account.

    Args:
        report: as `/api/report` returns it; {} before the first report.
        health: as `/api/health` returns it.
        system_problem: a problem that is not part of the health; "" without one.
        total: number of events of the feed; None if unknown.
    """
    has_begun = bool(report) and report["events"]["consumed"] > 0
    problem = "; ".join(filter(None, (system_problem, _health_problem(health, has_begun=has_begun))))
    if any(sign in problem for sign in _DISK_FULL):
        problem = f"disk full: {problem}"
    if not has_begun:
        return problem or "waiting for the first event"
    shown = f"{problem}  |  {_figures(report, total)}" if problem else f"{_figures(report, total)}  healthy"
    return shown + _live(report)


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


def _figures(report: Json, total: int | None) -> str:
    """Return the figures of the run and of its paper account; the live account has a line of its own."""
    events, strategies = report["events"], report["strategies"]
    of = f"/{total:,}" if total else ""
    return (
        f"{events['consumed']:,}{of} events  generation {report['generations']}  "
        f"{strategies['simulating']} simulating  {strategies['paper']} on paper  {_account(report)}"
    )


def _live(report: Json) -> str:
    live, trading = report.get("live"), report["strategies"]["live"]
    return "" if live is None else f"\nlive account: {plural(trading, 'strategy', 'strategies')}  {_account(live)}"


def _account(figures: Json) -> str:
    """Return the round trips, the money and the risk of one account."""
    equity, trading = figures["equity_usd"], figures["trading_usd"]
    return (
        f"{figures['trades']} round trips  {figures['open_positions']} open  "
        f"{'-' if equity is None else f'${equity:,.2f}'}  "
        f"trading {'-' if trading is None else signed_usd(trading)}  "
        f"risk {figures['risk_level']}{', halted' if figures['halted'] else ''}"
    )
