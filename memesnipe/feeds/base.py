"""What every feed is, and the choice of one by name."""

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
    """A source of events that can be taken up again at any position."""

    total: int | None  # events in all, where that is known
    live: bool  # whether it tells of events as they happen, by this machine's clock

    def messages(self, position: int) -> Iterator[dict[str, Any]]:
        """The events after the first ``position`` ones: message fields without seq, token and flags."""


@dataclass(frozen=True, slots=True)
class FeedChoice:
    """What the user asked for. ``speed`` is event time over machine time, 0 for as fast as possible."""

    name: str
    speed: float
    tape: str = ""
    seed: int = 0

    @property
    def identity(self) -> str:
        """Equal for feeds that give equal events, so that an unfinished run can be taken up again."""
        if self.name == "replay":
            return f"replay:{blake2b(Path(self.tape).read_bytes(), digest_size=8).hexdigest()}"
        return f"{self.name}:{self.seed}"

    @property
    def lockstep(self) -> bool:
        """Whether the feed waits at each decision until everyone has answered."""
        return self.speed == AS_FAST_AS_POSSIBLE

    def to_dict(self) -> dict[str, Any]:
        """The choice as JSON-ready data; `FeedChoice(**data)` brings it back."""
        return asdict(self)


def open_feed(choice: FeedChoice, checkpoints: Path | None = None) -> Feed:
    """The feed that was asked for.

    Args:
        choice: which one.
        checkpoints: file in which a feed that is generated may keep its state, so that it is soon where it was.

    Raises:
        InputError: there is none of that name.
        TapeError: the tape cannot be read, or breaks a rule.
    """
    if choice.name == "synthetic":
        from memesnipe.feeds.synthetic.feed import SyntheticFeed  # noqa: PLC0415 - a feed is loaded where it is opened

        return SyntheticFeed(choice.seed, checkpoints)
    if choice.name == "replay":
        from memesnipe.feeds.replay import ReplayFeed  # noqa: PLC0415
        from memesnipe.tapes.tape import read_tape  # noqa: PLC0415

        return ReplayFeed(read_tape(Path(choice.tape), now_ns=time.time_ns()))
    raise InputError(f"no feed is called {choice.name!r}; there are: {', '.join(FEED_NAMES)}")
