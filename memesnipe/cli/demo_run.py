"""The course of `memesnipe demo`: watch the system, kill an actor, stop, verify, report."""

import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Engine

from memesnipe.cli.demo_facts import Facts, Json, read_facts, read_rugs
from memesnipe.cli.demo_story import Story, fault_line, rug_line, summary_lines, verify_line
from memesnipe.cli.demo_system import RUN, DemoSystem
from memesnipe.config.home import Home
from memesnipe.roles.activity import read_activity
from memesnipe.storage.database import connect
from memesnipe.testing.chaos.targets import Targets

_LOOK_S: Final = 1.0
_FAULT_AT: Final = 0.6  # of the time
_BACK_S: Final = 120.0
_ACTOR: Final = "executor"

Say = Callable[[str], None]


class Demo:
    """One demonstration.

    Args:
        system: entered, so it has been started.
        say: takes each sentence.
        on_progress: takes the share of the time that is over.
    """

    def __init__(self, system: DemoSystem, say: Say, on_progress: Callable[[float], None]) -> None:
        self._system, self._say, self._on_progress = system, say, on_progress
        self._story = Story()
        self._facts = Facts()
        self._fault: Json = {"killed": False}
        self._rugs: Json = {"count": 0, "fates": [], "refused": 0, "refusal": ""}

    def run(self, seconds: float, report: Path) -> dict[str, Any]:
        """Show the system for a time; return what was shown, as JSON.

        Args:
            seconds: from the moment at which it is healthy.
            report: file that `memesnipe report` writes.

        Raises:
            MemeSnipeError: the system has ended.
        """
        began = time.monotonic()
        self._system.wait_until_healthy(self._say)
        self._say(f"The system is healthy after {time.monotonic() - began:.0f} s: {self._system.dashboard}")
        database = connect(self._system.database_url())
        try:
            self._watch(database, seconds)
            self._look_at_rugs(database)
        finally:
            database.dispose()
        self._say("Stopping the system, and deriving its run again from the events ...")
        self._system.stop()
        verdict, problem = self._system.command("verify")
        self._say(verify_line(verdict, problem))
        written, problem = self._system.command("report", str(RUN), "-o", str(report.resolve()))
        is_written = written is not None and report.is_file()
        self._say(f"Report: {report}" if is_written else f"No report was written: {problem}")
        return self._result(verdict, report if is_written else None)

    def _watch(self, database: Engine, seconds: float) -> None:
        began = time.monotonic()
        while (spent := time.monotonic() - began) < seconds:
            self._look(database)
            self._on_progress(spent / seconds)
            if not self._fault["killed"] and spent > seconds * _FAULT_AT:
                self._kill(database)
            self._system.is_healthy()  # raises where the system has ended
            time.sleep(_LOOK_S)
        self._look(database)
        self._on_progress(1.0)

    def _look(self, database: Engine) -> None:
        with database.connect() as connection:
            self._facts = read_facts(connection, RUN)
        for line in self._story.new_lines(self._facts):
            self._say(line)

    def _look_at_rugs(self, database: Engine) -> None:
        event_log = Home(self._system.home).run(RUN).event_log
        with database.connect() as connection:
            self._rugs = read_rugs(connection, RUN, event_log, self._facts.trips)
        self._say(rug_line(self._rugs, self._facts))

    def _kill(self, database: Engine) -> None:
        """Kill the executor, and wait until another process of it has gone on."""
        path = Home(self._system.home).run(RUN).activity(_ACTOR)
        pid, _ = read_activity(path)
        event = self._consumed(database)
        activity = Targets(self._system.home).kill(_ACTOR)
        began, back = time.monotonic(), None
        new_pid, after = pid, event
        while activity and back is None and time.monotonic() - began < _BACK_S:
            time.sleep(_LOOK_S / 10)
            new_pid, after = read_activity(path)[0], self._consumed(database)
            if new_pid != pid and after > event:
                back = time.monotonic() - began
        self._fault = {
            "killed": bool(activity), "actor": _ACTOR, "pid": pid, "activity": activity, "event": event,
            "new_pid": new_pid, "event_after": after, "seconds": back,
        }  # fmt: skip
        self._say(fault_line(self._fault))

    def _consumed(self, database: Engine) -> int:
        with database.connect() as connection:
            return int(read_facts(connection, RUN).report["events"]["consumed"])

    def _result(self, verdict: Json | None, report: Path | None) -> dict[str, Any]:
        is_clean = verdict is not None and verdict["clean"]
        story = {
            "bred": bool(self._facts.generations),
            "promoted": bool(self._facts.promotions),
            "traded": bool(self._facts.trips),
            "rug": bool(self._rugs["fates"] or self._rugs["refused"]),
            "fault": is_clean and self._fault["killed"] and self._fault["seconds"] is not None,
            "verified": is_clean,
        }
        for line in summary_lines(self._facts, story):
            self._say(line)
        return {
            "story": story,
            **asdict(self._facts),
            "rugs": self._rugs,
            "fault": self._fault,
            "verify": verdict,
            "report_file": None if report is None else str(report),
        }
