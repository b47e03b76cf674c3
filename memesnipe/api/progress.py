"""Progress of the newest run: the parts of the health that no single actor can report."""

import time
from collections.abc import Callable
from typing import Final

from memesnipe.storage.run_progress import RunProgress

STALLED_AFTER_S: Final = 15.0  # without consuming any of the events published
QUIET_AFTER_S: Final = 60.0  # without any event, while the feed has not ended
NO_OUTCOME_AFTER_S: Final = 10.0  # a command takes effect at the next event
_MANY_REJECTED: Final = 20
_REJECTED_SHARE: Final = 0.01

Part = dict[str, str]


class Progress:
    """Compare the figures of a run with those of earlier calls.

    Args:
        clock: returns monotonic seconds.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._counts: tuple[int, ...] = ()
        self._since = 0.0

    def parts(self, now: RunProgress | None) -> dict[str, Part]:
        """Return the parts `progress`, `events` and `commands`; none before the first run."""
        if now is None:
            return {}
        counts, clock = (now.run_id, now.published, now.consumed), self._clock()
        if counts != self._counts:
            self._counts, self._since = counts, clock
        return {
            "progress": _progress(now, clock - self._since),
            "events": _events(now),
            "commands": _commands(now),
        }


def _progress(now: RunProgress, unchanged_s: float) -> Part:
    if now.finished:
        return {"state": "finished", "detail": ""}
    if now.consumed < now.published and unchanged_s > STALLED_AFTER_S:
        return {
            "state": "stalled",
            "detail": f"{now.consumed:,} of {now.published:,} events consumed, none for {unchanged_s:.0f} s",
        }
    if not now.ended and unchanged_s > QUIET_AFTER_S:
        return {"state": "quiet", "detail": f"no event from the feed for {unchanged_s:.0f} s"}
    return {"state": "running", "detail": ""}


def _events(now: RunProgress) -> Part:
    received = now.published + now.rejected
    detail = f"{now.rejected:,} of {received:,} rejected" if now.rejected else ""
    many = now.rejected >= _MANY_REJECTED and now.rejected > _REJECTED_SHARE * received
    return {"state": "rejected" if many else "running", "detail": detail}


def _commands(now: RunProgress) -> Part:
    if now.command and not now.finished and now.command_age_s > NO_OUTCOME_AFTER_S:
        detail = f"{now.command} was requested {now.command_age_s:.0f} s ago and has no outcome"
        return {"state": "waiting", "detail": detail}
    return {"state": "running", "detail": ""}
