"""`memesnipe up`: run the whole system until it is told to stop or its feed ends, and report."""

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
from memesnipe.cli.running import ask_api
from memesnipe.cli.stop import StopSignals
from memesnipe.config.settings import Settings
from memesnipe.errors import first_line
from memesnipe.feeds.base import FeedChoice, open_feed
from memesnipe.feeds.replay import ReplayFeed
from memesnipe.market.assumptions import describe
from memesnipe.protocol.streams import EVENT_READERS
from memesnipe.runtime.session import Session
from memesnipe.runtime.terminal import print_json, print_table, results_alone, say
from memesnipe.storage.runs import FINISHED, finish_run, is_complete
from memesnipe.storage.views import report as report_of

_WATCH_S = 0.25
_PATIENCE_S = 2.0
_FIRST_PATIENCE_S = 10.0  # while everything starts, the first answer is slow


def up(settings: Settings, choice: FeedChoice, *, until_end: bool, report: Path | None, as_json: bool) -> None:
    """Run, and print the report at the end."""
    signals = StopSignals()
    total, assumptions = _tape_of(choice)
    for sentence in assumptions:
        say(sentence)
    with results_alone(), Session(settings, choice, signals.has_started) as session:
        _greet(session)
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
    """How many events the tape of a replay has, and what it assumes; an error says what is wrong with the tape."""
    feed = open_feed(choice) if choice.name == "replay" else None
    return (feed.total, describe(feed.assumptions)) if isinstance(feed, ReplayFeed) else (None, [])


def _greet(session: Session) -> None:
    run = session.run
    state = "continues" if run.resumed else "begins"
    say(f"Run {run.run_id} {state}: {session.choice.name} market, paper money.")
    say(f"Dashboard      {session.dashboard}")
    ray = f"{session.ray_dashboard}  (its token: `ray get-auth-token`)" if session.ray_dashboard else "none"
    say(f"Ray dashboard  {ray}")
    say("Ctrl-C stops everything.")


def _watch(session: Session, stop: threading.Event, *, until_end: bool, total: int | None) -> dict[str, Any]:
    """Look after the actors and show progress, until it is time to stop; gives the report."""
    report: dict[str, Any] = {}
    began = time.monotonic()
    probe = BackgroundCheck(partial(_look, session))  # a database that stands still must not make us deaf to Ctrl-C
    health = HealthWatch(partial(ask_api, session.dashboard, "health"))
    with Progress(total) as progress:
        while not stop.is_set():
            session.watch(_WATCH_S)
            for sentence in session.news():
                progress.say(sentence)
            trouble = session.condition
            try:
                report, complete = probe.ask().result(_PATIENCE_S)
                if complete and until_end and report["status"] == FINISHED:
                    return report
            except TimeoutError:
                if report or time.monotonic() - began > _FIRST_PATIENCE_S:
                    trouble = f"PostgreSQL has said nothing for {_PATIENCE_S:.0f} s: everything waits for it"
            except OperationalError as error:
                trouble = f"PostgreSQL does not answer ({first_line(error)}): everything waits for it"
            progress.show(report, health.latest(), trouble)
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
