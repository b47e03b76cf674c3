"""`memesnipe up`: run the system until a signal or the end of its feed, and print the report."""

import threading
import time
from functools import partial
from pathlib import Path
from typing import Any

import orjson
from sqlalchemy.exc import OperationalError

from memesnipe.api.background_check import BackgroundCheck
from memesnipe.cli.progress import Progress
from memesnipe.cli.progress_line import HealthWatch
from memesnipe.cli.running import get_api
from memesnipe.cli.stop import StopSignals
from memesnipe.config.settings import Settings
from memesnipe.errors import first_line
from memesnipe.feeds.choice import FeedChoice
from memesnipe.market.assumptions import describe
from memesnipe.protocol.streams import EVENT_READERS
from memesnipe.runtime.session import Session
from memesnipe.runtime.terminal import print_json, print_message, print_table, reserve_stdout
from memesnipe.storage.runs import FINISHED, finish_run, is_complete
from memesnipe.storage.views import report as report_of
from memesnipe.tapes.tape import read_tape

_WATCH_S = 0.25
_REPORT_TIMEOUT_S = 2.0
_FIRST_REPORT_TIMEOUT_S = 10.0  # the first report is slow: everything starts at the same time


def up(
    settings: Settings, choice: FeedChoice, *, until_end: bool, report: Path | None, as_json: bool, detached: bool
) -> None:
    """Run the system, and print the report at the end.

    Args:
        settings: as loaded, not resolved yet.
        choice: the feed.
        until_end: whether to stop when every event of the feed has been processed.
        report: file to write the report to as well; None for none.
        as_json: whether to print the report as JSON.
        detached: whether this is the background process of `memesnipe up --detach`.
    """
    signals = StopSignals()
    total, assumptions = _tape_of(choice)
    for sentence in assumptions:
        print_message(sentence)
    with reserve_stdout(), Session(settings, choice, signals.has_started, detached) as session:
        _print_start(session)
        started = time.monotonic()
        result = _watch(session, signals.stop, until_end=until_end, total=total)
        result["seconds"] = round(time.monotonic() - started, 3)
        result["assumptions"] = assumptions
    if as_json:
        print_json(result)
    else:
        print_table("report", {name: value for name, value in result.items() if name != "assumptions"})
    if report is not None:
        report.write_bytes(orjson.dumps(result, option=orjson.OPT_INDENT_2))


def _tape_of(choice: FeedChoice) -> tuple[int | None, list[str]]:
    """Return the total number of events and the assumptions of a replayed tape; (None, []) for another feed.

    The number is None if the tape is merged with another feed.

    Raises:
        TapeError: the tape is not valid.
    """
    if "replay" not in choice.names:
        return None, []
    tape = read_tape(Path(choice.tape), now_ns=time.time_ns())
    return (len(tape.events) if choice.names == ["replay"] else None, describe(tape.assumptions))


def _print_start(session: Session) -> None:
    run = session.run
    state = "continues" if run.resumed else "begins"
    print_message(f"Run {run.run_id} {state}: {session.choice.name} market, paper money.")
    print_message(f"Dashboard      {session.dashboard}")
    ray = f"{session.ray_dashboard}  (its token: `ray get-auth-token`)" if session.ray_dashboard else "none"
    print_message(f"Ray dashboard  {ray}")
    print_message("`memesnipe down` stops everything." if session.detached else "Ctrl-C stops everything.")


def _watch(session: Session, stop: threading.Event, *, until_end: bool, total: int | None) -> dict[str, Any]:
    """Supervise the parts and show progress until the stop signal or the end of the feed; return the report."""
    report: dict[str, Any] = {}
    began = time.monotonic()
    report_check = BackgroundCheck(partial(_read_report, session))  # Ctrl-C must work while the database hangs
    health = HealthWatch(partial(get_api, session.dashboard, "health"))
    with Progress(total) as progress:
        while not stop.is_set():
            session.watch(_WATCH_S)
            for sentence in session.messages():
                progress.print(sentence)
            trouble = session.condition
            try:
                report, complete = report_check.submit().result(_REPORT_TIMEOUT_S)
                if complete and until_end and report["status"] == FINISHED:
                    return report
            except TimeoutError:
                if report or time.monotonic() - began > _FIRST_REPORT_TIMEOUT_S:
                    trouble = f"PostgreSQL has not responded for {_REPORT_TIMEOUT_S:.0f} s; trading is paused"
            except OperationalError as error:
                trouble = f"PostgreSQL does not answer ({first_line(error)}); trading is paused"
            progress.show(report, health.latest(), trouble)
    return report


def _read_report(session: Session) -> tuple[dict[str, Any], bool]:
    """Return the report, and whether the run is complete; record the end of a complete run."""
    run_id = session.run.run_id
    with session.database.connect() as connection:
        report = report_of(connection, run_id)
        complete = is_complete(connection, run_id, EVENT_READERS)
    if complete and report["status"] != FINISHED:
        finish_run(session.database, run_id)
    return report, complete
