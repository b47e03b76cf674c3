"""The signal by which the threads that read live feeds wake the thread that polls several of them."""

import threading


class Arrival:
    """Ends the wait of the polling thread as soon as any of its feeds has received something."""

    def __init__(self) -> None:
        self._event = threading.Event()

    def notify(self) -> None:
        """Wake the polling thread; another thread calls it, after what arrived can be polled."""
        self._event.set()

    def wait(self, timeout_s: float) -> None:
        """Wait for the next arrival since the last call, at most ``timeout_s`` seconds."""
        self._event.wait(timeout_s)
        self._event.clear()  # before the feeds are polled: what arrives from here on ends the next wait
