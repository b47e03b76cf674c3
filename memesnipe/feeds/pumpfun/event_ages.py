"""How old events of the chain are when they are read, by this machine's clock: whether it or a node is wrong."""

from statistics import median
from typing import Final

from memesnipe.market.events import NS_PER_S

WINDOW: Final = 400  # events
MAX_AGE_NS: Final = 5 * NS_PER_S  # nodes report after 1.5 to 3.4 s, in block times of whole seconds


class EventAges:
    """The ages of the last events. ``warning`` says what is wrong with half of them, "" for nothing."""

    def __init__(self) -> None:
        self.warning = ""
        self._ages_ns: list[int] = []

    def add(self, age_ns: int) -> None:
        """Add the age of an event; it is negative if the event is of the future."""
        self._ages_ns.append(age_ns)
        if len(self._ages_ns) == WINDOW:
            self.warning = _warning(median(self._ages_ns) / NS_PER_S)
            self._ages_ns.clear()


def _warning(age_s: float) -> str:
    if age_s < 0:
        return f"blocks are {-age_s:.1f} s ahead of this machine's clock: set the clock"
    if age_s > MAX_AGE_NS / NS_PER_S:
        return (
            f"events are {age_s:.1f} s old when they are read, and nothing is bought on events that are too old: this "
            "machine's clock is ahead, the endpoints are late, or this machine is overloaded"
        )
    return ""
