"""A live source under a test's control: slow, silent, failing or ending when the test requires it."""

import threading
from collections.abc import Generator, Iterable
from typing import Any, Literal

from memesnipe.feeds.base import IDLE, FeedEvent, ResumeToken, Signal


class ScriptedSource:
    """A source that keeps every message it was given, so that reading can be resumed after any of them.

    The token is the number of messages delivered, in a JSON object as a real source might use.

    Args:
        messages: those that have arrived already.
    """

    def __init__(self, messages: Iterable[Any] = ()) -> None:
        self._changed = threading.Condition()
        self._messages = list(messages)
        self._error: BaseException | None = None
        self._has_ended = self._is_closed = False
        self.delivered = 0  # messages yielded, over all readings
        self.tokens: list[ResumeToken] = []  # with which it was read

    def deliver(self, *messages: Any) -> None:
        """Make messages arrive."""
        with self._changed:
            self._messages += messages
            self._changed.notify_all()

    def end(self) -> None:
        """End for good after the messages so far."""
        with self._changed:
            self._has_ended = True
            self._changed.notify_all()

    def fail(self, error: BaseException | None) -> None:
        """Fail with an error, also when read again; None makes it work again."""
        with self._changed:
            self._error = error
            self._changed.notify_all()

    def read(self, token: ResumeToken) -> Generator[FeedEvent | Literal[Signal.IDLE], None, None]:
        """Yield IDLE, then the messages after the token as they arrive."""
        with self._changed:
            self.tokens.append(token)
        position = token["delivered"] if token else 0
        self._raise_error()
        yield IDLE
        while self._await_message(position):
            position += 1
            self.delivered += 1
            yield FeedEvent(self._messages[position - 1], {"delivered": position})

    def _await_message(self, position: int) -> bool:
        """Wait for the message at a position; return False at the end."""
        with self._changed:
            self._changed.wait_for(
                lambda: self._error or self._has_ended or self._is_closed or len(self._messages) > position
            )
        self._raise_error()
        return not self._is_closed and len(self._messages) > position

    def _raise_error(self) -> None:
        if self._error is not None:
            raise self._error

    def close(self) -> None:
        """Make a blocked `read` return."""
        with self._changed:
            self._is_closed = True
            self._changed.notify_all()
