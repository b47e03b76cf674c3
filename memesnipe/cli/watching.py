"""What `memesnipe up` does while the system runs: supervise the parts, show progress, read the report."""

import threading
import time
from functools import partial
from typing import Any

from sqlalchemy.exc import OperationalError

from memesnipe.api.background_check import BackgroundCheck
from memesnipe.cli.progress import Progress
from memesnipe.cli.progress_line import HealthWatch
from memesnipe.cli.report_watch import Report, ReportWatch
from memesnipe.cli.stored_accounts import stored_accounts
from memesnipe.client import Client
from memesnipe.errors import first_line
from memesnipe.protocol.streams import EVENT_READERS
from memesnipe.runtime.session import Session
from memesnipe.runtime.terminal import print_message
from memesnipe.storage.lease import expire_leases
from memesnipe.storage.runs import FINISHED, RUNNING, STOPPED, finish_run, is_complete
from memesnipe.storage.views import report as report_of

_WATCH_S = 0.25
_REPORT_EVERY_S = 1.0
_FINAL_REPORT_TIMEOUT_S = 30.0
_FIRST_REPORT_TIMEOUT_S = 10.0  # the first report is slow: everything starts at the same time


def watch(session: Session, stop: threading.Event, *, until_end: bool, total: int | None) -> dict[str, Any]:
    """Supervise the parts and show progress until the stop signal or the end of the feed; return the last report."""
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
                if complete and until_end:
                    return report
            except TimeoutError:
                if report or time.monotonic() - began > _FIRST_REPORT_TIMEOUT_S:
                    system_problem = f"PostgreSQL has not responded for {reports.timeout_s:.0f} s; trading is paused"
            except OperationalError as error:
                system_problem = f"PostgreSQL does not respond ({first_line(error)}); trading is paused"
            progress.show(report, health.latest(), system_problem)
    return report


def final_report(session: Session, last: dict[str, Any]) -> dict[str, Any]:
    """Return the report of a run whose actors have stopped, with its accounts and its status from now on.

    Args:
        session: of the run; its database still runs.
        last: the report from before; returned where PostgreSQL does not respond.
    """
    try:
        return BackgroundCheck(partial(_end, session)).submit().result(_FINAL_REPORT_TIMEOUT_S)
    except (TimeoutError, OperationalError):
        print_message("PostgreSQL does not respond: the report is the last one from before the end.")
        return last | {"status": STOPPED} if last.get("status") == RUNNING else last


def _end(session: Session) -> dict[str, Any]:
    expire_leases(session.database, session.run.run_id)
    report, _ = _read_report(session)
    with session.database.connect() as connection:
        return {**report, "accounts": stored_accounts(connection, report)}


def _read_report(session: Session) -> Report:
    """Return the report, and whether the run is complete; record the end of a complete run."""
    run_id = session.run.run_id
    with session.database.connect() as connection:
        complete = is_complete(connection, run_id, EVENT_READERS)  # first: the report has all that this has seen
        report = report_of(connection, run_id)
    if complete and report["status"] != FINISHED:
        finish_run(session.database, run_id)
        report["status"] = FINISHED
    return report, complete
