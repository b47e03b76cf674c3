"""Where notices come from: the records of the run, the health of the parts, the signer's log, and Prometheus."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import orjson
from sqlalchemy import Engine, func, select

from memesnipe.servers import loopback
from memesnipe.storage.schema import BreakerRow, LifecycleRow
from memesnipe.telemetry.notices import Notice, Severity

Source = Callable[[], list[Notice]]

_FUNDED: Final = ("paper", "live")
_SHOWN: Final = 5  # strategies in one notice
_BAD_POLLS: Final = 6  # in a row, about half a minute: a restart of an actor is over by then
_START_POLLS: Final = 60  # before the system has been healthy once: a start may take minutes
_MAX_LINES: Final = 1 << 20  # bytes of the signer's log that are read at once


class RecordNotices:
    """Promotions to paper and live, and changes of the breaker, from the tables of a run.

    Args:
        database: with a short time limit for statements.
        run_id: number of the run.
    """

    def __init__(self, database: Engine, run_id: int) -> None:
        self._database, self._run_id = database, run_id
        self._number: int | None = None  # of the last row of the lifecycle; earlier promotions are no news
        self._breaker: dict[str, str] = {}

    def __call__(self) -> list[Notice]:
        """Return what has been recorded since the last call."""
        of_run = LifecycleRow.run_id == self._run_id
        with self._database.connect() as connection:
            last = connection.scalar(select(func.max(LifecycleRow.number)).where(of_run)) or 0
            first = last if self._number is None else self._number
            query = select(LifecycleRow).where(of_run, LifecycleRow.number > first, LifecycleRow.to_mode.in_(_FUNDED))
            moved = list(connection.execute(query.order_by(LifecycleRow.number)))
            breakers = list(connection.execute(select(BreakerRow).where(BreakerRow.run_id == self._run_id)))
        self._number = last
        return [*_moves(moved), *self._levels(breakers)]

    def _levels(self, breakers: list[Any]) -> list[Notice]:
        notices = []
        for row in breakers:
            state = "trading is halted by a command" if row.halted else f"level {row.level}"
            before = self._breaker.get(row.account, "level normal")
            self._breaker[row.account] = state
            if state != before:
                text = f"{row.account} account: {state}, {row.drawdown:.1%} below its peak (was: {before})."
                severity: Severity = "success" if state == "level normal" else "warning"
                if row.halted or row.level in ("critical", "emergency"):
                    severity = "failure"
                notices.append(Notice(f"breaker-{row.account}", "risk", text, severity))
        return notices


def _moves(rows: list[Any]) -> list[Notice]:
    """Return a notice for each mode, about all strategies that were promoted to it."""
    notices = []
    for mode in _FUNDED:
        promoted = [row for row in rows if row.to_mode == mode]
        if promoted:
            lines = [f"{row.spec_id} (from {row.from_mode}): {row.reason}" for row in promoted[:_SHOWN]]
            more = [f"and {len(promoted) - _SHOWN} more"] if len(promoted) > _SHOWN else []
            title = f"{len(promoted)} promoted to {mode}"
            notices.append(Notice(f"promoted-{mode}", title, "\n".join([*lines, *more]), "success"))
    return notices


class HealthNotices:
    """A system that stays unhealthy, failing feeds included, and its recovery.

    Args:
        read_health: returns the answer of `/api/health`; an OSError or ValueError counts as no answer.
        condition: returns the problems of the servers and Ray; "" without any.
    """

    def __init__(self, read_health: Callable[[], dict[str, Any]], condition: Callable[[], str]) -> None:
        self._read_health, self._condition = read_health, condition
        self._bad_polls, self._told = 0, ""
        self._has_been_healthy = False

    def __call__(self) -> list[Notice]:
        """Return a notice where the health has been bad for half a minute, and one when it is good again."""
        problem = self._problem()
        self._bad_polls = self._bad_polls + 1 if problem else 0
        self._has_been_healthy |= not problem
        patience = _BAD_POLLS if self._has_been_healthy else _START_POLLS
        if self._bad_polls >= patience and not self._told:
            self._told = problem
            return [Notice("health", "not healthy", problem, "failure")]
        if not problem and self._told:
            self._told, before = "", self._told
            return [Notice("health", "healthy again", f"It was: {before}", "success")]
        return []

    def _problem(self) -> str:
        if condition := self._condition():
            return condition
        try:
            health = self._read_health()
        except (OSError, ValueError) as error:
            return f"the API does not respond ({type(error).__name__})"
        return "" if health["status"] == "healthy" else f"{health['status']}: {health['detail']}"


class SignerNotices:
    """Transactions that the signer has refused, from its audit log.

    Args:
        audit: path of the log, which need not exist.
    """

    def __init__(self, audit: Path) -> None:
        self._audit = audit
        self._read = audit.stat().st_size if audit.is_file() else 0

    def __call__(self) -> list[Notice]:
        """Return a notice about the refusals since the last call."""
        if not self._audit.is_file():
            return []
        with self._audit.open("rb") as file:
            file.seek(self._read)
            *lines, _ = file.read(_MAX_LINES).split(b"\n")
        self._read += sum(len(line) + 1 for line in lines)
        refused = [entry for entry in map(orjson.loads, lines) if entry.get("decision") == "refused"]
        if not refused:
            return []
        reasons = sorted({str(entry.get("reason", "")) for entry in refused})
        text = f"{len(refused)} transactions were not signed: {', '.join(reasons)[:200]}."
        return [Notice("signer", "signer refuses", text, "failure")]


class AlertNotices:
    """The alerts that fire in Prometheus, and their ends.

    Args:
        url: of Prometheus.
        get: returns the body at a URL.
    """

    def __init__(self, url: str, get: Callable[[str], bytes]) -> None:
        self._url, self._get = f"{url.rstrip('/')}/api/v1/alerts", get
        self._firing: dict[str, str] = {}

    def __call__(self) -> list[Notice]:
        """Return a notice for each alert that begins or ends to fire."""
        alerts = orjson.loads(self._get(self._url))["data"]["alerts"]
        firing = {_name(alert): _summary(alert) for alert in alerts if alert["state"] == "firing"}
        begun = [
            Notice(f"alert-{name}", name.partition("{")[0], text, "failure")
            for name, text in firing.items()
            if name not in self._firing
        ]
        ended = [
            Notice(f"alert-{name}", name.partition("{")[0], f"Resolved: {text}", "success")
            for name, text in self._firing.items()
            if name not in firing
        ]
        self._firing = firing
        return begun + ended


def _name(alert: dict[str, Any]) -> str:
    labels = {name: value for name, value in alert["labels"].items() if name not in ("alertname", "severity")}
    return f"{alert['labels']['alertname']}{orjson.dumps(labels, option=orjson.OPT_SORT_KEYS).decode()}"


def _summary(alert: dict[str, Any]) -> str:
    annotations = alert["annotations"]
    return " ".join(filter(None, (annotations.get("summary", ""), annotations.get("runbook_url", ""))))


def get_health(dashboard: str) -> dict[str, Any]:
    """Return the answer of `/api/health`, whatever its HTTP status.

    Raises:
        OSError: there is none.
        ValueError: it is not JSON.
    """
    found: dict[str, Any] = orjson.loads(loopback.get(f"{dashboard}/api/health", timeout_s=10.0).body)
    return found
