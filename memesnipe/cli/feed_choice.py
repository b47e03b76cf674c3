"""Validation of the feed options of `memesnipe up`, before slow modules are loaded."""

from pathlib import Path

from memesnipe.cli.inputs import check_tape
from memesnipe.cli.numbers import number_parser
from memesnipe.errors import InputError
from memesnipe.feeds.base import AS_FAST_AS_POSSIBLE, ENDLESS_FEEDS, FEED_NAMES, FeedChoice

_DEFAULT_SPEED = {"synthetic": 60.0, "replay": 1.0}
_SPEEDS = (0.001, 1e9)


def feed_choice(feed: str, tape: Path | None, speed: str | None, *, until_end: bool) -> FeedChoice:
    """Return the choice of feed, without the seed, which is a setting.

    Raises:
        InputError: there is no such feed, or the options contradict each other.
    """
    if feed not in FEED_NAMES:
        raise InputError(f"--feed {feed}: there is no such feed; choose one of {', '.join(FEED_NAMES)}")
    if (feed == "replay") != (tape is not None):
        raise InputError("--feed replay and --tape TAPE go together")
    if until_end and feed in ENDLESS_FEEDS:
        raise InputError(f"--until-end: the {feed} feed has no end")
    if tape is not None:
        check_tape("--tape", tape)
        tape = tape.resolve()
    return FeedChoice(feed, _speed(feed, speed), str(tape or ""))


def _speed(feed: str, speed: str | None) -> float:
    if speed is None:
        return _DEFAULT_SPEED[feed]
    if speed == "max":
        return AS_FAST_AS_POSSIBLE
    return number_parser("--speed", *_SPEEDS, other=", or max")(speed)
