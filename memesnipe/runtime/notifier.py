"""The thread of `memesnipe up` that sends notifications. No actor waits for it, and its errors end nothing."""

import threading
import time
from collections.abc import Mapping
from typing import Final, Protocol

from memesnipe.errors import first_line
from memesnipe.runtime.notice_sources import Source
from memesnipe.telemetry.log_throttle import LogThrottle
from memesnipe.telemetry.logs import Logger, without_secrets
from memesnipe.telemetry.notices import Notice, Outbox

POLL_S: Final = 5.0
_STOP_S: Final = 2.0  # a service that does not respond must not delay the end of `up`


class Sender(Protocol):
    """Sends notices to the user."""

    def send(self, notice: Notice) -> bool:
        """Send a notice; return whether it was taken."""


class Notifier:
    """Poll the sources, and send what they report.

    Args:
        sources: by name.
        sender: of the notices.
        max_per_hour: maximum number of notices in any hour.
        log: for what was sent, and for errors; without the texts of services, which may contain their URLs.
        poll_s: time between two polls.
    """

    def __init__(
        self, sources: Mapping[str, Source], sender: Sender, max_per_hour: int, log: Logger, poll_s: float = POLL_S
    ) -> None:
        self._sources, self._sender, self._log, self._poll_s = sources, sender, log, poll_s
        self._outbox, self._throttle = Outbox(max_per_hour), LogThrottle()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="notifications", daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def stop(self) -> None:
        """End the thread; one that is sending ends with the process."""
        self._stop.set()
        self._thread.join(_STOP_S)

    def _run(self) -> None:
        while not self._stop.is_set():
            for name, source in self._sources.items():
                self._poll(name, source)
            self._stop.wait(self._poll_s)

    def _poll(self, name: str, source: Source) -> None:
        try:
            notices = source()
        except Exception as error:  # noqa: BLE001 - a source that fails is tried again, and the others continue
            if count := self._throttle.count(name, time.monotonic()):
                reason = without_secrets(first_line(error))
                self._log.warning("no notices from a source", source=name, reason=reason, failures=count)
            return
        for notice in notices:
            chosen = self._outbox.choose(notice, time.monotonic())
            if chosen is None:
                self._log.info("notification held back", about=notice.key)
            else:
                self._send(chosen)

    def _send(self, notice: Notice) -> None:
        try:
            is_sent = self._sender.send(notice)
        except Exception as error:  # noqa: BLE001 - of any service; its text may contain a URL
            self._log.error("notification failed", about=notice.key, error=type(error).__name__)
            return
        if is_sent:
            self._log.info("notification sent", about=notice.key, title=notice.title)
        else:
            self._log.error("notification failed", about=notice.key, error="a service did not take it")
