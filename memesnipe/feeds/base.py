"""The interface of feeds, and the selection of a feed by name."""

import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Any, Protocol

from memesnipe.errors import InputError

FEED_NAMES = ("synthetic", "replay")
ENDLESS_FEEDS = ("synthetic",)
AS_FAST_AS_POSSIBLE = 0.0


class Feed(Protocol):
    """A source of events that can be resumed at any position."""

    total: int | None  # total number of events, if known
    live: bool  # whether events arrive as they happen, by this machine's clock

    def messages(self, position: int) -> Iterator[dict[str, Any]]:
        """Yield the events after the first ``position`` ones: message fields without seq, token and flags."""


@dataclass(frozen=True, slots=True)
class FeedChoice:
    """The feed selected by the user. ``speed`` is event time over machine time, 0 for as fast as possible."""

    name: str
    speed: float
    tape: str = ""
    seed: int = 0

    @property
    def identity(self) -> str:
        """An identifier that is equal for feeds with equal events, so that an unfinished run can be resumed."""
        if self.name == "replay":
            return f"replay:{blake2b(Path(self.tape).read_bytes(), digest_size=8).hexdigest()}"
        return f"{self.name}:{self.seed}"

    @property
    def lockstep(self) -> bool:
        """Whether the feed waits at each decision until all actors have processed it."""
        return self.speed == AS_FAST_AS_POSSIBLE

    def to_dict(self) -> dict[str, Any]:
        """Return the choice as JSON-ready data; `FeedChoice(**data)` inverts it."""
        return asdict(self)


def open_feed(choice: FeedChoice, checkpoints: Path | None = None) -> Feed:
    """Open a feed.

    Args:
        choice: the feed to open.
        checkpoints: file for the state of a generated feed, which makes resuming fast.

    Raises:
        InputError: there is no feed of that name.
        TapeError: the tape cannot be read or contains an invalid event.
    """
    if choice.name == "synthetic":
        from memesnipe.feeds.synthetic.feed import SyntheticFeed  # noqa: PLC0415 - import only the feed that is opened

        return SyntheticFeed(choice.seed, checkpoints)
    if choice.name == "replay":
        from memesnipe.feeds.replay import ReplayFeed  # noqa: PLC0415
        from memesnipe.tapes.tape import read_tape  # noqa: PLC0415

        return ReplayFeed(read_tape(Path(choice.tape), now_ns=time.time_ns()))
    raise InputError(f"there is no feed {choice.name!r}; feeds: {', '.join(FEED_NAMES)}")
