"""`memesnipe up`: run the whole system until it is told to stop or its feed ends, and report."""

import signal
import threading
import time
from functools import partial
from pathlib import Path
from typing import Any

import orjson
from rich.console import Console
from sqlalchemy.exc import OperationalError

from memesnipe.api.probe import Probe
from memesnipe.bus.streams import EVENT_READERS
from memesnipe.cli.families import load_families
from memesnipe.cli.output import print_json, print_table, results_alone, say_if_cold
from memesnipe.cli.progress import Progress
from memesnipe.cli.session import Session
from memesnipe.errors import first_line
from memesnipe.feeds.base import FeedChoice, open_feed
from memesnipe.settings import Settings
from memesnipe.storage.runs import FINISHED, finish_run, is_complete
from memesnipe.storage.views import report as report_of

_WATCH_S = 0.25
_PATIENCE_S = 2.0
_errors = Console(stderr=True, highlight=False)


def up(settings: Settings, choice: FeedChoice, *, until_end: bool, report: Path | None, as_json: bool) -> None:
    """Run, and print the report at the end."""
    total = open_feed(choice).total  # also says at once what is wrong with the tape
    stop = threading.Event()
    _stop_on_signals(stop)
    _compile(settings)
    _errors.print("Starting PostgreSQL, Redis, Ray and the dashboard (about 20 s) ...")
    with results_alone(), Session(settings, choice) as session:
        _stop_on_signals(stop)  # again: Ray has put its own handlers there, which end the process at once
        _greet(session)
        started = time.monotonic()
        result = _watch(session, stop, until_end=until_end, total=total)
        result["seconds"] = round(time.monotonic() - started, 3)
    if as_json:
        print_json(result)
    else:
        print_table("report", result)
    if report is not None:
        report.write_bytes(orjson.dumps(result, option=orjson.OPT_INDENT_2))


def _compile(settings: Settings) -> None:
    """Compile before the workers start, who load what they find; it also says at once what is wrong with a strategy."""
    from memesnipe.engine.warm import compile_all  # noqa: PLC0415 - the compiler is slow to load

    families = load_families(settings)
    say_if_cold()
    compile_all(families)


def _stop_on_signals(stop: threading.Event) -> None:
    def on_signal(*_: object) -> None:
        if not stop.is_set():
            _errors.print("Stopping ...")
        stop.set()

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, on_signal)


def _greet(session: Session) -> None:
    run = session.run
    state = "continues" if run.resumed else "begins"
    _errors.print(f"Run {run.run_id} {state}: {session.choice.name} market, paper money.")
    _errors.print(f"Dashboard      {session.dashboard}")
    ray = f"{session.ray_dashboard}  (its token: `ray get-auth-token`)" if session.ray_dashboard else "none"
    _errors.print(f"Ray dashboard  {ray}")
    _errors.print("Ctrl-C stops everything.")


def _watch(session: Session, stop: threading.Event, *, until_end: bool, total: int | None) -> dict[str, Any]:
    """Look after the actors and show progress, until it is time to stop; gives the report."""
    report: dict[str, Any] = {}
    probe = Probe(partial(_look, session))  # a database that stands still must not make us deaf to Ctrl-C
    with Progress(total) as progress:
        while not stop.is_set():
            session.watch(_WATCH_S)
            for sentence in session.news():
                progress.say(sentence)
            try:
                report, complete = probe.ask().result(_PATIENCE_S)
                progress.show(report)
                if complete and until_end and report["status"] == FINISHED:
                    return report
            except TimeoutError:
                progress.say("PostgreSQL says nothing; everything waits for it")
            except OperationalError as error:
                progress.say(f"PostgreSQL does not answer ({first_line(error)}); everything waits for it")
    return report


def _look(session: Session) -> tuple[dict[str, Any], bool]:
    """The report, and whether all is done; a run that is gets its end written down."""
    run_id = session.run.run_id
    with session.database.connect() as connection:
        report = report_of(connection, run_id)
        complete = is_complete(connection, run_id, EVENT_READERS)
    if complete and report["status"] != FINISHED:
        finish_run(session.database, run_id)
    return report, complete
