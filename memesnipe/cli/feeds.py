"""The command `feeds check`: whether the live feeds can be reached, and what they deliver."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from memesnipe.cli import completion
from memesnipe.cli.numbers import number_option
from memesnipe.cli.options import Json
from memesnipe.cli.signals import exit_on_interrupt
from memesnipe.errors import MemeSnipeError
from memesnipe.feeds.choice import LIVE_FEEDS, feed_names
from memesnipe.runtime.terminal import print_json, print_table

if TYPE_CHECKING:
    from memesnipe.feeds.endpoints import Endpoints

feeds = typer.Typer()
live = typer.Typer(no_args_is_help=True, help="Live feeds.")
feeds.add_typer(live, name="feeds")

_SECONDS: Final = 10.0


@live.command("check")
def check_command(
    feed: Annotated[
        str | None,
        typer.Option(
            help=f"Feeds, separated by commas: {', '.join(LIVE_FEEDS)}. "
            "Default: pumpfun, jupiter, and pyth with a key.",
            autocompletion=completion.live_feeds,
        ),
    ] = None,
    seconds: Annotated[
        float, number_option("--seconds", 0.1, 3_600, f"How long to read. Default: {_SECONDS:g}.")
    ] = _SECONDS,
    json: Json = False,
) -> None:
    """Connect to the live feeds, and report what each delivers; exit with 1 if one delivers nothing."""
    names = _names(feed)
    exit_on_interrupt()

    from memesnipe.config.settings import load_settings  # noqa: PLC0415
    from memesnipe.feeds.live_choice import make_live_feeds  # noqa: PLC0415
    from memesnipe.roles.feed_endpoints import endpoints_of  # noqa: PLC0415
    from memesnipe.runtime.feed_check import check_feeds  # noqa: PLC0415

    endpoints = endpoints_of(load_settings())
    with _Progress(seconds) as progress:
        made = make_live_feeds(names or _usable(endpoints), endpoints)
        result = check_feeds(made, seconds, progress.show)
    if json:
        print_json(result)
    else:
        for name, found in result["feeds"].items():
            print_table(name, _rows(found))
    if result["delivered_nothing"]:
        reasons = (f"{name}: {result['feeds'][name]['nothing_because']}" for name in result["delivered_nothing"])
        raise MemeSnipeError(f"no event in {seconds:g} s from {'; '.join(reasons)}")


def _names(feed: str | None) -> list[str]:
    """Return the names of the feeds to check; [] for the default.

    Raises:
        InputError: one of them is no live feed, or is named twice.
    """
    return feed_names(feed, LIVE_FEEDS) if feed is not None else []


def _usable(endpoints: "Endpoints") -> list[str]:
    """Return the feeds that deliver something within seconds; Pyth does so with a key only."""
    return [*(["pyth"] if endpoints.pyth_api_key else []), "jupiter", "pumpfun"]


def _rows(found: Mapping[str, Any]) -> dict[str, Any]:
    """Return the result of one feed as rows of a table."""
    delay = found["delay_s"]
    rows = {
        "events": f"{found['events']:,} ({found['events_per_s']:,.2f} a second)",
        "kinds": found["kinds"],
        "invalid": found["invalid"],
        "delay": f"median {delay['median']:.2f} s, maximum {delay['max']:.2f} s" if delay else None,
    }
    for endpoint in found["endpoints"]:
        state = "connected" if endpoint["connected"] else endpoint["error"] or "not connected yet"
        counts = {name: endpoint[name] for name in ("failures", "reconnections", "queue_full") if endpoint[name]}
        rejected = {f"rejected as {reason}": count for reason, count in endpoint["rejected"].items()}
        notes = [f"{name.replace('_', ' ')} {count:,}" for name, count in {**counts, **rejected}.items()]
        rows[endpoint["name"]] = "; ".join([state, *notes, *([endpoint["warning"]] if endpoint["warning"] else [])])
    return rows


class _Progress:
    """A progress bar on a terminal; nothing elsewhere."""

    def __init__(self, seconds: float) -> None:
        from rich.progress import BarColumn, TextColumn  # noqa: PLC0415 - slow to load

        from memesnipe.cli.bars import progress_of  # noqa: PLC0415 - as above

        self._bar = progress_of(TextColumn("reading"), BarColumn(), TextColumn("{task.description}"))
        self._task = self._bar.add_task("connecting", total=seconds)

    def __enter__(self) -> "_Progress":
        self._bar.start()
        return self

    def show(self, passed_s: float, events: int) -> None:
        """Show the time and the number of events."""
        self._bar.update(self._task, completed=passed_s, description=f"{events:,} events")

    def __exit__(self, *_: object) -> None:
        self._bar.stop()
