"""The clock port: roles, bus and lease read the machine's time through it, so that a simulator can replace it."""

import time
from typing import Final, Protocol


class Clock(Protocol):
    """The time of the machine. The time of events is another one, which only the feed determines."""

    def monotonic_s(self) -> float:
        """Return seconds since an arbitrary moment; they never decrease."""

    def now_ns(self) -> int:
        """Return the time of day in ns since 1970 UTC."""

    def sleep(self, seconds: float) -> None:
        """Wait."""


class SystemClock:
    """The clock of this machine."""

    def monotonic_s(self) -> float:
        """Return the monotonic time in seconds."""
        return time.monotonic()

    def now_ns(self) -> int:
        """Return the time of day in ns since 1970 UTC."""
        return time.time_ns()

    def sleep(self, seconds: float) -> None:
        """Wait."""
        time.sleep(seconds)


SYSTEM_CLOCK: Final[Clock] = SystemClock()
