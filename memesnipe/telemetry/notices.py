"""Notices to the user, and which of them are sent: each fact once, and a limited number an hour."""

from collections import deque
from dataclasses import dataclass, field
from typing import Final, Literal

from memesnipe.telemetry.logs import without_secrets

Severity = Literal["info", "success", "warning", "failure"]  # as Apprise has them

_HOUR_S: Final = 3_600.0
_REPEAT_S: Final = 6 * _HOUR_S  # after which a fact that still holds is sent again
_MAX_TEXT: Final = 1_000  # characters


@dataclass(frozen=True, slots=True)
class Notice:
    """Something that the user should know.

    Attributes:
        key: what it is about; the same text about the same thing is sent once.
        title: in a few words.
        text: the fact, without secrets.
        severity: of the fact.
    """

    key: str
    title: str
    text: str
    severity: Severity = "info"


@dataclass(slots=True)
class Outbox:
    """Choose the notices to send.

    Args:
        max_per_hour: maximum number in any hour.
    """

    max_per_hour: int
    _sent: dict[str, tuple[str, float]] = field(default_factory=dict)  # the last text of each key, and its time
    _times: deque[float] = field(default_factory=deque)
    _held_back: int = 0

    def choose(self, notice: Notice, now_s: float) -> Notice | None:
        """Return the notice to send, with the number of those that were held back before; None to send none.

        Args:
            notice: to send.
            now_s: a clock that never goes back, in seconds.
        """
        text, sent_at = self._sent.get(notice.key, ("", 0.0))
        if text == notice.text and now_s - sent_at < _REPEAT_S:
            return None
        while self._times and now_s - self._times[0] >= _HOUR_S:
            self._times.popleft()
        if len(self._times) >= self.max_per_hour:
            self._held_back += 1
            return None
        self._times.append(now_s)
        self._sent[notice.key] = (notice.text, now_s)
        more = f"\n({self._held_back} earlier notifications were held back.)" if self._held_back else ""
        self._held_back = 0
        shown = without_secrets(notice.text)
        shown = shown if len(shown) <= _MAX_TEXT else f"{shown[:_MAX_TEXT]}..."
        return Notice(notice.key, notice.title, shown + more, notice.severity)
