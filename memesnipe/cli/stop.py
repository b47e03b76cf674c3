"""Handling of the signals that stop `memesnipe up`."""

import signal
import threading
from types import FrameType

from memesnipe.cli.signals import write_stderr


class StopSignals:
    """Handler of SIGINT, SIGTERM and SIGHUP: it interrupts the start of the system; afterwards it sets `stop`.

    Only the first signal has an effect; a second one does not interrupt the shutdown.
    """

    def __init__(self) -> None:
        self.stop = threading.Event()
        self._interrupts = True
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._handle)

    def has_started(self) -> None:
        """Make later signals only set `stop`."""
        self._interrupts = False

    def _handle(self, _number: int, _frame: FrameType | None) -> None:
        if self.stop.is_set():
            return
        self.stop.set()
        write_stderr("Stopping ...")
        if self._interrupts:
            raise KeyboardInterrupt
