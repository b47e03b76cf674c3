"""Validation of the feed options of `memesnipe up`, before slow modules are loaded."""

from pathlib import Path

from memesnipe.bounds import MAX_SHOWN
from memesnipe.cli.inputs import check_tape
from memesnipe.cli.numbers import number_parser
from memesnipe.errors import InputError
from memesnipe.feeds.choice import (
    AS_FAST_AS_POSSIBLE,
    ENDLESS_FEEDS,
    FEED_NAMES,
    GENERATED_FEEDS,
    LIVE_FEEDS,
    FeedChoice,
    feed_names,
)

_DEFAULT_SPEED = {"synthetic": 60.0, "measured": 1.0, "replay": 1.0}
_SPEEDS = (0.001, 1e9)
_LIVE_SPEED = 1.0


def feed_choice(feed: str, tape: Path | None, speed: str | None, *, until_end: bool) -> FeedChoice:
    """Return the choice of feeds, without the seed, which is a setting.

    Args:
        feed: one name, or several separated by commas.
        tape: the tape of the replay feed.
        speed: event time over machine time, or "max"; None for the default of the slowest chosen feed.
        until_end: whether the run is to stop at the end of the feeds.

    Raises:
        InputError: there is no such feed, or the options contradict each other.
    """
    names = feed_names(feed, FEED_NAMES)
    feed = ",".join(names)
    for name in names:
        if until_end and name in ENDLESS_FEEDS:
            raise InputError(f"--until-end: the {name} feed has no end; leave it out, or replay a tape")
    if set(GENERATED_FEEDS) <= set(names):
        raise InputError(f"--feed {feed}: {' and '.join(GENERATED_FEEDS)} are whole markets; choose one of them")
    _check_live(feed, names, speed)
    if "replay" in names and tape is None:
        raise InputError(
            "--feed replay: add --tape TAPE, the tape to replay; `memesnipe import`, `record` and `synth` make tapes"
        )
    if tape is not None and "replay" not in names:
        raise InputError(f"--tape {tape}: the {feed} feed reads no tape; add --feed replay, or leave --tape out")
    if tape is not None:
        check_tape("--tape", tape)
        tape = tape.resolve()
    return FeedChoice(feed, _speed(names, speed), str(tape or ""))


def _check_live(feed: str, names: list[str], speed: str | None) -> None:
    """Check that live feeds are among themselves, and have no speed.

    Raises:
        InputError: they are not, or it is given.
    """
    live = [name for name in names if name in LIVE_FEEDS]
    others = [name for name in names if name not in LIVE_FEEDS]
    if live and others:
        raise InputError(f"--feed {feed}: {live[0]} is live and {others[0]} is not; choose feeds of one sort")
    if live and speed is not None:
        raise InputError(f"--speed {speed[:MAX_SHOWN]}: {live[0]} is live, at the speed of the market; leave it out")


def _speed(names: list[str], speed: str | None) -> float:
    if names[0] in LIVE_FEEDS:
        return _LIVE_SPEED
    if speed is None:
        return min(_DEFAULT_SPEED[name] for name in names)
    if speed == "max":
        return AS_FAST_AS_POSSIBLE
    return number_parser("--speed", *_SPEEDS, other=", or max")(speed)
