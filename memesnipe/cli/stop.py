"""The signals that end `memesnipe up`."""

import signal
import threading
from types import FrameType

from memesnipe.cli.signals import tell


class StopSignals:
    """SIGINT, SIGTERM and SIGHUP: while the system starts they interrupt that, afterwards they ask it to stop.

    The first one counts; a second one does not disturb the end.
    """

    def __init__(self) -> None:
        self.stop = threading.Event()
        self._interrupts = True
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._handle)

    def has_started(self) -> None:
        """From now on a signal only sets `stop`."""
        self._interrupts = False

    def _handle(self, _number: int, _frame: FrameType | None) -> None:
        if self.stop.is_set():
            return
        self.stop.set()
        tell("Stopping ...")
        if self._interrupts:
            raise KeyboardInterrupt
