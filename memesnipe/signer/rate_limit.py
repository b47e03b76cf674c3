"""The rate limit: a bucket of requests that is refilled at a constant rate."""

from threading import Lock

from memesnipe.clock import Clock


class RateLimit:
    """Allow ``burst`` requests at once and ``per_second`` on average."""

    def __init__(self, per_second: int, burst: int, clock: Clock) -> None:
        self._per_second, self._burst, self._clock = per_second, burst, clock
        self._left, self._at = float(burst), clock.monotonic_s()
        self._lock = Lock()

    def allows(self) -> bool:
        """Return whether a request is within the limit, and count it if so."""
        with self._lock:
            now = self._clock.monotonic_s()
            self._left = min(self._burst, self._left + (now - self._at) * self._per_second)
            self._at = now
            if self._left < 1:
                return False
            self._left -= 1
            return True
