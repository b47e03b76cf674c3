"""The subscriptions of one connection: which of them has stopped to deliver, although the others go on."""

from typing import Final

_KEY: Final = '"subscription":'  # of a JSON-RPC notification, before or behind its content
_NEAR_START, _NEAR_END = 120, 60  # characters


class Subscriptions:
    """Notes when each subscription delivered.

    One that has never delivered is not known, so it is never missed.

    Args:
        limit_s: seconds without a frame after which a subscription has stopped.
    """

    def __init__(self, limit_s: float) -> None:
        self._limit_s = limit_s
        self._delivered_at_s: dict[str, float] = {}

    def stopped(self, frame: str | bytes, now_s: float) -> str:
        """Note a frame; return the id of a subscription that has stopped, "" for none.

        Args:
            frame: any frame; one without the id of a subscription is ignored.
            now_s: monotonic seconds.
        """
        if found := subscription_of(frame):
            self._delivered_at_s[found] = now_s
        first = min(self._delivered_at_s, key=self._delivered_at_s.__getitem__, default="")
        return first if first and now_s - self._delivered_at_s[first] >= self._limit_s else ""


def subscription_of(frame: str | bytes) -> str:
    """Return the id in a notification, without reading the rest of it; "" if there is none."""
    if isinstance(frame, bytes):
        return ""  # JSON-RPC is text
    at = frame.find(_KEY, 0, _NEAR_START)
    if at < 0:
        at = frame.find(_KEY, max(len(frame) - _NEAR_END, 0))
    if at < 0:
        return ""
    begin = at + len(_KEY)
    return frame[begin : begin + 24].partition(",")[0].partition("}")[0].strip()
