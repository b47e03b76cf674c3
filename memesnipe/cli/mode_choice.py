"""Validation of the options of `memesnipe up` that choose its mode, before slow modules are loaded."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final

from memesnipe.cli.inputs import check_tape
from memesnipe.errors import InputError, RefusedError
from memesnipe.feeds.choice import FeedChoice
from memesnipe.runtime.trading_mode import TradingMode

LOCAL_FEED: Final = "localnet"
PERPS: Final = "hyperliquid"  # the feed of funding
REAL_MARKETS: Final = ("pumpfun", "helius")  # whose tokens are traded live


class ModeName(StrEnum):
    """The values of `--mode`."""

    PAPER = "paper"
    LIVE = "live"


@dataclass(frozen=True, slots=True)
class LocalOptions:
    """The options that go to `memesnipe localnet`."""

    tape: Path | None
    speed: str | None
    faults: Sequence[str]
    slot_ms: int | None
    rate: float | None  # trades a second of the generated market


def mode_choice(name: ModeName, options: LocalOptions, *, is_local: bool, until_end: bool) -> TradingMode:
    """Return the mode.

    Raises:
        InputError: an option of the local chain is given without it, or the run has no end to wait for.
    """
    if is_local:
        return TradingMode(name is ModeName.LIVE, _local(options, until_end=until_end))
    given = {"--fault": options.faults or None, "--slot-ms": options.slot_ms, "--rate": options.rate}
    for option, value in given.items():
        if value is not None:
            raise InputError(f"{option} is an option of the local chain; add --localnet")
    return TradingMode(name is ModeName.LIVE)


def check_live_market(choice: FeedChoice) -> None:
    """Check that a feed reports tokens that can be traded live.

    Raises:
        RefusedError: it reports perps alone, which are traded on paper only.
        InputError: it reports other markets.
    """
    if {*choice.names} & {*REAL_MARKETS}:
        return
    markets = " or ".join(REAL_MARKETS)
    if choice.names == [PERPS]:
        raise RefusedError(
            f"--mode live --feed {PERPS}: perps are traded on paper only, because there is no venue for live shorts; "
            f"with --feed {markets} added, live strategies see funding, and their shorts are refused"
        )
    raise InputError(f"--mode live --feed {choice.name}: trades what {markets} reports; add one of them")


def local_feed(feed: str | None) -> FeedChoice:
    """Return the feed of a run on the local chain, which is the one that watches it.

    Raises:
        InputError: another one is named.
    """
    if feed not in (None, LOCAL_FEED):
        raise InputError(f"--feed {feed}: with --localnet the feed is {LOCAL_FEED}, which watches the local chain")
    return FeedChoice(LOCAL_FEED, 1.0)


def _local(options: LocalOptions, *, until_end: bool) -> tuple[str, ...]:
    """Return the arguments of `memesnipe localnet`."""
    arguments = ["--start-on-request"]  # the feed starts the market, so that it misses nothing
    if options.tape is not None:
        check_tape("--tape", options.tape)
        from memesnipe.tapes.tape import read_tape  # noqa: PLC0415 - slow to load

        read_tape(options.tape)  # a file that is no tape is refused before anything is started
        arguments += ["--tape", str(options.tape.resolve())]
    elif until_end:
        raise InputError("--until-end: the market of the local chain has no end without --tape")
    if options.speed is not None:
        if options.speed == "max":
            raise InputError("--speed max: the local chain has a clock of its own; give a ratio, such as 60")
        arguments += ["--speed", options.speed]
    if options.slot_ms is not None:
        arguments += ["--slot-ms", str(options.slot_ms)]
    if options.rate is not None:
        arguments += ["--rate", str(options.rate)]
    if options.faults:
        from memesnipe.localnet.faults import parse_rates  # noqa: PLC0415 - slow to load

        parse_rates(options.faults)
    for fault in options.faults:
        arguments += ["--fault", fault]
    return tuple(arguments)
