"""What `memesnipe up` does while the system runs: supervise the parts, show progress, read the report."""

import threading
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any

from sqlalchemy.exc import OperationalError

from memesnipe.api.background_check import BackgroundCheck
from memesnipe.cli.progress import Progress
from memesnipe.cli.progress_line import HealthWatch
from memesnipe.client import Client
from memesnipe.errors import first_line
from memesnipe.protocol.streams import EVENT_READERS
from memesnipe.runtime.session import Session
from memesnipe.storage.runs import FINISHED, RUNNING, STOPPED, finish_run, is_complete
from memesnipe.storage.views import report as report_of

_WATCH_S = 0.25
_REPORT_EVERY_S = 1.0
_PAUSES = 9  # between two reports, in durations of one: they count all that the run has stored
_REPORT_TIMEOUT_S = 2.0
_FIRST_REPORT_TIMEOUT_S = 10.0  # the first report is slow: everything starts at the same time


Report = tuple[dict[str, Any], bool]  # with whether the run is complete


class ReportWatch:
    """The latest report of a run, which is read again at times, in a thread: Ctrl-C works while the database hangs.

    Args:
        read: reads a report.
        every_s: at least so many seconds are between two reports.
    """

    def __init__(self, read: Callable[[], Report], every_s: float) -> None:
        self._check, self._every_s = BackgroundCheck(read), every_s
        self._latest: Report = ({}, False)
        self._next_at = 0.0

    def latest(self) -> Report:
        """Return the last report, or a new one where that is due; ({}, False) before the first.

        Raises:
            TimeoutError: the database does not respond in time.
            OperationalError: it cannot be reached.
        """
        return self.read() if time.monotonic() >= self._next_at else self._latest

    def read(self) -> Report:
        """Return a new report; errors as for `latest`."""
        began = time.monotonic()
        self._latest = self._check.submit().result(_REPORT_TIMEOUT_S)
        now = time.monotonic()
        self._next_at = now + max(self._every_s, _PAUSES * (now - began))
        return self._latest


def watch(session: Session, stop: threading.Event, *, until_end: bool, total: int | None) -> dict[str, Any]:
    """Supervise the parts and show progress until the stop signal or the end of the feed; return the report."""
    report: dict[str, Any] = {}
    began = time.monotonic()
    reports = ReportWatch(partial(_read_report, session), _WATCH_S if until_end else _REPORT_EVERY_S)
    with Progress(total) as progress, Client(session.dashboard) as client:
        health = HealthWatch(lambda: client.health().model_dump())
        while not stop.is_set():
            session.watch(_WATCH_S)
            for sentence in (*session.messages(), *session.reload()):
                progress.print(sentence)
            if session.has_ended:
                return report
            system_problem = session.condition
            try:
                report, complete = reports.latest()
                if complete and until_end and report["status"] == FINISHED:
                    return report
            except TimeoutError:
                if report or time.monotonic() - began > _FIRST_REPORT_TIMEOUT_S:
                    system_problem = f"PostgreSQL has not responded for {_REPORT_TIMEOUT_S:.0f} s; trading is paused"
            except OperationalError as error:
                system_problem = f"PostgreSQL does not respond ({first_line(error)}); trading is paused"
            progress.show(report, health.latest(), system_problem)
        with suppress(TimeoutError, OperationalError):  # the last one that could be read then
            report, _ = reports.read()
    return report | {"status": STOPPED} if report.get("status") == RUNNING else report


def _read_report(session: Session) -> Report:
    """Return the report, and whether the run is complete; record the end of a complete run."""
    run_id = session.run.run_id
    with session.database.connect() as connection:
        report = report_of(connection, run_id)
        complete = is_complete(connection, run_id, EVENT_READERS)
    if complete and report["status"] != FINISHED:
        finish_run(session.database, run_id)
    return report, complete
