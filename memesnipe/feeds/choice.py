"""The feeds that a user can choose, and opening the chosen ones."""

import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from hashlib import blake2b
from pathlib import Path
from typing import Any

from memesnipe.errors import InputError, did_you_mean, printable
from memesnipe.feeds.arrival import Arrival
from memesnipe.feeds.base import Feed
from memesnipe.feeds.endpoints import Endpoints

LIVE_FEEDS = (
    "pumpfun",
    "helius",
    "pyth",
    "jupiter",
    "dexscreener",
    "hyperliquid",
    "farcaster",
    "x",
    "signals",
    "webhook",
    "localnet",
)
STAMPING_FEEDS = ("jupiter", "dexscreener", "hyperliquid", "farcaster", "x")  # events have the time of arrival
GENERATED_FEEDS = ("synthetic", "measured")
FEED_NAMES = (*GENERATED_FEEDS, "replay", *LIVE_FEEDS)
ENDLESS_FEEDS = ("synthetic", *(name for name in LIVE_FEEDS if name != "localnet"))
AS_FAST_AS_POSSIBLE = 0.0
_SHOWN = 60  # characters of the user's text in a message


def feed_names(feed: str, known: Sequence[str]) -> list[str]:
    """Return the names of an option `--feed`.

    Args:
        feed: one name, or several separated by commas.
        known: the feeds to choose from.

    Raises:
        InputError: a name is empty, unknown or given twice.
    """
    names = [name.strip() for name in feed.split(",")]
    for name in names:
        if not name:
            raise InputError(f"--feed {printable(feed)[:_SHOWN]!r}: a name is empty; feeds: {', '.join(known)}")
        if name in FEED_NAMES and name not in known:
            raise InputError(f"--feed {name}: is not live; live feeds: {', '.join(known)}")
        if name not in known:
            shown, near = printable(name)[:_SHOWN], did_you_mean(name, known)
            raise InputError(f"--feed {shown}: there is no such feed{near}; feeds: {', '.join(known)}")
        if names.count(name) > 1:
            raise InputError(f"--feed {feed}: {name} is named twice; name it once")
    return names


@dataclass(frozen=True, slots=True)
class FeedChoice:
    """The feeds selected by the user, and the tapes from before them.

    ``speed`` is event time over machine time, 0 for as fast as possible; ``history`` has paths of tapes and folders.
    """

    name: str  # one name, or several separated by commas
    speed: float
    tape: str = ""
    seed: int = 0
    history: Sequence[str] = ()
    past_hours: float = 0.0  # of a generated market before its first event

    @property
    def names(self) -> list[str]:
        """The names of the feeds, in the order in which events of equal time are merged."""
        return self.name.split(",")

    @property
    def identity(self) -> str:
        """An identifier that is equal for feeds with equal events, so that an unfinished run can be resumed."""
        return ",".join(map(self._identity_of, self.names))

    @property
    def live(self) -> bool:
        """Whether the feeds are live. Live and other feeds are never chosen together."""
        return any(name in LIVE_FEEDS for name in self.names)

    @property
    def generated(self) -> str:
        """The name of the generated market among the feeds, of which there is at most one; "" without one."""
        return next((name for name in self.names if name in GENERATED_FEEDS), "")

    def _identity_of(self, name: str) -> str:
        if name in LIVE_FEEDS:
            return name  # there is one market, and every run of it continues
        if name == "replay":
            return f"replay:{blake2b(Path(self.tape).read_bytes(), digest_size=8).hexdigest()}"
        return f"{name}:{self.seed}" + (f":{self.past_hours:g}h" if self.past_hours else "")

    @property
    def lockstep(self) -> bool:
        """Whether the feed waits at each decision until all actors have processed it; a live feed cannot wait."""
        return self.speed == AS_FAST_AS_POSSIBLE

    @property
    def has_own_pace(self) -> bool:
        """Whether the feed waits for no decision: it is live, or has a speed."""
        return self.live or not self.lockstep

    def to_dict(self) -> dict[str, Any]:
        """Return the choice as JSON-ready data; `FeedChoice(**data)` inverts it."""
        return asdict(self)


