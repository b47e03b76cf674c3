"""`memesnipe up` reads the report of the run now and then, and learns when the database does not respond."""

import threading

import pytest

from memesnipe.cli.report_watch import Report, ReportWatch


class Database:
    """Answers with the number of the report, after `takes_s` seconds or, if it hangs, never."""

    def __init__(self, takes_s: float = 0.0) -> None:
        self.reports, self.answers, self._takes_s = 0, threading.Event(), takes_s
        self.answers.set()

    def read(self) -> Report:
        self.reports += 1
        self.answers.wait()
        threading.Event().wait(self._takes_s)
        return {"number": self.reports}, False


def answer_of(reports: ReportWatch) -> Report | None:
    try:
        return reports.latest()
    except TimeoutError:
        return None


def test_a_report_is_read_once_in_a_while() -> None:
    database = Database()
    reports = ReportWatch(database.read, every_s=600)
    assert [reports.latest() for _ in range(3)] == [({"number": 1}, False)] * 3
    assert reports.read() == ({"number": 2}, False), "at the end it is read whatever was read before"


def test_reading_takes_a_tenth_of_the_time_at_most() -> None:
    database = Database(takes_s=0.3)
    reports = ReportWatch(database.read, every_s=0.0)
    first = reports.latest()
    assert reports.latest() == first
    assert database.reports == 1


def test_a_database_that_hangs_is_asked_once_and_noticed() -> None:
    database = Database()
    database.answers.clear()
    reports = ReportWatch(database.read, every_s=0.0, timeout_s=0.01)
    for _ in range(2):
        with pytest.raises(TimeoutError):
            reports.latest()
    assert database.reports == 1
    database.answers.set()
    while (found := answer_of(reports)) is None:
        pass
    assert found == ({"number": 1}, False)
