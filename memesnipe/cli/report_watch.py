"""The latest report of a running system, for `memesnipe up`."""

import time
from collections.abc import Callable
from typing import Any, Final

from memesnipe.api.background_check import BackgroundCheck

_PAUSES: Final = 9  # between two reports, in durations of one: a report counts all that the run has stored

Report = tuple[dict[str, Any], bool]  # with whether the run is complete


class ReportWatch:
    """The latest report of a run, which is read again at times, in a thread: Ctrl-C works while the database hangs.

    Args:
        read: reads a report.
        every_s: at least so many seconds are between two reports.
        timeout_s: how long to wait for one.
    """

    def __init__(self, read: Callable[[], Report], every_s: float, timeout_s: float = 2.0) -> None:
        self._check, self._every_s, self.timeout_s = BackgroundCheck(read), every_s, timeout_s
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
        self._latest = self._check.submit().result(self.timeout_s)
        now = time.monotonic()
        self._next_at = now + max(self._every_s, _PAUSES * (now - began))
        return self._latest