def make_feed(choice: FeedChoice, checkpoints: Path | None = None, endpoints: Endpoints | None = None) -> Feed:
    """Return the chosen feed, merged from several if several are chosen; it is not open yet.

    A live feed whose amounts are in SOL is merged with a price of SOL, see `memesnipe.feeds.live_choice`.

    Args:
        choice: the feeds.
        checkpoints: file for the state of a generated feed, which makes resuming fast, or for what the feed of pump.fun
            knows of coins and pools.
        endpoints: of live feeds; may be None for any other.

    Raises:
        InputError: there is no feed of that name.
        TapeError: the tape cannot be read or contains an invalid event.
    """
    live = [name for name in choice.names if name in LIVE_FEEDS]
    arrival = Arrival() if live else None
    feeds = {name: _make_one(name, choice, checkpoints) for name in choice.names if name not in live}
    if live:
        from memesnipe.feeds.live_choice import make_live_feeds  # noqa: PLC0415 - import only what is opened

        assert endpoints is not None  # noqa: S101 - a live feed has some
        feeds |= make_live_feeds(live, endpoints, checkpoints, arrival)
    if len(feeds) == 1:
        return next(iter(feeds.values()))
    from memesnipe.feeds.merge import MergedFeed  # noqa: PLC0415 - as above

    return MergedFeed(feeds, arrival=arrival, stamping=STAMPING_FEEDS)


def first_ts_of(choice: FeedChoice) -> int | None:
    """Return the time of the first event of the chosen feeds; None if it is not known before they are open.

    Raises:
        TapeError: the tape cannot be read.
    """
    found: list[int] = []
    for name in choice.names:
        if name == "replay":
            from memesnipe.tapes.parquet_tape import ParquetTape  # noqa: PLC0415

            found.append(ParquetTape(Path(choice.tape)).span()[0])
        elif name in GENERATED_FEEDS:
            from memesnipe.feeds.synthetic.past import first_ts_after  # noqa: PLC0415

            found.append(first_ts_after(choice.past_hours))
        else:
            return None
    return min(found)


def write_past_of(choice: FeedChoice, path: Path) -> None:
    """Write the past of the chosen generated market as a tape.

    Raises:
        TapeError: the file cannot be written.
    """
    from memesnipe.feeds.synth_market.past import write_measured_past  # noqa: PLC0415 - pyarrow is slow to load
    from memesnipe.feeds.synthetic.past import write_past  # noqa: PLC0415

    write = write_past if choice.generated == "synthetic" else write_measured_past
    write(path, choice.seed, choice.past_hours)


def _make_one(name: str, choice: FeedChoice, checkpoints: Path | None) -> Feed:
    if name == "synthetic":
        from memesnipe.feeds.synthetic.feed import SyntheticFeed  # noqa: PLC0415
        from memesnipe.feeds.synthetic.past import first_ts_after  # noqa: PLC0415

        return SyntheticFeed(choice.seed, checkpoints, first_ts=first_ts_after(choice.past_hours))
    if name == "measured":
        from memesnipe.feeds.synth_market.feed import MeasuredFeed  # noqa: PLC0415
        from memesnipe.feeds.synthetic.past import first_ts_after  # noqa: PLC0415

        return MeasuredFeed(choice.seed, first_ts=first_ts_after(choice.past_hours))
    if name == "replay":
        from memesnipe.feeds.replay import ReplayFeed  # noqa: PLC0415
        from memesnipe.tapes.tape import read_tape  # noqa: PLC0415

        return ReplayFeed(read_tape(Path(choice.tape), now_ns=time.time_ns()))
    raise InputError(f"there is no feed {name!r}; feeds: {', '.join(FEED_NAMES)}")
